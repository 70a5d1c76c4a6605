"""Who is in which call, who is being rung, and what then happens to them."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dev.simulator.calls import Call, Operation
from dev.simulator.log import CallEntry, EventLog, RingEntry
from dev.simulator.options import Behaviour, Reporting

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulator.invitations import Invitation
    from dev.simulator.people import Identity, Invitee, Participant
    from dev.simulator.reports import Reports
    from dev.simulator.schedule import Schedule

_OUTCOMES = {
    "answers": "answered",
    "lobby": "inLobby",
    "declines": "declined",
    "ringsOut": "rangOut",
    "busy": "busy",
    "fails": "failed",
}


class World:
    """Calls and people; every change happens under one lock and is reported before the lock is let go."""

    def __init__(self, log: EventLog, schedule: Schedule, reports: Reports) -> None:
        self.lock = threading.RLock()
        self.calls: dict[str, Call] = {}
        self.people: dict[str, Behaviour] = {}
        self.behaviour = Behaviour()
        """What people do of whom nothing else is known."""
        self.reports = reports
        self._log = log
        self._schedule = schedule

    def forget(self) -> None:
        """Drop every call and everything known of people."""
        for call in self.calls.values():
            call.abandoned = True
        self.calls.clear()
        self.people.clear()
        self.behaviour = Behaviour()

    def begin(self, call: Call) -> None:
        """Start a call with the people that its options name in it."""
        with self.lock:
            if call.id in self.calls:
                raise ValueError(f"id: the call {call.id} exists already")
            self.calls[call.id] = call
            joined = [call.join(identity) for identity in call.options.participants]
            self._log.add(CallEntry(number=self._log.number(), call_id=call.id, state=call.state))
            if call.options.announce:
                self.reports.call_state(call, call.state)
                if joined:
                    self.reports.roster(call, joined)

    def end(self, call: Call, *, announce: bool, forget: bool, report_pending: bool) -> None:
        """End ``call``: whoever is being rung is rung no more."""
        with self.lock:
            if call.state == "terminated":
                return
            call.state, call.forgotten = "terminated", forget
            for someone in call.present:
                call.leave(someone)
            self._log.add(CallEntry(number=self._log.number(), call_id=call.id, state="terminated"))
            for operation in call.operations.values():
                if operation.status != "running":
                    continue
                for position in operation.waiting:
                    self._log.change(operation.rings[position], outcome="callEnded", ended_at=time.time())
                operation.waiting.clear()
                operation.status, operation.result = "failed", (404, 8522, "Call not found.")
                if report_pending:
                    self.reports.ended(operation)
                else:
                    operation.reported.set()
            if announce:
                self.reports.call_state(call, "terminated")

    def leave(self, call: Call, identity_id: str) -> bool:
        """Have somebody leave ``call``; say whether they were in it."""
        with self.lock:
            for someone in call.present:
                if someone.identity.key == identity_id.casefold() and call.leave(someone):
                    self.reports.roster(call, [someone])
                    return True
            return False

    def take(self, call: Call, invitation: Invitation, fault: Reporting | None) -> Operation:
        """Take an invite: from here on people are rung, whatever the caller gets to hear."""
        with self.lock:
            behaviours = [self._behaviour(call, invitee) for invitee in invitation.people]
            layers = [self.reports.defaults, call.options, *behaviours, *([fault] if fault else [])]
            operation = Operation(
                str(uuid.uuid4()),
                call,
                invitation.people,
                invitation.client_context,
                Reporting.layered(*layers),
                waiting=set(range(len(invitation.people))),
            )
            call.operations[operation.id] = operation
            in_answer = (operation.reporting.response_status or "").casefold()
            if in_answer == "failed":
                # Failed in its answer: nobody is rung and nothing is reported.
                operation.status = "failed"
                operation.waiting.clear()
                operation.reported.set()
                return operation
            for position, invitee in enumerate(invitation.people):
                operation.rings[position] = self._log.add(
                    RingEntry(
                        number=self._log.number(),
                        call_id=call.id,
                        person=invitee.identity.id,
                        client_context=invitation.client_context,
                        operation_id=operation.id,
                    )
                )
            if in_answer == "completed":
                for position in range(len(invitation.people)):
                    self._end_ringing(operation, position, Behaviour())
                return operation
            if operation.reporting.running == "first":
                self.reports.running(operation)
            for position, behaviour in enumerate(behaviours):
                self._schedule.after(behaviour.delay, partial(self._end_ringing, operation, position, behaviour))
            return operation

    def _behaviour(self, call: Call, invitee: Invitee) -> Behaviour:
        return self.people.get(invitee.identity.key) or call.options.behaviour or self.behaviour

    def _end_ringing(self, operation: Operation, position: int, behaviour: Behaviour) -> None:
        with self.lock:
            if position not in operation.waiting:
                return
            operation.waiting.discard(position)
            self._log.change(operation.rings[position], outcome=_OUTCOMES[behaviour.outcome], ended_at=time.time())
            call, invitee = operation.call, operation.people[position]
            if failure := behaviour.failure:
                operation.failures[position] = _result(invitee.identity, failure)
            else:
                someone = self._join(operation, invitee, behaviour)
                if operation.waiting:
                    # Others still ring; who is in the call already shows on its roster.
                    self.reports.roster(call, [someone])
            if not operation.waiting:
                self._end(operation)

    def _join(self, operation: Operation, invitee: Invitee, behaviour: Behaviour) -> Participant:
        call, identity = operation.call, invitee.identity
        if invitee.participant_id is not None:
            # Who is moved is known to Graph with their tenant.
            members = {"tenantId": call.tenant_id, **identity.members}
            identity = replace(identity, members=members)
        someone = call.join(identity, in_lobby=behaviour.outcome == "lobby")
        operation.joined.append(someone)
        if behaviour.admitted_after is not None:
            self._schedule.after(behaviour.admitted_after, lambda: self._change(call, someone, Call.admit))
        if behaviour.leaves_after is not None:
            self._schedule.after(behaviour.leaves_after, lambda: self._change(call, someone, Call.leave))
        self._take_out_of_replaced(invitee)
        return someone

    def _take_out_of_replaced(self, invitee: Invitee) -> None:
        """A call of two is dropped once its other party is in the new one; a meeting only loses them."""
        replaced = self.calls.get(invitee.replaces_call_id or "")
        if replaced is None:
            return
        if replaced.options.kind == "peerToPeer":
            self.end(replaced, announce=True, forget=True, report_pending=False)
        else:
            self.leave(replaced, invitee.identity.id)

    def _change(self, call: Call, someone: Participant, change: Callable[[Call, Participant], bool]) -> None:
        with self.lock:
            if change(call, someone):
                self.reports.roster(call, [someone])

    def _end(self, operation: Operation) -> None:
        call = operation.call
        failed = bool(operation.failures) and (call.options.mixed == "failed" or not operation.joined)
        operation.status = "failed" if failed else "completed"
        if failed:
            # There is one result for all; nothing documents whose it is.
            operation.result = operation.failures[min(operation.failures)]
        if (operation.reporting.response_status or "").casefold() == "completed":
            # Completed in its answer: only the roster is reported.
            operation.reported.set()
            self.reports.roster(call, operation.joined)
            return
        self.reports.ended(operation)


def _result(identity: Identity, failure: tuple[int, int, str]) -> tuple[int, int, str]:
    """Return a failure with its message in the form seen in the wild: it holds the person's own id."""
    code, subcode, reason = failure
    message = (
        f"addParticipants failed for participant {identity.mri}. Underlying reason: {reason}. "
        f"DiagCode: {code}#{subcode}.@"
    )
    return code, subcode, message
