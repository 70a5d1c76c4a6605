"""What a queue or timer function shows the host when it fails: one bare error, without causes or details."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Iterator

_events = Events("triggers")


class TriggerFailedError(Exception):
    """The function failed, so that the host delivers the message again; the app's log has the reason."""

    def __init__(self) -> None:
        super().__init__("The function failed. The app's own log has the reason.")


@contextmanager
def contained(*expected: type[Exception]) -> Iterator[None]:
    """Log what the block raises through the redaction, then raise one bare ``TriggerFailedError``.

    The worker sends the host the texts and traces of an exception and, from azure-functions-runtime 1.1 on, of all its
    causes and notes; the host writes them to its log as they are.

    Args:
        expected: errors that a retry cures and that are in the log already: one warning, no trace.
    """
    try:
        yield
    except expected as error:
        _events.warning("a function failed and is tried again", kind=type(error).__name__)
        raise TriggerFailedError from None
    except Exception:  # noqa: BLE001 - whatever it is, the host must not see its text
        _events.exception("unforeseen")
        raise TriggerFailedError from None
