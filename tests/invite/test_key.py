"""What makes two requests the same invitation."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.invitation import Invitee, KeyKind
from invite.key import Key, differences, fingerprint_of, key_of
from tests.invite.bodies import GUID, body, guid, people, person, phone

ALICE = people(body(person(1)))
BOB = people(body(person(2)))
FLOW = {"x-ms-workflow-run-id": "run", "x-ms-workflow-operation-name": "Invite"}
EVERY_KEY = {"idempotency-key": "k1", "repeatability-request-id": "k2", **FLOW}


def _without(*names: str) -> dict[str, str]:
    return {name: value for name, value in EVERY_KEY.items() if name not in names}


def test_first_key_counts() -> None:
    """``clientContext`` comes before the two headers for repeats, those before the flow's own."""
    assert key_of("mine", EVERY_KEY, ALICE).kind is KeyKind.CLIENT_CONTEXT
    assert key_of(None, EVERY_KEY, ALICE).kind is KeyKind.IDEMPOTENCY_KEY
    assert key_of(None, _without("idempotency-key"), ALICE).kind is KeyKind.REPEATABILITY
    assert key_of(None, FLOW, ALICE).kind is KeyKind.FLOW
    assert key_of(None, {}, ALICE).kind is KeyKind.FRESH


@pytest.mark.parametrize("name", ["idempotency-key", "repeatability-request-id"])
@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_key(name: str, blank: str) -> None:
    """A header left blank does not make all invitations the same."""
    assert key_of(None, {name: blank}, ALICE).kind is KeyKind.FRESH
    assert key_of(None, {"idempotency-key": '""', **FLOW}, ALICE).kind is KeyKind.FLOW


@pytest.mark.parametrize("name", sorted(FLOW))
def test_half_of_a_flows_headers(name: str) -> None:
    """A run alone would make all its invitations the same, so both headers are needed."""
    assert key_of(None, {**FLOW, name: " "}, ALICE).kind is KeyKind.FRESH


@pytest.mark.parametrize("given_", ["abc", '"abc"', ' "abc" ', " abc", '" abc "'])
def test_quotes(given_: str) -> None:
    """The header is accepted as the standard writes it, with quotes, and as makers type it, without."""
    assert key_of(None, {"idempotency-key": given_}, ALICE) == key_of(None, {"idempotency-key": "abc"}, ALICE)


@pytest.mark.parametrize(("given_", "value"), [('"', '"'), ('"a', '"a'), ('a"', 'a"'), (r'"a\"b\\c"', r'a"b\c')])
def test_odd_quotes(given_: str, value: str) -> None:
    """A key with a stray quote is a key all the same; escaped quotes are read as the standard says."""
    assert key_of(None, {"idempotency-key": given_}, ALICE).value == value


def test_callers_own_context() -> None:
    """What the caller sent as ``clientContext`` is what Graph gets, at every attempt."""
    key = key_of("order 66", {}, ALICE)
    assert key.client_context("call", 1) == key.client_context("other", 2) == "order 66"


def test_derived_context() -> None:
    """Two instances that see the same key give Graph the same context, after every restart."""
    key = Key(KeyKind.IDEMPOTENCY_KEY, "k", "f")
    assert key.client_context("call", 1) == "d0db7784-68d1-5edf-bf55-90f95e582829"
    assert str(uuid.UUID(key.client_context("call", 1))) == key.client_context("call", 1)


def test_derived_contexts_differ() -> None:
    """No two invitations share a context by accident, whatever they have in common."""
    variants = [
        Key(kind, value, fingerprint).client_context(call, attempt)
        for kind in KeyKind
        if kind is not KeyKind.CLIENT_CONTEXT
        for value in ("k", "k2", "", '["k"]')
        for call in ("call", "call2")
        for attempt in (1, 2, 11)
        for fingerprint in ("f",)
    ]
    assert len(set(variants)) == len(variants)


@settings(deadline=None)
@given(*[st.text() for _ in range(4)])
def test_call_and_key_are_separate(call: str, value: str, other_call: str, other_value: str) -> None:
    """Call and key can hold anything: only the same two give the same context."""
    one = Key(KeyKind.REPEATABILITY, value, "f").client_context(call, 1)
    other = Key(KeyKind.REPEATABILITY, other_value, "f").client_context(other_call, 1)
    assert (one == other) == ((call, value) == (other_call, other_value))


@settings(deadline=None)
@given(*[st.text(min_size=1) for _ in range(4)])
def test_run_and_action_are_separate(run: str, action: str, other_run: str, other_action: str) -> None:
    """Actions in different runs have different keys, whatever their names."""

    def key(run_id: str, name: str) -> str:
        headers = {"x-ms-workflow-run-id": f"a{run_id}a", "x-ms-workflow-operation-name": f"a{name}a"}
        return key_of(None, headers, ALICE).value

    assert (key(run, action) == key(other_run, other_action)) == ((run, action) == (other_run, other_action))


def test_explicit_key_with_another_body() -> None:
    """The same key with other people leads to the same invitation, so that the difference is noticed."""
    for headers in ({"idempotency-key": "k"}, {"repeatability-request-id": "k"}):
        one, other = key_of(None, headers, ALICE), key_of(None, headers, BOB)
        assert one.client_context("call", 1) == other.client_context("call", 1)
        assert one.fingerprint != other.fingerprint


