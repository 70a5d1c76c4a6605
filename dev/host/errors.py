"""What keeps the local host from starting; the text is for the person at the keyboard."""

from __future__ import annotations


class CannotStart(Exception):
    """The app, its settings or this machine isn't ready; the text says what is wrong and how to fix it."""
