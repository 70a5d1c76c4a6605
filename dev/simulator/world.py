"""Which calls there are and who is in them."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING

from dev.simulator.log import CallEntry, EventLog
from dev.simulator.options import Behaviour, Reporting
from dev.simulator.people import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev.simulator.calls import Call, Conversation
    from dev.simulator.people import Participant
    from dev.simulator.reports import Reports


class World:
    """Calls and people; every change happens under one lock and is reported before the lock is released."""

    def __init__(self, log: EventLog, reports: Reports) -> None:
        self.lock = threading.RLock()
        self.calls: dict[str, Call] = {}
        self.people: dict[str, Behaviour] = {}
        self.behaviour = Behaviour()
        """What people do who have no behaviour of their own."""
        self.reports = reports
        self._log = log

    def forget(self) -> None:
        """Drop every call and everything known of people."""
        for call in self.calls.values():
            call.abandoned = True
        self.calls.clear()
        self.people.clear()
        self.behaviour = Behaviour()

    def behaviour_of(self, call: Call, identity: Identity) -> Behaviour:
        """Return what a person does when called into ``call``."""
        return self.people.get(identity.key) or call.options.behaviour or self.behaviour

    def begin(self, call: Call) -> None:
        """Start a call with the people that its options name in it."""
        with self.lock:
            if call.id in self.calls:
                raise ValueError(f"id: the call {call.id} exists already")
            self.calls[call.id] = call
            call.conversation.enter(call, _app(call))
            joined = [self.add(call, identity) for identity in call.options.participants]
            self._log.add(CallEntry(number=self._log.number(), call_id=call.id, state=call.state))
            if call.options.announce:
                self.reports.call_state(call, call.state)
                if joined:
                    self.reports.roster(call, joined)

    def add(self, call: Call, identity: Identity, *, is_ringing: bool = False) -> Participant:
        """Put a person on the roster of ``call``, by a name or hidden as the options say."""
        behaviour = self.behaviour_of(call, identity)
        someone = call.conversation.add(identity, call.tenant_id, is_ringing=is_ringing)
        someone.hidden = Reporting.layered(self.reports.defaults, call.options, behaviour).hidden_identities
        someone.name = behaviour.display_name
        return someone

    def roster_changed(
        self, conversation: Conversation, changed: Iterable[Participant], *, reported_to: Call | None = None
    ) -> None:
        """Report the roster to every leg, except ``reported_to``, which has it already."""
        for leg in conversation.legs:
            if leg is not reported_to and leg.state == "established":
                self.reports.roster(leg, changed)

    def end(self, call: Call, *, announce: bool, forget: bool, report_pending: bool) -> None:
        """End ``call``: people who are still being called are called no more."""
        with self.lock:
            if call.state == "terminated":
                return
            call.state, call.forgotten = "terminated", forget
            for operation in call.operations.values():
                if operation.status != "running":
                    continue
                for index in operation.waiting:
                    self._log.change(operation.rings[index], outcome="callEnded", ended_at=time.time())
                operation.waiting.clear()
                operation.status, operation.result = "failed", (404, 8522, "Call not found.")
                if report_pending:
                    self.reports.ended(operation)
                else:
                    operation.reported.set()
            for someone in call.conversation.listed:
                call.conversation.leave(someone)
            self._log.add(CallEntry(number=self._log.number(), call_id=call.id, state="terminated"))
            if announce:
                self.reports.call_state(call, "terminated")

    def leave(self, call: Call, identity_id: str) -> bool:
        """Have a person leave ``call``; return whether they were in it."""
        with self.lock:
            for someone in call.present:
                if someone.identity.key == identity_id.casefold() and call.conversation.leave(someone):
                    self.roster_changed(call.conversation, [someone])
                    return True
            return False


def _app(call: Call) -> Identity:
    """Return the identity that the roster shows the app with; a resource account has an id of its own."""
    kind = call.options.app
    own_id = call.client_id if kind == "application" else str(uuid.uuid5(uuid.NAMESPACE_URL, call.client_id))
    return Identity(kind, {"id": own_id, "displayName": f"28:{own_id}"})
