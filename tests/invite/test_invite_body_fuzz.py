"""Any bytes at all: an invite's body is read or refused with advice, never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from invite.reading import invitees, read_body
from invite.request import IDENTITY_KINDS, InviteBody
from invite.splitting import split
from tests.invite.bodies import body, guid, person, request
from web.errors import BadRequest

# Texts that Python can hold but UTF-8 can't are among them: JSON may write them as \ud800.
TEXTS = st.text(st.characters(codec=None), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
# A value of the right form often enough, else anything.
NEARLY = st.sampled_from([guid(1), guid(2), "+12345678901", "", "x", "~1of2", "#microsoft.graph.identity", True, None])
MEMBERS = st.sampled_from(
    [
        "@odata.type",
        "id",
        "displayName",
        "tenantId",
        "identity",
        "replacesCallId",
        "participantId",
        "hidden",
        *IDENTITY_KINDS,
    ]
)


def _members(value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(MEMBERS, value, max_size=4)


IDENTITIES = _members(NEARLY | JSON)
IDENTITY_SETS = _members(IDENTITIES | NEARLY)
PARTICIPANTS = st.fixed_dictionaries({"identity": IDENTITY_SETS | JSON}, optional={"extra": JSON}) | _members(NEARLY)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "participants": st.lists(PARTICIPANTS | JSON, max_size=8) | JSON,
        "clientContext": NEARLY | JSON,
        "callbackUrl": JSON,
    },
)


def _outcome(content: Any, cloud: str = "global") -> InviteBody | BadRequest:
    try:
        return read_body(request(content), InviteBody, CLOUDS[cloud], PhonePrefixes())
    except BadRequest as error:
        return error


def _reads_or_refuses(content: bytes, cloud: str) -> None:
    got = _outcome(content, cloud)
    if isinstance(got, BadRequest):
        error = got
        assert error.details or error.code in {"EmptyBody", "NotJson", "NotAnObject", "MemberGivenTwice"}
        for fault in error.details:
            assert fault.code.isalnum()
            assert len(fault.message) > 10
            assert fault.message.endswith(".")
        # It can be sent, too.
        json.dumps(error.body(), ensure_ascii=False).encode("utf-8")
    else:
        assert isinstance(got, InviteBody)
        people = invitees(got.participants)
        assert split(people, got.clientContext or "x")
        for one in people:
            json.dumps(dict(one.identity), ensure_ascii=False).encode("utf-8")


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200), st.sampled_from(sorted(CLOUDS)))
def test_any_bytes_are_read_or_refused(content: bytes, cloud: str) -> None:
    """Whatever arrives, the caller gets a reading or advice."""
    _reads_or_refuses(content, cloud)


@settings(deadline=None, max_examples=150)
@given(JSON, st.sampled_from(sorted(CLOUDS)))
def test_any_json_is_read_or_refused(content: object, cloud: str) -> None:
    """JSON of any form gets a reading or advice."""
    _reads_or_refuses(json.dumps(content).encode(), cloud)


@settings(deadline=None, max_examples=150)
@given(BODIES, st.sampled_from(sorted(CLOUDS)))
def test_any_near_miss_is_read_or_refused(content: object, cloud: str) -> None:
    """Bodies that are nearly right, wherever they are not, get a reading or advice."""
    _reads_or_refuses(json.dumps(content).encode(), cloud)


@pytest.mark.prove
@settings(deadline=None, max_examples=20_000)
@given(BODIES, st.sampled_from(sorted(CLOUDS)))
def test_many_near_misses(content: object, cloud: str) -> None:
    """The same for many thousand bodies."""
    _reads_or_refuses(json.dumps(content).encode(), cloud)


SECRET = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24F), min_size=4, max_size=30).map("s3cr3t".__add__)


@settings(deadline=None, max_examples=200)
@given(
    SECRET,
    st.sampled_from(
        [
            lambda value: body({"identity": {"user": {"id": value}}}),
            lambda value: body({"identity": {"phone": {"id": value}}}),
            lambda value: body({"identity": {"user": {"id": guid(1), "tenantId": value}}}),
            lambda value: body({"identity": {"user": {"id": guid(1), "displayName": value * 300}}}),
            lambda value: body({"identity": {"user": {"id": guid(1), "email": [value]}}}),
            lambda value: body({"identity": {"guest": {"id": value + "\x00"}}}),
            lambda value: body({"identity": {"guest": {"id": value, "@odata.type": value}}}),
            lambda value: body(*[{"identity": {"guest": {"id": value}}}] * 2),
            lambda value: body({"identity": {"@odata.type": value, "guest": {"id": "x"}}}),
            lambda value: body(person(replacesCallId=value + "/")),
            lambda value: body(person(participantId=value * 100)),
            lambda value: body(person(hidden=value)),
            lambda value: body(person(0, **{"@odata.type": value})),
            lambda value: body(clientContext=value + "\x00"),
            lambda value: body(clientContext=value * 300),
            lambda value: body(clientContext=value + "~1of2"),
            lambda value: body(clientContext=value.ljust(255, "x"), *map(person, range(9))),  # noqa: B026
            lambda value: body(extra=value),
            lambda value: {"participants": value},
            lambda value: {"participants": [value]},
            lambda value: [value],
            lambda value: value,
        ]
    ),
)
def test_no_fault_shows_a_value(value: str, spoilt: Any) -> None:
    """A number or name typed in the wrong place never comes back in an error, which is kept in run histories."""
    with pytest.raises(BadRequest) as caught:
        read_body(request(spoilt(value)), InviteBody, CLOUDS["global"], PhonePrefixes())
    assert "s3cr3t" not in json.dumps(caught.value.body())


@settings(deadline=None, max_examples=150)
@given(st.lists(st.booleans(), min_size=1, max_size=50), st.integers(240, 256))
def test_room_for_parts(alone: list[bool], length: int) -> None:
    """A body that passes the check has no part whose context is longer than Graph takes; one that fails it would."""
    content = body(
        *(person(place, **({"replacesCallId": "c"} if one else {})) for place, one in enumerate(alone)),
        clientContext="x" * length,
    )
    people = invitees(
        read_body(request(body(*content["participants"])), InviteBody, CLOUDS["global"], PhonePrefixes()).participants
    )
    longest = max(len(part.client_context) for part in split(people, "x" * length))
    got = _outcome(content)
    if isinstance(got, BadRequest):
        assert got.code == "NoRoomForSplitting"
        assert longest > 256
    else:
        assert longest <= 256
