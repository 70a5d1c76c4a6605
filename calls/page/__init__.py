"""Watching a call: its timeline, and the page that shows it live."""
