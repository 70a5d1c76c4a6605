"""The rules by which requests, messages and crashes get along, each broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import domain.progress
import domain.waiting
import flows.delivery
import flows.progress
import flows.work
import invite.answers
import invite.service
import invite.subscription
from domain.invitation import Alarm, Asked, Late
from domain.waiting import PostResult
from flows.alarms import Alarms, Message
from storage.store import TableStore
from tests.fakes import MemoryTable
from tests.never_twice.outside import CALL

if TYPE_CHECKING:
    from datetime import datetime

    import pytest

    from domain.invitation import Invitation
    from domain.progress import Due, Run
    from domain.waiting import WaitingFlow
    from flows.turn import Turn

    Patch = pytest.MonkeyPatch


def post_before_201(patch: Patch) -> None:
    """A flow is POSTed at once, though its 201 follows."""
    patch.setattr(invite.service, "LISTENS_AFTER", timedelta(0))


def first_404_is_final(patch: Patch) -> None:
    """Every 404 ends the waiting."""
    posted = domain.waiting.posted
    patch.setattr(flows.delivery, "posted", lambda flow, *rest: posted(replace(flow, doubted=True), *rest))


def replace_drops_claim(patch: Patch) -> None:
    """A further subscription of the same run drops the claim of a POST in progress."""
    subscribe = invite.subscription.subscribe

    def dropping(invitation: Invitation, *rest: Any) -> Invitation:
        after = subscribe(invitation, *rest)
        return replace(after, flows=tuple(replace(flow, claim=None) for flow in after.flows))

    patch.setattr(invite.service, "subscribe", dropping)


def reopened_keeps_alarm(patch: Patch) -> None:
    """Who opens a closed invitation again sends no alarm."""
    needed = domain.progress.alarm_needed

    def unless_it_was_closed(*about: Any, was_open: bool | None) -> Due | None:
        return None if was_open is False else needed(*about, was_open=was_open)

    patch.setattr(flows.progress, "alarm_needed", unless_it_was_closed)


def loser_stops(patch: Patch) -> None:
    """Who loses a write, or its response, does nothing more."""
    update = TableStore.update

    def once(self: TableStore, call_id: str, needs: Any, change: Any, **more: Any) -> Any:
        tries: list[int] = []

        def changed(record: Any) -> Any:
            tries.append(1)
            return change(record) if len(tries) == 1 else record

        updated = update(self, call_id, needs, changed, **more)
        if len(tries) > 1:  # it finds a state in which it has nothing to do
            others = {
                key: replace(one, asked_by="another", flows=tuple(_of_another(flow) for flow in one.flows))
                for key, one in updated.after.invitations.items()
            }
            after = replace(updated.after, invitations=others)
            return replace(updated, after=after, held=replace(updated.held, record=after))
        return updated

    def _of_another(flow: WaitingFlow) -> WaitingFlow:
        return flow if flow.claim is None else replace(flow, claim=replace(flow.claim, owner="another"))

    patch.setattr(TableStore, "update", once)


def no_second_send(patch: Patch) -> None:
    """A message that was named late is not sent again."""
    patch.setattr(Alarms, "named", lambda *_: None)


def late_over_answer(patch: Patch) -> None:
    """``Late`` is written whatever another run has done meanwhile."""
    patch.setattr(invite.answers, "not_begun", lambda operation: replace(operation, state=Late()))
    apply = invite.answers.apply_answers
    patch.setattr(
        invite.service,
        "apply_answers",
        lambda invitation, me, *others, **named: apply(replace(invitation, asked_by=me), me, *others, **named),
    )


def no_claim(patch: Patch) -> None:
    """Claims are not looked at."""
    free = domain.waiting.WaitingFlow.may_be_claimed
    patch.setattr(
        domain.waiting.WaitingFlow,
        "may_be_claimed",
        lambda self, now, until: free(replace(self, claim=None), now, until=until),
    )


def claim_for_ever(patch: Patch) -> None:
    """Claims never end."""
    free = domain.waiting.WaitingFlow.may_be_claimed
    patch.setattr(
        domain.waiting.WaitingFlow,
        "may_be_claimed",
        lambda self, now, until: self.claim is None and free(self, now, until=until),
    )


def mark_before_post(patch: Patch) -> None:
    """The POST is marked as delivered, then sent."""
    post = flows.delivery.Delivery.post

    def first_mark(self: Any, turn: Turn, held: Any, invitation: Invitation, message_id: str) -> None:
        def mark(record: Any, now: datetime) -> Any:
            current = record.invitations[invitation.id]
            done = tuple(
                domain.waiting.posted(one, turn.me, PostResult(one.message_id, 200, now), now) for one in current.flows
            )
            return record.with_invitation(replace(current, flows=done))

        self._progress.save(turn, CALL, invite.service._needs(invitation.id), mark)
        post(self, turn, held, invitation, message_id)

    patch.setattr(flows.delivery.Delivery, "post", first_mark)


def name_before_send(patch: Patch) -> None:
    """The row names its alarm, then it is sent."""
    send, named = Alarms.send, Alarms.named
    unsent: list[tuple[Message, Any]] = []

    def collected(self: Alarms, kind: str, call_id: str, thing: str, due: Any) -> Any:
        message = Message(kind, call_id, thing, f"name {len(unsent)}", due.time, self._now())
        unsent.append((message, due.time))
        return Alarm(message.alarm, due.time), message

    def then_sent(self: Alarms, message: Message) -> None:
        send(self, message, message.time)
        named(self, message)

    patch.setattr(Alarms, "set", collected)
    patch.setattr(Alarms, "named", then_sent)


def no_successor(patch: Patch) -> None:
    """The message that the row names sends no successor."""
    needed = domain.progress.alarm_needed

    def unless_it_is_named(due: Due | None, run: Run, now: datetime, pending: Alarm, **more: Any) -> Due | None:
        is_named = run.alarm is not None and run.alarm == pending.name
        return None if is_named else needed(due, run, now, pending, **more)

    patch.setattr(flows.progress, "alarm_needed", unless_it_is_named)


def young_is_dropped(patch: Patch) -> None:
    """A message that no row names yet is dropped."""
    patch.setattr(flows.work, "YOUNG", timedelta(0))


def asks_again(patch: Patch) -> None:
    """A message asks Graph again where a killed request left no answer."""
    patch.setattr("flows.publish.asking_places", lambda invitation, _: _unanswered(invitation))
    patch.setattr(invite.service, "asking_places", lambda invitation, _: _unanswered(invitation))


def no_etag(patch: Patch) -> None:
    """The last write wins."""
    write = MemoryTable.write

    def overwriting(self: MemoryTable, group: Any) -> list[str]:
        return write(self, [replace(row, etag=None, is_new=False) for row in group])

    patch.setattr(MemoryTable, "write", overwriting)


def _unanswered(invitation: Invitation) -> list[int]:
    states = enumerate(one.state for one in invitation.operations)
    return [place for place, state in states if state == Asked(answered=False)]
