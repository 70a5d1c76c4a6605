"""What can go wrong with storage; nothing else leaves this room, whatever the libraries raise.

StorageError
├── StorageUnavailable   storage can't be read or written for now; a write may then be stored or not
└── TooLarge             what is to be stored is larger than storage allows

A conflict with another writer is no error here: ``store.update`` reads again and decides again.
"""

from __future__ import annotations


class StorageError(Exception):
    """Anything that keeps storage from doing what was asked; its text holds no data."""


class StorageUnavailable(StorageError):
    """Storage can't be read or written for now."""

    def __init__(self, message: str = "The app's storage can't be reached.") -> None:
        super().__init__(message)


class TooLarge(StorageError):
    """What is to be stored is larger than storage allows."""