def test_rounds_of_a_loop() -> None:
    """All rounds of *Apply to each* share run and action: other people make another invitation, the same don't."""
    one, other = key_of(None, FLOW, ALICE), key_of(None, FLOW, BOB)
    assert one.client_context("call", 1) != other.client_context("call", 1)
    assert one.client_context("call", 1) == key_of(None, FLOW, people(body(person(1)))).client_context("call", 1)


def test_no_key() -> None:
    """A caller who names no key never meets an older invitation."""
    one, other = key_of(None, {}, ALICE), key_of(None, {}, ALICE)
    assert one.client_context("call", 1) != other.client_context("call", 1)


@pytest.mark.parametrize(
    "same",
    [
        '{"participants": [{"identity": {"user": {"id": "ID", "displayName": "A"}}, "hidden": true}]}',
        '{"participants": [{"hidden": true, "identity": {"user": {"displayName": "A", "id": "ID"}}}]}',
        """{"participants": [{"hidden": true, "participantId": "", "identity": {"phone": null,
        "user": {"displayName": "A", "id": "ID", "email": ""}}}], "clientContext": null}""",
        """{"participants": [{"@odata.type": "#microsoft.graph.invitationParticipantInfo", "hidden": true, "identity":
        {"@odata.type": "#microsoft.graph.communicationsIdentitySet", "user":
        {"@odata.type": "#microsoft.graph.communicationsUserIdentity", "displayName": "A", "id": "ID"}}}]}""",
    ],
)
def test_what_does_not_count(same: str) -> None:
    """A repeat that differs only in order, ``@odata.type``, ``displayName`` or blanks is a repeat."""
    plain = people({"participants": [{"identity": {"user": {"id": GUID, "displayName": "B"}}, "hidden": True}]})
    repeat = people(same.replace("ID", GUID).encode())
    assert fingerprint_of(repeat) == fingerprint_of(plain)
    assert differences(plain, repeat) == []


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    (body(person(1)), ["participants (their number)"]),
    (body(phone(), person(2)), ["participants[0].identity"]),
    (body(person(3), person(2)), ["participants[0].identity.user.id"]),
    (body(person(2), person(1)), ["participants[0].identity.user.id", "participants[1].identity.user.id"]),
    (body(person(1, hidden=True), person(2)), ["participants[0].hidden"]),
    (body(person(1), person(2, replacesCallId="c")), ["participants[1].replacesCallId"]),
    (body(person(1), person(2, participantId="p")), ["participants[1].participantId"]),
    (
        body(person(1), person(2, removeFromDefaultAudioRoutingGroup=False)),
        ["participants[1].removeFromDefaultAudioRoutingGroup"],
    ),
    (
        body(person(1), {"identity": {"user": {"id": guid(2), "tenantId": GUID}}}),
        ["participants[1].identity.user.tenantId"],
    ),
]


@pytest.mark.parametrize(("changed", "paths"), CHANGES)
def test_differences(changed: dict[str, Any], paths: list[str]) -> None:
    """A maker who used a key for another body is shown where the two differ."""
    before = people(body(person(1), person(2)))
    assert differences(before, people(changed)) == paths
    assert fingerprint_of(before) != fingerprint_of(people(changed))


INVITEES = st.builds(
    Invitee,
    kind=st.sampled_from(["user", "phone", "guest"]),
    identity=st.fixed_dictionaries(
        {"id": st.just("value")},
        optional={"displayName": st.just("value"), "tenantId": st.sampled_from(["value", "v2"])},
    ),
    replaces_call_id=st.none() | st.just("value"),
    participant_id=st.none() | st.sampled_from(["value", "v2"]),
    hidden=st.none() | st.booleans(),
    remove_from_default_audio_routing_group=st.none() | st.booleans(),
    identity_set_type=st.none() | st.just("value"),
)


@settings(deadline=None)
@given(st.lists(INVITEES, min_size=1, max_size=3), st.lists(INVITEES, min_size=1, max_size=3))
def test_differences_and_fingerprints(before: list[Invitee], now: list[Invitee]) -> None:
    """There is a named difference whenever the fingerprints differ, and it never shows a value."""
    named = differences(before, now)
    assert bool(named) == (fingerprint_of(before) != fingerprint_of(now))
    assert "value" not in json.dumps(named)
    assert "v2" not in json.dumps(named)


def test_separately_is_part_of_the_body() -> None:
    """The same people separately are another body; without it the fingerprint is the previous release's."""
    assert (
        fingerprint_of(ALICE)
        == hashlib.sha256(json.dumps([{"identity": {"id": guid(1)}, "kind": "user"}]).encode()).hexdigest()
    )
    assert fingerprint_of(ALICE, separately=True) != fingerprint_of(ALICE)
    assert key_of("x", {}, ALICE, separately=True).fingerprint == fingerprint_of(ALICE, separately=True)
    one, other = key_of(None, FLOW, ALICE), key_of(None, FLOW, ALICE, separately=True)
    assert one.client_context("call", 1) != other.client_context("call", 1)


def test_repeatability_request_id_in_quotes() -> None:
    """A client that quotes it once and not the other time has the same key."""
    bare = key_of(None, {"repeatability-request-id": "r"}, [])
    quoted = key_of(None, {"repeatability-request-id": '"r"'}, [])
    assert bare == quoted
