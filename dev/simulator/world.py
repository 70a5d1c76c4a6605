"""Which calls there are and who is in them."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from dev.simulator.log import CallEntry, EventLog
from dev.simulator.options import Behaviour, Reporting
from dev.simulator.rosters import TYPE
from dev.simulator.scripts import Limits, MeetingOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev.simulator.calls import Call, Conversation, Operation
    from dev.simulator.meetings import Meeting, Meetings
    from dev.simulator.people import Identity, Participant
    from dev.simulator.reports import Reports

OTHER_PARTY_LEFT = (200, 4521, "The other party hung up")


class World:
    """Calls and people; every change happens under one lock and is reported before the lock is released."""

    def __init__(self, log: EventLog, reports: Reports, meetings: Meetings) -> None:
        self.lock = threading.RLock()
        self.calls: dict[str, Call] = {}
        self.people: dict[str, Behaviour] = {}
        self.behaviour = Behaviour()
        """What people do who have no behaviour of their own."""
        self.limits = Limits()
        self.meetings = meetings
        self.reports = reports
        self._log = log

    def forget(self) -> None:
        """Drop every call and everything known of people."""
        for call in self.calls.values():
            call.abandoned = True
        self.calls.clear()
        self.people.clear()
        self.meetings.forget()
        self.behaviour, self.limits = Behaviour(), Limits()
        self.reports.reset()

    def behaviour_of(self, call: Call, identity: Identity) -> Behaviour:
        """Return what a person does when called into ``call``."""
        return self.people.get(identity.key) or call.options.behaviour or self.behaviour

    def begin(self, call: Call) -> None:
        """Start a call with the people that its options name in it."""
        with self.lock:
            self.open(call)
            call.conversation.enter(call)
            joined = [self.add(call, identity) for identity in call.options.participants]
            if call.options.announce:
                self.reports.call_state(call, call.state)
                if joined:
                    self.reports.roster(call, joined)

    def open(self, call: Call, meeting: Meeting | None = None) -> None:
        """Register a call, may be a leg in ``meeting``; raises ValueError for an id that exists."""
        if call.id in self.calls:
            raise ValueError(f"id: the call {call.id} exists already")
        self.calls[call.id] = call
        if meeting is None:
            self.set_state(call, call.state)
            return
        is_duplicate = any(leg.meeting is meeting and not leg.has_ended for leg in self.calls.values())
        call.meeting, call.conversation = meeting, meeting.conversation
        self.set_state(call, call.state, thread_id=meeting.thread_id, is_duplicate=is_duplicate)

    def set_state(self, call: Call, state: str, **more: Any) -> None:
        """Change a call's state, and log it."""
        call.state = state
        self._log.add(
            CallEntry(number=self._log.number(), call_id=call.id, state=state, direction=call.direction, **more)
        )

    def grow(self, call: Call) -> None:
        """Make a one-to-one call a group call, with a thread of its own."""
        call.kind = "group"
        meeting = self.grown(call)
        joined_by = meeting.joined_by({TYPE: "#microsoft.graph.tokenMeetingInfo", "token": meeting.token})
        for shown in ({"chatInfo": joined_by["chatInfo"]}, joined_by):
            call.joined_by = shown
            self.reports.grown(call)

    def grown(self, call: Call) -> Meeting:
        """Return a meeting for a call that no one scheduled; its token joins it again."""
        options = MeetingOptions(thread_id=f"19:{uuid.uuid4()}", tenant_id=call.tenant_id)
        call.meeting = self.meetings.add(options, call.conversation)
        return call.meeting

    def add_meeting(self, options: MeetingOptions) -> Meeting:
        """Add a meeting with the people that its options name in it."""
        with self.lock:
            meeting = self.meetings.add(options)
            for identity in options.participants:
                someone = meeting.conversation.add(identity, meeting.tenant_id)
                self._describe(someone, options, self.people.get(identity.key) or self.behaviour)
                someone.is_unreported = options.earlier_people == "hidden"
            return meeting

    def add(self, call: Call, identity: Identity, *, is_ringing: bool = False) -> Participant:
        """Put a person on the roster of ``call``."""
        someone = call.conversation.add(identity, call.tenant_id, is_ringing=is_ringing)
        self._describe(someone, call.options, self.behaviour_of(call, identity))
        return someone

    def _describe(self, someone: Participant, options: Reporting, behaviour: Behaviour) -> None:
        """Note by which name, or how hidden, rosters show a person."""
        someone.hidden = Reporting.layered(self.reports.defaults, options, behaviour).hidden_identities
        someone.name, someone.is_unreported = behaviour.display_name, False

    def roster_changed(
        self, conversation: Conversation, changed: Iterable[Participant], *, reported_to: Call | None = None
    ) -> None:
        """Report the roster to every leg, except ``reported_to``, which has it already."""
        for leg in conversation.legs:
            is_own = leg.kind == "peerToPeer" and leg.options.managed
            if leg is not reported_to and leg.state == "established" and not is_own:
                self.reports.roster(leg, changed)

    def end(
        self,
        call: Call,
        result: tuple[int, int, str],
        *,
        bare: bool = False,
        announce: bool = True,
        forget: bool = True,
    ) -> None:
        """End a leg; others in a group call stay. ``bare`` reports no state and result, ``forget`` makes it 404."""
        with self.lock:
            if call.has_ended:
                return
            for operation in call.operations.values():
                self._stop(operation)
            code, subcode, _ = result
            call.forgotten = forget
            self.set_state(call, "terminated", code=code, subcode=subcode)
            conversation = call.conversation
            if call in conversation.legs:
                conversation.legs.remove(call)
            was_in = call.me in conversation.listed and conversation.leave(call.me)
            if call.kind == "peerToPeer":
                for someone in conversation.listed:
                    conversation.leave(someone)
            elif was_in:
                self.roster_changed(conversation, [call.me])
            if announce:
                self.reports.call_state(call, "terminated", result=result, bare=bare)

    def end_all(self, call: Call, *, announce: bool, forget: bool, report_pending: bool) -> None:
        """End a call for all people in it, with every leg of the app."""
        with self.lock:
            result = (200, 5001, "The conversation has ended")
            for leg in [*call.conversation.legs, call]:
                pending = [operation for operation in leg.operations.values() if operation.status == "running"]
                for operation in pending if report_pending else []:
                    self._stop(operation)
                    if not operation.when_ended:
                        self.reports.ended(operation)
                leg.conversation.legs.clear()
                self.end(leg, result, announce=announce, forget=forget)
            for someone in call.conversation.listed:
                call.conversation.leave(someone)

    def _stop(self, operation: Operation) -> None:
        """Stop calling everybody who has not answered yet."""
        if operation.status != "running":
            return
        for index in operation.waiting:
            self._log.change(operation.rings[index], outcome="callEnded", ended_at=time.time())
            if operation.entries[index].is_ringing:
                operation.call.conversation.leave(operation.entries[index])
        operation.waiting.clear()
        operation.status, operation.result = "failed", (404, 8522, "Call not found.")
        operation.reported.set()

    def join(self, call: Call, identity: Identity, *, in_lobby: bool) -> None:
        """Have a person join by themselves."""
        with self.lock:
            someone = self.add(call, identity, is_ringing=True)
            call.conversation.answer(someone, in_lobby=in_lobby)
            self.roster_changed(call.conversation, [someone])

    def admit(self, call: Call, someone: Participant) -> None:
        """Admit a person from the lobby."""
        with self.lock:
            if call.conversation.admit(someone):
                self.roster_changed(call.conversation, [someone])

    def leave(self, call: Call, someone: Participant) -> None:
        """Have a person leave; a one-to-one call ends with it."""
        with self.lock:
            if not call.conversation.leave(someone):
                return
            if call.kind == "peerToPeer":
                self.end(call, OTHER_PARTY_LEFT)
            else:
                self.roster_changed(call.conversation, [someone])
