"""Any value that the documents hold, for hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from domain.call import Call, CallState, Presence
from domain.invitation import (
    Alarm,
    Asked,
    Decider,
    Ended,
    Invitation,
    Invitee,
    KeyKind,
    Late,
    Operation,
    Refused,
    Status,
)
from domain.results import ResultInfo
from domain.roster import RosterEntry
from domain.waiting import Claim, Delivery, WaitingFlow

TEXTS = st.text(max_size=30)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - a zone is added
NUMBERS = st.integers(-(2**53), 2**53)
RESULTS = st.builds(ResultInfo, st.none() | NUMBERS, st.none() | NUMBERS, st.none() | TEXTS)
IDENTITIES = st.dictionaries(TEXTS, TEXTS, max_size=4).map(lambda members: {**members, "id": "x"})
PEOPLE = st.lists(st.integers(0, 49), max_size=5).map(tuple)
INVITEES = st.builds(
    Invitee,
    kind=TEXTS,
    identity=IDENTITIES,
    replaces_call_id=st.none() | TEXTS,
    participant_id=st.none() | TEXTS,
    hidden=st.none() | st.booleans(),
    remove_from_default_audio_routing_group=st.none() | st.booleans(),
    identity_set_type=st.none() | TEXTS,
)
STATES = st.one_of(
    st.just(Late()),
    st.builds(Asked, st.booleans()),
    st.builds(Refused, RESULTS, st.booleans()),
    st.builds(
        Ended,
        status=st.sampled_from([Status.COMPLETED, Status.FAILED]),
        result=st.none() | RESULTS,
        by=st.sampled_from([Decider.GRAPH, Decider.WATCHDOG]),
        at=TIMES,
        seen=st.none() | PEOPLE,
    ),
)
OPERATIONS = st.builds(Operation, client_context=TEXTS, people=PEOPLE, state=STATES, id=st.none() | TEXTS)
FLOWS = st.builds(
    WaitingFlow,
    url=TEXTS,
    message_id=TEXTS,
    state=st.sampled_from(Delivery),
    token=st.none() | TEXTS,
    run_id=st.none() | TEXTS,
    subscribed=st.none() | TIMES,
    attempts=st.integers(0, 20),
    last_attempt=st.none() | TIMES,
    last_status=st.none() | st.integers(100, 599),
    not_before=st.none() | TIMES,
    claim=st.none() | st.builds(Claim, TEXTS, TIMES),
    doubted=st.booleans(),
    was_cut=st.booleans(),
)
INVITATIONS = st.builds(
    Invitation,
    id=TEXTS,
    call_id=TEXTS,
    client_context=TEXTS,
    key_kind=st.sampled_from(KeyKind),
    fingerprint=TEXTS,
    participants=st.lists(INVITEES, max_size=3).map(tuple),
    operations=st.lists(OPERATIONS, min_size=1, max_size=3).map(tuple),
    created=TIMES,
    updated=TIMES,
    asked=TIMES,
    asked_by=TEXTS,
    token=TEXTS,
    alarm=st.builds(Alarm, TEXTS, TIMES),
    watch_at=TIMES,
    flows=st.lists(FLOWS, max_size=3).map(tuple),
)
ENTRIES = st.builds(
    RosterEntry,
    key=TEXTS,
    kind=TEXTS,
    identity=st.dictionaries(TEXTS, TEXTS, max_size=3),
    id=st.none() | TEXTS,
    presence=st.sampled_from(Presence),
    is_muted=st.none() | st.booleans(),
    joined=TIMES,
    left=st.none() | TIMES,
    sequence=st.none() | NUMBERS,
    was_in=st.booleans(),
)
CALLS = st.builds(
    Call,
    call_id=TEXTS,
    created=TIMES,
    updated=TIMES,
    state=st.sampled_from(CallState),
    result=st.none() | RESULTS,
    roster_sequence=st.none() | NUMBERS,
    roster_at=st.none() | TIMES,
    hides_identities=st.booleans(),
    presence=st.dictionaries(TEXTS, st.sampled_from(Presence), max_size=5),
    shown=st.dictionaries(TEXTS, TIMES.map(lambda time: time.replace(microsecond=250_000)), max_size=5),
    settling=st.lists(TEXTS, max_size=3).map(tuple),
)
