from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model import (
    CallState,
    Delivery,
    FlowCallback,
    Invitation,
    Invitee,
    KeyKind,
    Operation,
    Presence,
    ResultInfo,
    RosterEntry,
    Status,
    Verdict,
)
from storage import documents, rows

TEXTS = st.text(max_size=30)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NUMBERS = st.integers(-(2**53), 2**53)
RESULTS = st.none() | st.builds(ResultInfo, st.none() | NUMBERS, st.none() | NUMBERS, st.none() | TEXTS)
IDENTITIES = st.dictionaries(TEXTS, TEXTS, max_size=4).map(lambda members: {**members, "id": "x"})
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
OPERATIONS = st.builds(
    Operation,
    client_context=TEXTS,
    people=st.lists(st.integers(0, 49), max_size=5).map(tuple),
    status=st.sampled_from(Status),
    id=st.none() | TEXTS,
    result=RESULTS,
    verdict=st.none() | st.sampled_from(Verdict),
    refused=st.booleans(),
)
CALLBACKS = st.builds(
    FlowCallback,
    url=TEXTS,
    message_id=TEXTS,
    state=st.sampled_from(Delivery),
    attempts=st.integers(0, 20),
    last_attempt=st.none() | MOMENTS,
    last_status=st.none() | st.integers(100, 599),
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
    created=MOMENTS,
    updated=MOMENTS,
    asked=MOMENTS,
    token=TEXTS,
    watch=TEXTS,
    check_due=MOMENTS,
    callback=st.none() | CALLBACKS,
)
ENTRIES = st.builds(
    RosterEntry,
    key=TEXTS,
    kind=TEXTS,
    identity=st.dictionaries(TEXTS, TEXTS, max_size=3),
    id=st.none() | TEXTS,
    presence=st.sampled_from(Presence),
    is_muted=st.none() | st.booleans(),
    joined=MOMENTS,
    left=st.none() | MOMENTS,
    sequence=st.none() | NUMBERS,
)
CALLS = st.builds(
    CallState,
    call_id=TEXTS,
    created=MOMENTS,
    updated=MOMENTS,
    state=st.none() | TEXTS,
    result=RESULTS,
    roster_sequence=st.none() | NUMBERS,
    presence=st.dictionaries(TEXTS, st.sampled_from(Presence), max_size=5),
)


def _through_json(document: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(document))
    return content


@settings(deadline=None)
@given(INVITATIONS)
def test_an_invitation_comes_back_as_it_was(invitation: Invitation) -> None:
    """Whatever an invitation holds is kept, to the microsecond and to the last odd character."""
    assert documents.read_invitation(_through_json(documents.invitation_document(invitation))) == invitation
    assert documents.read_invitation(rows.document_of(rows.invitation_entity(invitation))) == invitation


@settings(deadline=None)
@given(ENTRIES)
def test_a_roster_entry_comes_back_as_it_was(entry: RosterEntry) -> None:
    """Whatever is known of somebody in a call is kept."""
    assert documents.read_roster_entry(_through_json(documents.roster_document(entry))) == entry
    assert documents.read_roster_entry(rows.document_of(rows.roster_entity("call", entry))) == entry


@settings(deadline=None)
@given(CALLS)
def test_a_call_comes_back_as_it_was(call: CallState) -> None:
    """Whatever is known of a call is kept, everybody's presence included."""
    assert documents.read_call(_through_json(documents.call_document(call))) == call
    assert documents.read_call(rows.document_of(rows.call_entity(call))) == call


def test_every_presence_has_a_letter_of_its_own() -> None:
    """No two presences are mixed up by being written short."""
    everybody = {presence.value: presence for presence in Presence}
    call = CallState("call", datetime.now(UTC), datetime.now(UTC), presence=everybody)
    letters = documents.call_document(call)["presence"]
    assert len(set(letters.values())) == len(Presence)
    assert {len(letter) for letter in letters.values()} == {1}
