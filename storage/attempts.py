"""The one loop that asks storage again: while a request fails in passing and the budget lasts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from storage import budget
from storage.outcomes import Failure, Outcome, failure_of
from storage.spans import failed, span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")
MAY_BE_REPEATED = (Outcome.NOT_DONE, Outcome.UNKNOWN)
"""For what does no harm when it is done twice."""
NOT_DONE_ONLY = (Outcome.NOT_DONE,)
_NOT_MADE_YET = ("TableNotFound", "QueueNotFound")
_NO_TIME = Failure(Outcome.NOT_DONE, "NoTimeLeft", None, "", None)


class Failed(Exception):
    """A request that failed for good; never leaves this room."""

    def __init__(self, failure: Failure, *, was_repeated: bool) -> None:
        super().__init__(failure.kind)
        self.failure = failure
        self.was_repeated = was_repeated
        """Whether it was sent more than once."""


def attempt(
    name: str,
    system: str,
    ask: Callable[[], T],
    *,
    again: Collection[Outcome] = MAY_BE_REPEATED,
    create: Callable[[], object] | None = None,
) -> T:
    """Ask storage.

    Args:
        name: what is done, in few words that never vary.
        system: ``microsoft.tables`` or ``microsoft.queues``.
        ask: sends one request.
        again: after which outcomes it is sent again.
        create: makes the table or queue where there is none yet.

    Raises:
        Failed: whatever the library raised, understood.
    """
    number = 0
    failure = _NO_TIME
    with budget.spending():
        while not budget.is_spent():
            number += 1
            with span(name, system) as current:
                try:
                    return ask()
                except Exception as error:  # noqa: BLE001 - the libraries raise more than their own errors
                    failure = failure_of(error)
                    if failure.outcome not in (Outcome.CONFLICT, Outcome.MISSING):
                        failed(current, failure.kind)
            if failure.outcome is Outcome.MISSING and create is not None and failure.code in _NOT_MADE_YET:
                with suppress(Exception):  # another process was faster, or it is tried again
                    create()
                if number == 1:
                    continue
            elif failure.outcome not in again:
                break
            if not budget.wait(number, failure.retry_after):
                break
    raise Failed(failure, was_repeated=number > 1)
