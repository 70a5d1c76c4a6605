"""The one compare-and-swap loop of the app: read, decide, write under ETags; where another writer was faster, again.

A write whose response was lost is handled alike: rows name who began or claimed what, so a change that finds its own
write changes nothing more, and what follows from it follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from storage.errors import StorageUnavailable
from storage.table import Conflict, WriteUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

H = TypeVar("H")
W = TypeVar("W")
_MOST_TRIES = 20


def compare_and_swap(
    held: H | None, read: Callable[[], H], decide: Callable[[H], W | None], write: Callable[[H, W], H]
) -> tuple[H, H]:
    """Change what is held.

    Args:
        held: what is in hand already; it is not read again unless another writer was faster.
        read: reads it.
        decide: returns what is to be written, None where nothing is; called again after each read.
        write: writes under the ETags of what is held, and returns what is held then.

    Returns:
        What was held before the change was written, and after it.

    Raises:
        StorageUnavailable: it may be stored or not.
    """
    doubtful: H | None = None
    for _ in range(_MOST_TRIES):
        current = held if held is not None else _look(read, again=doubtful is not None)
        planned = decide(current)
        if planned is None:
            return (current if doubtful is None else doubtful), current
        try:
            written = write(current, planned)
        except Conflict:
            held = None
        except WriteUnknown:
            # It may be stored: read again, and what follows from the change follows either way.
            doubtful, held = (current if doubtful is None else doubtful), None
        else:
            return (current if doubtful is None else doubtful), written
    raise StorageUnavailable


def _look(read: Callable[[], H], *, again: bool) -> H:
    """Read; after a write that may be stored, once more where that fails."""
    try:
        return read()
    except StorageUnavailable:
        if not again:
            raise
    return read()
