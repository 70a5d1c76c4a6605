"""Which callbacks follow an event, in which order, how often, how late: as the options have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.simulator import notices
from dev.simulator.calls import Notice
from dev.simulator.options import Reporting

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from dev.simulator.calls import Call, Operation
    from dev.simulator.people import Participant
    from dev.simulator.postman import Postman


class Reports:
    """Writes callbacks from the state at hand and gives them to the postman; call it with the world's lock held."""

    def __init__(self, postman: Postman, defaults: Reporting) -> None:
        self._postman = postman
        self.defaults = self._first_defaults = defaults
        """Reporting of every call."""

    def reset(self) -> None:
        """Report as at first."""
        self.defaults = self._first_defaults

    def call_state(
        self,
        call: Call,
        state: str,
        *,
        result: tuple[int, int, str] | None = None,
        bare: bool = False,
        extras: Mapping[str, object] | None = None,
    ) -> None:
        """Report that ``call`` is in ``state`` now."""
        chosen = self.of(call)
        item = notices.call_item(call, chosen, state, result, extras or {})
        if bare or (chosen.bare_end and state == "terminated"):
            item = notices.bare_end(call, chosen)
        key = "end" if state == "terminated" else "call"
        is_first = state == "establishing"
        self._send(call, chosen, "call", [item], key=key, attempted=call.first_reported if is_first else None)

    def establishing(self, call: Call) -> None:
        """Report that a call is being established, where that comes first."""
        if self.of(call).establishing == "first":
            self.call_state(call, "establishing")
        else:
            call.first_reported.set()

    def established(self, call: Call) -> None:
        """Report a new call as established, as often as is chosen."""
        chosen = self.of(call)
        for number in range(1, chosen.established + 1):
            extras: dict[str, object] = {"direction": call.direction} if number == 1 else notices.media_state(chosen)
            if chosen.chat_info == "late" and number == chosen.established:
                extras |= call.joined_by
            self.call_state(call, "established", extras=extras)
        if chosen.establishing == "late":
            self.call_state(call, "establishing")

    def grown(self, call: Call) -> None:
        """Report a one-to-one call that has become a group call, with what is known of its thread by now."""
        extras = {**notices.media_state(self.of(call)), "replacesContext": "c2ltdWxhdGVk", **call.joined_by}
        self.call_state(call, "established", extras=extras)

    def incoming(self, call: Call) -> None:
        """Report an incoming call."""
        chosen = self.of(call)
        self._send(call, chosen, "incoming", [notices.incoming_item(call, chosen)], attempted=call.first_reported)

    def incoming_in_old_form(self, call: Call) -> int | None:
        """Report an incoming call in the form of the Bot Framework; return the status of the response."""
        return self._postman.post_once(call, "oldForm", notices.old_form(call), self.token(call))

    def token(self, call: Call) -> str:
        """Return a good token for a callback of ``call``."""
        return self._postman.token(call, self.of(call).callback_tokens)

    def roster(self, call: Call, changed: Iterable[Participant]) -> None:
        """Report the roster after ``changed`` joined, left or were admitted, apart from an invitation's end."""
        chosen = self.of(call)
        if not self._is_lost(chosen, "roster"):
            self._send(call, chosen, "roster", [notices.roster_item(call, chosen, None, changed)])

    def running(self, operation: Operation, *, late: float = 0) -> None:
        """Report that an operation is running."""
        item = notices.operation_item(operation, "running")
        tokens = operation.reporting.callback_tokens
        notice = Notice("running", notices.envelope([item]), operation.id, tokens=tokens)
        self._postman.send(operation.call, notice, late=late)

    def ended(self, operation: Operation) -> None:
        """Report an operation's end, then the roster if anybody joined by it."""
        chosen = operation.reporting
        call = operation.call
        parts = [("operation", notices.operation_item(operation, operation.status))]
        if operation.joined:
            parts.append(("roster", notices.roster_item(call, chosen, operation, operation.joined)))
        if chosen.roster_first:
            parts.reverse()
        groups = [parts] if chosen.together else [[part] for part in parts]
        for group in groups:
            about = "+".join(name for name, _ in group)
            self._send(
                call,
                chosen,
                about,
                [item for _, item in group],
                operation_id=operation.id,
                attempted=operation.reported if "operation" in about else None,
            )
        if chosen.running == "late":
            self.running(operation, late=chosen.late)

    def of(self, call: Call) -> Reporting:
        """Return how ``call`` is reported."""
        return Reporting.layered(self.defaults, call.options)

    @staticmethod
    def _is_lost(chosen: Reporting, about: str) -> bool:
        return chosen.lost == "all" or chosen.lost in about.split("+") or (chosen.lost == "call" and about == "end")

    def _send(
        self,
        call: Call,
        chosen: Reporting,
        about: str,
        items: list[dict[str, object]],
        *,
        key: str | None = None,
        operation_id: str | None = None,
        attempted: threading.Event | None = None,
    ) -> None:
        if chosen.foreign_items:
            before, after = notices.foreign_items(call, chosen)
            items = [before, *items, after]
        for _ in range(chosen.copies):
            notice = Notice(
                about,
                notices.envelope(items),
                operation_id,
                lost=self._is_lost(chosen, key or about),
                tokens=chosen.callback_tokens,
                attempted=attempted,
            )
            late = chosen.late + (chosen.roster_late if about == "roster" else 0)
            self._postman.send(call, notice, late=late)
