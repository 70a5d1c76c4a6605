"""What keeps the local host from starting; the text is for the person at the keyboard."""

from __future__ import annotations


class CannotStart(Exception):
    """The app, its settings or this machine is not ready to be run; the text says what and how to mend it."""
