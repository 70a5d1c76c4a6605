"""Does what a turn has noted, side by side, once everything that was learnt is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

from domain.asking import asked_by
from observability.events import Events
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.turn import Turn

_events = Events("flows")
# The event loop's own pool has five threads on one core.
POOL = ThreadPoolExecutor(32, thread_name_prefix="work")
"""For what a run does after it has waited."""
# Apart: a POST of a message's run may take 25 seconds, and no callback may wait for a thread so long.
_SIDE_BY_SIDE = {
    is_message: ThreadPoolExecutor(32, thread_name_prefix=f"duty-{name}")
    for is_message, name in ((False, "request"), (True, "message"))
}


def run_duties(turn: Turn) -> None:
    """Do what was noted; a duty that fails is left to the alarm, and what it makes follow is done as well."""
    with asked_by(None):  # what follows may be about what other callers began
        while turn.duties:
            duties, turn.duties = turn.duties, []
            first, *others = duties
            # Each on its thread goes on in the context of this one, so that its spans belong to the same request.
            pool = _SIDE_BY_SIDE[turn.is_message]
            running = [pool.submit(copy_context().run, _done, duty) for duty in others]
            _done(first)
            for one in running:
                one.result()


def _done(duty: Callable[[], None]) -> None:
    try:
        duty()
    except StorageError as error:
        _events.warning("something that is due is left to its alarm", kind=type(error).__name__)
    except Exception:  # noqa: BLE001 - what was reported is written, and due things stay due
        _events.exception("something that is due could not be done and is left to its alarm")
