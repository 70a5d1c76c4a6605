"""Invitations: who is being called into a call, and what then happens to them."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dev.simulator.calls import Operation
from dev.simulator.log import EventLog, RingEntry
from dev.simulator.options import Behaviour, Reporting
from dev.simulator.world import OTHER_PARTY_LEFT

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulator.calls import Call, Conversation
    from dev.simulator.invitations import Invitation
    from dev.simulator.people import Identity, Invitee, Participant
    from dev.simulator.schedule import Schedule
    from dev.simulator.world import World

_OUTCOMES = {
    "answers": "answered",
    "lobby": "inLobby",
    "declines": "declined",
    "ringsOut": "rangOut",
    "busy": "busy",
    "fails": "failed",
}
# 8542 is the code for canceled in the list that FAILURES names.
_CANCELLED = (487, 8542, "Canceled")


class Invitations:
    """Calls people into calls; everything happens under the world's lock."""

    def __init__(self, log: EventLog, schedule: Schedule, world: World) -> None:
        self._log = log
        self._schedule = schedule
        self._world = world

    def take(
        self,
        call: Call,
        invitation: Invitation,
        fault: Reporting | None,
        when_ended: Callable[[Operation], None] | None = None,
    ) -> Operation:
        """Accept an invite: from here on people are called, whatever the response will be.

        With ``when_ended`` they are the targets of a call that the app created, for whom there is no operation.
        """
        with self._world.lock:
            behaviours = [self._world.behaviour_of(call, invitee.identity) for invitee in invitation.people]
            layers = [self._world.reports.defaults, call.options, *behaviours, *([fault] if fault else [])]
            operation = Operation(
                str(uuid.uuid4()),
                call,
                invitation.people,
                invitation.client_context,
                Reporting.layered(*layers),
                when_ended,
                waiting=set(range(len(invitation.people))),
            )
            call.operations[operation.id] = operation
            in_response = "" if when_ended else (operation.reporting.response_status or "").casefold()
            if in_response == "failed":
                # Failed in its response: no one is called and nothing is reported.
                operation.status = "failed"
                operation.waiting.clear()
                operation.reported.set()
                return operation
            for index, invitee in enumerate(invitation.people):
                self._ring(operation, index, invitee)
            if in_response == "completed":
                for index in range(len(invitation.people)):
                    self._end_ringing(operation, index, Behaviour())
                return operation
            if operation.reporting.ringing == "reported":
                self._world.roster_changed(call.conversation, operation.entries.values())
            if operation.reporting.running == "first" and not when_ended:
                self._world.reports.running(operation)
            for index, behaviour in enumerate(behaviours):
                self._schedule.after(behaviour.delay, partial(self._end_ringing, operation, index, behaviour))
            return operation

    def _ring(self, operation: Operation, index: int, invitee: Invitee) -> None:
        call, identity = operation.call, invitee.identity
        if invitee.participant_id is not None:
            # Graph knows the tenant of a person who is moved.
            identity = replace(identity, members={"tenantId": call.tenant_id, **identity.members})
        operation.entries[index] = self._world.add(call, identity, is_ringing=True)
        operation.rings[index] = self._log.add(
            RingEntry(
                number=self._log.number(),
                call_id=call.id,
                person=identity.id,
                client_context=operation.client_context,
                operation_id=None if operation.when_ended else operation.id,
            )
        )

    def _end_ringing(self, operation: Operation, index: int, behaviour: Behaviour) -> None:
        with self._world.lock:
            if index not in operation.waiting:
                return
            operation.waiting.discard(index)
            self._log.change(operation.rings[index], outcome=_OUTCOMES[behaviour.outcome], ended_at=time.time())
            if failure := behaviour.failure:
                self._fail(operation, index, failure)
            else:
                self._join(operation, index, behaviour)
            if not operation.waiting:
                self._end(operation)

    def cancel(self, conversation: Conversation, someone: Participant) -> None:
        """Stop calling a person; Graph reports it as a failure of the operation."""
        for call in [call for call in self._world.calls.values() if call.conversation is conversation]:
            for operation in call.operations.values():
                for index in [index for index in operation.waiting if operation.entries[index] is someone]:
                    operation.waiting.discard(index)
                    self._log.change(operation.rings[index], outcome="cancelled", ended_at=time.time())
                    self._fail(operation, index, _CANCELLED)
                    if not operation.waiting:
                        self._end(operation)

    def _fail(self, operation: Operation, index: int, failure: tuple[int, int, str]) -> None:
        conversation, someone = operation.call.conversation, operation.entries[index]
        operation.failures[index] = _result(operation.people[index].identity, failure, operation)
        if someone.is_ringing and conversation.leave(someone) and operation.reporting.ringing == "reported":
            self._world.roster_changed(conversation, [someone])

    def _join(self, operation: Operation, index: int, behaviour: Behaviour) -> None:
        call, someone = operation.call, operation.entries[index]
        conversation = call.conversation
        if someone.removed:
            # Another invitation of the same person has ended meanwhile.
            someone = self._world.add(call, someone.identity, is_ringing=True)
        conversation.answer(someone, in_lobby=behaviour.outcome == "lobby")
        operation.joined.append(someone)
        if behaviour.admitted_after is not None:
            self._schedule.after(behaviour.admitted_after, partial(self._world.admit, call, someone))
        if behaviour.leaves_after is not None:
            self._schedule.after(behaviour.leaves_after, partial(self._world.leave, call, someone))
        self._take_out_of_replaced(operation.people[index])
        if call.kind == "peerToPeer" and call.options.grows and not operation.when_ended:
            self._world.grow(call)
        # While others are still being called, the roster shows already who joined; else it comes with the end.
        early = operation.reporting.early_roster if operation.waiting else bool(operation.when_ended)
        self._world.roster_changed(conversation, [someone], reported_to=None if early else call)

    def _take_out_of_replaced(self, invitee: Invitee) -> None:
        """A one-to-one call ends once its other party is in the new one; a meeting only loses them."""
        replaced = self._world.calls.get(invitee.replaces_call_id or "")
        if replaced and replaced.kind == "peerToPeer":
            self._world.end(replaced, OTHER_PARTY_LEFT)
        elif replaced and (someone := replaced.conversation.find(invitee.identity.key)):
            self._world.leave(replaced, someone)

    def _end(self, operation: Operation) -> None:
        call = operation.call
        failed = bool(operation.failures) and (operation.reporting.mixed == "failed" or not operation.joined)
        operation.status = "failed" if failed else "completed"
        if failed:
            # There is one result for all; whose it is isn't documented.
            operation.result = operation.failures[min(operation.failures)]
        if operation.when_ended:
            operation.when_ended(operation)
            return
        if (operation.reporting.response_status or "").casefold() == "completed":
            # Completed in its response: only the roster is reported.
            operation.reported.set()
            self._world.reports.roster(call, operation.joined)
            return
        self._world.reports.ended(operation)


def _result(identity: Identity, failure: tuple[int, int, str], operation: Operation) -> tuple[int, int, str]:
    """Return a failure with its message as users have reported it: it holds the person's own id."""
    code, subcode, reason = failure
    if operation.when_ended:
        return failure
    message = (
        f"addParticipants failed for participant {identity.mri}. Underlying reason: {reason}. "
        f"DiagCode: {code}#{subcode}.@"
    )
    return code, subcode, message
