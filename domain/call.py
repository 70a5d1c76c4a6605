"""A call as Graph last reported it: its state, how it ended, and who was seen in it.

    unknown ──▶ establishing ──▶ established ──▶ terminating ──▶ terminated

Reports may come in any order, so a state never goes back; a call that has terminated stays so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.invitation import Alarm, Invitee
    from domain.results import ResultInfo


class CallState(StrEnum):
    """The states of a call, in the order in which a call goes through them."""

    UNKNOWN = "unknown"
    ESTABLISHING = "establishing"
    ESTABLISHED = "established"
    TERMINATING = "terminating"
    TERMINATED = "terminated"


_WAS_IN = frozenset({"inCall", "left"})
_ORDER = {state: index for index, state in enumerate(CallState)}
_EARLY = frozenset({"incoming", "establishing", "ringing"})


def call_state(name: str | None) -> CallState:
    """Read Graph's name of a state, in any letter case; its other live states count as established.

    Source: https://learn.microsoft.com/graph/api/resources/call, ``callState``.
    """
    folded = (name or "").casefold()
    if not folded:
        return CallState.UNKNOWN
    if folded in _EARLY:
        return CallState.ESTABLISHING
    return CallState(folded) if folded in set(CallState) else CallState.ESTABLISHED


class CallKind(StrEnum):
    """What kind of call the app has started."""

    MEETING = "meeting"
    ONE_TO_ONE = "oneToOne"
    GROUP = "group"


class Presence(StrEnum):
    """Whether a person is in the call, by the roster; the strongest of several endpoints counts."""

    UNKNOWN = "unknown"
    LEFT = "left"
    IN_LOBBY = "inLobby"
    IN_CALL = "inCall"

    @property
    def has_answered(self) -> bool:
        """Whether the person is, or was, in the call, or waits in its lobby."""
        return self is not Presence.UNKNOWN


@dataclass(frozen=True, slots=True)
class Call:
    """A call as Graph last reported it."""

    call_id: str
    created: datetime
    updated: datetime
    state: CallState = CallState.UNKNOWN
    result: ResultInfo | None = None
    roster_sequence: int | None = None
    """The highest ``rosterSequenceNumber`` of the roster that counts."""
    roster_at: datetime | None = None
    """When a roster, or a change of it, was last reported."""
    hides_identities: bool = False
    """Whether the roster has entries without an identity, so that absence from it proves nothing."""
    presence: Mapping[str, Presence] = field(default_factory=dict)
    """Presence by hash of identity id, so that reading an invitation needs no roster."""
    shown: Mapping[str, datetime] = field(default_factory=dict)
    """When a roster last showed each person in the call or its lobby, by the same hash."""
    settling: tuple[str, ...] = ()
    """Invitations with an operation that the next roster settles."""
    kind: CallKind | None = None
    """What kind of call the app has started; None for calls of others."""
    direction: str | None = None
    subject: str | None = None
    start_id: str | None = None
    """The start that made it."""
    starts: tuple[str, ...] = ()
    """The open starts on this leg."""
    escalations: tuple[str, ...] = ()
    """The open escalations."""
    escalated: tuple[str, ...] = ()
    """Escalations that are over, and of which people may still join."""
    target: str | None = None
    """The identity hash of the only other person of a one-to-one call, which has no roster."""
    target_person: Invitee | None = None
    """That person."""
    called: tuple[Invitee, ...] = ()
    """The people of a group call whom the create itself called; they have no invitation."""
    leave_afterwards: bool = False
    """Whether the latest start wants the app to leave when nothing on this leg is open any more."""
    leg_keys: tuple[str, ...] = ()
    """The meeting's keys, free again when the call ends."""
    my_participant_id: str | None = None
    established_at: datetime | None = None
    ended_at: datetime | None = None
    alarm: Alarm | None = None
    """The message that keeps the call alive."""
    page_token: str | None = None
    """Random; opens the page of this call."""
    details: int = 0
    """How many times somebody was seen to join, leave or wait, for ``domain.timeline``."""

    @property
    def has_ended(self) -> bool:
        """Whether the call is over."""
        return self.state is CallState.TERMINATED


def reported(call: Call, state: CallState, result: ResultInfo | None, now: datetime) -> Call:
    """Return the call after Graph reported a state; the end of a call is kept as it was first reported."""
    if call.has_ended:
        # An end that this app concluded itself still gets Graph's codes.
        return replace(call, result=result) if call.result is None and result is not None else call
    later = max(call.state, state, key=_ORDER.__getitem__)
    call = replace(call, state=later, result=result or call.result, updated=now)
    if state is CallState.ESTABLISHED and call.established_at is None:
        call = replace(call, established_at=now)
    call = with_target_present(call, now)
    if later is CallState.TERMINATED:
        call = everybody_left(replace(call, ended_at=now, alarm=None))
    return call


def everybody_left(call: Call) -> Call:
    """Return a call that everybody in it has left."""
    presence = {name: Presence.LEFT if one in _WAS_IN else Presence.UNKNOWN for name, one in call.presence.items()}
    return replace(call, presence=presence)


def with_target_present(call: Call, now: datetime) -> Call:
    """Return a one-to-one call with its other person present since it was established; it has no roster."""
    if call.target is None or call.established_at is None or call.has_ended or call.roster_at is not None:
        return call
    if call.presence.get(call.target) is Presence.IN_CALL:
        return call
    return replace(call, presence={call.target: Presence.IN_CALL}, shown={call.target: now})


def title(call: Call) -> str:
    """Return what a person picks a call by: its subject, else what it is and when it began."""
    if call.subject:
        return call.subject
    what = {CallKind.MEETING: "Meeting", CallKind.ONE_TO_ONE: "One-to-one call", CallKind.GROUP: "Group call"}
    name = what[call.kind] if call.kind is not None else "Call"
    return f"{name}, {call.created:%Y-%m-%d %H:%M} UTC"
