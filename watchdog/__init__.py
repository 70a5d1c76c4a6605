"""Asks Microsoft Graph where a report did not come, and concludes what can be concluded."""
