"""The body of an invite: what is accepted, and every fault at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from invite.reading import LARGEST_BODY, invitees, read_body
from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody
from tests.invite.bodies import GLOBAL, GUID, body, fault, faults, guid, people, person, phone, read, refused, request
from web.errors import BadRequest, Fault, TooLarge

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"


def _located(content: Any, cloud: str = "global") -> set[tuple[str, str | None]]:
    return {(entry.code, entry.target) for entry in faults(content, cloud)}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_documented_bodies(number: int) -> None:
    """Whatever Graph's page shows as a body works here unchanged."""
    content = (PAYLOADS / f"{number}-request.json").read_bytes()
    assert len(people(content)) == len(json.loads(content)["participants"])


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "application/json; charset=utf-8",
        " APPLICATION/JSON ;charset=UTF-8",
        "application/vnd.api+json",
    ],
)
def test_json_is_taken_under_all_its_names(content_type: str | None) -> None:
    """Any JSON content type works, with or without a charset; so does none."""
    assert isinstance(read_body(request(body(), content_type), InviteBody, GLOBAL, PhonePrefixes()), InviteBody)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/x-www-form-urlencoded", "json", "text/json; application/json"]
)
def test_another_content_type_is_refused(content_type: str) -> None:
    """The error names the header to send."""
    error = refused(body(), content_type=content_type)
    assert (error.code, error.target) == ("WrongContentType", "Content-Type")
    assert "Content-Type: application/json" in error.message


@pytest.mark.parametrize("blank", [b"", b"  \r\n\t"])
def test_an_empty_body_is_told_as_such(blank: bytes) -> None:
    """A request without a body gets the form of one."""
    error = refused(blank)
    assert error.code == "EmptyBody"
    assert '{"participants": [...]}' in error.message


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"{'participants': []}",
        b'{"participants": [],}',
        b"\xff\xfe{\x00}\x00",
        b'{"clientContext": "\xff"}',
        b"participants=1",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"hidden": ' + b"9" * 5_000 + b"}",
        b"\x00",
    ],
)
def test_what_is_not_json_is_told_as_such(text: bytes) -> None:
    """Broken, wrongly encoded, absurdly nested or absurdly long: the advice is the same, and never a crash."""
    error = refused(text)
    assert error.code == "NotJson"
    assert "UTF-8" in error.message


@pytest.mark.parametrize("content", [[], [body()], "text", 1, 1.5, True, None])
def test_what_is_no_object_is_told_as_such(content: object) -> None:
    """The error shows what an invite looks like."""
    assert refused(content).code == "NotAnObject"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "123456789012345678901234567890"])
def test_odd_numbers(number: str) -> None:
    """A number where none belongs is a fault of that member, however odd the number."""
    text = f'{{"participants": [{{"identity": {{"user": {{"id": {number}}}}}}}]}}'.encode()
    assert _located(text) == {("WrongType", "participants[0].identity.user.id")}


def test_a_byte_order_mark_is_no_fault() -> None:
    """Files saved by Windows programs begin with a mark, and work."""
    assert len(people(b"\xef\xbb\xbf" + json.dumps(body()).encode())) == 1


def test_a_member_given_twice_is_refused() -> None:
    """A duplicate property is refused instead of the last one being used."""
    error = refused(b'{"participants": [{"identity": {"user": {"id": "a", "id": "b"}}}]}')
    assert (error.code, error.target) == ("MemberGivenTwice", "id")
    odd = refused(b'{"' + b"x" * 5_000 + b'": 1, "' + b"x" * 5_000 + b'": 2}')
    assert odd.code == "MemberGivenTwice"
    assert "xxx" not in json.dumps(odd.body())


def test_largest_body() -> None:
    """The limit is exact, and applies before the body is read."""
    text = json.dumps(body()).encode()
    assert len(people(text + b" " * (LARGEST_BODY - len(text)))) == 1
    with pytest.raises(TooLarge) as caught:
        read(text + b" " * (LARGEST_BODY - len(text) + 1))
    assert caught.value.status == 413
    with pytest.raises(TooLarge):
        read_body(request(b"x" * (LARGEST_BODY + 1), "text/plain"), InviteBody, GLOBAL, PhonePrefixes())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, "Missing"),
        ({"participants": []}, "Empty"),
        ({"participants": None}, "WrongType"),
        ({"participants": ""}, "WrongType"),
        ({"participants": {}}, "WrongType"),
        ({"participants": "x"}, "WrongType"),
        ({"participants": 5}, "WrongType"),
        ({"participants": True}, "WrongType"),
    ],
)
def test_participants(content: dict[str, Any], code: str) -> None:
    """An invite without people is refused, in whatever form."""
    found = fault(content)
    assert (found.code, found.target) == (code, "participants")
    assert found.message.endswith(".")


def test_most_people() -> None:
    """The limit of people in one invitation is exact."""
    assert len(people(body(*map(person, range(50))))) == 50
    found = fault(body(*map(person, range(51))))
    assert (found.code, found.target) == ("TooMany", "participants")
    assert "50" in found.message


@pytest.mark.parametrize("entry", [None, "", "x", 1, True, [], 2.5])
def test_a_participant_is_an_object(entry: object) -> None:
    """A bare string or null in the array is refused with its index."""
    assert _located(body(person(), entry)) == {("WrongType", "participants[1]")}


@pytest.mark.parametrize("value", [None, "", "x", 1, []])
def test_an_identity_set_is_an_object(value: object) -> None:
    """A null, a string or an array for an identity is refused with its path."""
    assert _located(body({"identity": value})) == {("WrongType", "participants[0].identity")}


def test_an_identity_is_required() -> None:
    """A participant without an identity is refused."""
    assert _located(body({})) == {("Missing", "participants[0].identity")}


@pytest.mark.parametrize("empty", [{}, {"user": None}, {"user": "", "phone": None}])
def test_nobody_is_named(empty: dict[str, Any]) -> None:
    """The error for an empty identity lists the kinds."""
    found = fault(body({"identity": empty}))
    assert (found.code, found.target) == ("NoIdentity", "participants[0].identity")
    assert "user, phone, guest" in found.message


def test_two_people_in_one_identity() -> None:
    """Graph would call only one of the two in an identity, so the app refuses both."""
    both = {"user": {"id": GUID}, "phone": {"id": "+12345678901"}}
    found = fault(body({"identity": both}))
    assert (found.code, found.target) == ("SeveralIdentities", "participants[0].identity")
    assert "user, phone" in found.message


@pytest.mark.parametrize(
    ("kind", "identity_id"),
    [
        ("user", GUID),
        ("phone", "+12345678901"),
        ("guest", "any text"),
        ("encrypted", "29:1abcÄ"),
        ("onPremises", "x"),
        ("applicationInstance", GUID),
        ("application", GUID),
        ("azureCommunicationServicesUser", "8:acs:a_b"),
    ],
)
def test_kinds(kind: str, identity_id: str) -> None:
    """All eight kinds of identity work, with null and blank for the other seven."""
    others = dict.fromkeys(("user", "phone", "guest", "encrypted"))
    (invitee,) = people(body({"identity": {**others, "onPremises": "", kind: {"id": identity_id}}}))
    assert (invitee.kind, invitee.id) == (kind, identity_id)


def test_unknown_kind() -> None:
    """A device is no one to be invited; the fault names the kinds that are."""
    assert _located(body({"identity": {"device": {"id": GUID}}})) == {
        ("UnknownMember", "participants[0].identity.device"),
        ("NoIdentity", "participants[0].identity"),
    }


@pytest.mark.parametrize(
    ("content", "target", "known"),
    [
        (body(clientcontext="x"), "clientcontext", "participants, clientContext, separately."),
        (body(person(replacesCallID="x")), "participants[0].replacesCallID", "replacesCallId"),
        (
            body({"identity": {"user": {"id": GUID}, "User": {}}}),
            "participants[0].identity.User",
            "applicationInstance",
        ),
        (body({"identity": {"user": {"id": GUID, "name": "x"}}}), "participants[0].identity.user.name", "displayName"),
        (body({"identity": {"user": {"id": GUID}}, "odata_type": "x"}), "participants[0].odata_type", "@odata.type"),
    ],
)
def test_unknown_properties(content: dict[str, Any], target: str, known: str) -> None:
    """A mistyped property, which Graph would silently ignore, is named with those that are known there."""
    found = fault(content)
    assert (found.code, found.target) == ("UnknownMember", target)
    assert known in found.message


def test_name_of_an_unknown_property() -> None:
    """The name of an unknown member is the caller's: it is shown where it may be a typing error, else not."""
    assert fault(body(clientContxt=1)).target == "clientContxt"
    assert fault(body(**{"a\x00\n" + "x" * 500: 1})).target == "?"
    assert fault(body(**{"+4915112345678": 1})).target == "?"


def test_all_faults_are_told_at_once() -> None:
    """All faults of a body are in one response, wherever they are."""
    content = {
        "participants": [
            {"identity": {"user": {"id": "bob"}, "phone": {"id": "123"}}, "hidden": "yes"},
            {"identity": {}, "replacesCallId": "", "extra": 1},
            7,
            {"identity": {"user": {"id": GUID, "displayName": 5}}, "participantId": []},
            {"identity": {"user": {"id": GUID.upper()}}},
        ],
        "clientContext": "ümlaut",
        "more": 1,
    }
    assert _located(content) == {
        ("NotAGuid", "participants[0].identity.user.id"),
        ("NotE164", "participants[0].identity.phone.id"),
        ("SeveralIdentities", "participants[0].identity"),
        ("WrongType", "participants[0].hidden"),
        ("NoIdentity", "participants[1].identity"),
        ("Empty", "participants[1].replacesCallId"),
        ("UnknownMember", "participants[1].extra"),
        ("WrongType", "participants[2]"),
        ("WrongType", "participants[3].identity.user.displayName"),
        ("WrongType", "participants[3].participantId"),
        ("SamePersonTwice", "participants[4].identity.user.id"),
        ("NotAscii", "clientContext"),
        ("UnknownMember", "more"),
    }
    error = refused(content)
    assert (error.code, error.target) == ("BadRequest", None)
    assert "13 faults" in error.message


def test_a_single_fault_is_the_error_itself() -> None:
    """With one fault the error's own code, message and target are that fault's."""
    error = refused(body(clientContext="x" * 257))
    assert (error.code, error.target) == ("TooLong", "clientContext")
    assert error.message == error.details[0].message


def test_nulls_and_blanks() -> None:
    """What a flow sends for fields left blank makes no difference."""
    blank = {
        "@odata.type": None,
        "identity": {
            "@odata.type": "",
            "user": {
                "@odata.type": None,
                "id": GUID,
                "displayName": "",
                "identityProvider": None,
                "tenantId": "",
                "email": "",
                "azureCommunicationServicesResourceId": None,
            },
            "phone": None,
            "guest": "",
        },
        "replacesCallId": None,
        "participantId": "",
        "hidden": None,
        "removeFromDefaultAudioRoutingGroup": "",
    }
    content = {"participants": [blank], "clientContext": None}
    assert read(content).clientContext is None
    assert people(content) == people(body({"identity": {"user": {"id": GUID}}}))


@pytest.mark.parametrize("value", ["", " ", "   "])
def test_an_empty_client_context_is_a_fault(value: str) -> None:
    """A key that came out empty would ring people again on every repeat, so it is refused."""
    found = fault(body(clientContext=value))
    assert (found.code, found.target) == ("Empty", "clientContext")


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_call_to_replace_is_a_fault(value: str) -> None:
    """A call id that came out empty would ring instead of replace, so it is refused."""
    found = fault(body(person(replacesCallId=value)))
    assert (found.code, found.target) == ("Empty", "participants[0].replacesCallId")


@pytest.mark.parametrize("value", ["a/b", "..", ".", "a%2Fb", "a?b", "a#b", "a\\b", "a\nb", "x" * 257])
def test_replaces_call_id(value: str) -> None:
    """What can't be a call's id is refused here and not by Graph."""
    assert fault(body(person(replacesCallId=value))).code == "InvalidCallId"


@pytest.mark.parametrize("length", [1, 255, 256])
def test_longest_client_context(length: int) -> None:
    """Graph's limit is taken to its end."""
    assert read(body(clientContext="x" * length)).clientContext == "x" * length


@pytest.mark.parametrize("value", ["x" * 257, "x" * 100_000])
def test_a_longer_client_context_is_refused(value: str) -> None:
    """One character more than Graph accepts is refused."""
    assert fault(body(clientContext=value)).code == "TooLong"


@pytest.mark.parametrize("value", ["é", "a\tb", "a\nb", "\x7f", "a\u00a0", "🙂", "\x00", "日本"])
def test_a_client_context_is_printable_ascii(value: str) -> None:
    """Graph's schema takes no Unicode there, so the app refuses it with advice."""
    found = fault(body(clientContext=value))
    assert (found.code, found.target) == ("NotAscii", "clientContext")


@pytest.mark.parametrize("value", ["!", "a b", " lead", "~", "x~1of", "x~of2", "1of2", "~1of2~", '{"a": "b\\"}'])
def test_printable_client_context(value: str) -> None:
    """A caller's own reference is used as it is, whatever its form."""
    assert read(body(clientContext=value)).clientContext == value


@pytest.mark.parametrize("value", ["x~1of2", "~1of2", "x~0of0", "x~12of345"])
def test_the_ending_of_parts_is_reserved(value: str) -> None:
    """A context that looks like a part's would mix up reports, so it is refused."""
    assert fault(body(clientContext=value)).code == "ReservedEnding"


def test_room_for_splitting() -> None:
    """With two Graph requests the context leaves room for ``~1of2``: 251 characters work, 252 don't."""
    six = [person(number) for number in range(6)]
    assert read(body(*six, clientContext="x" * 251)).clientContext == "x" * 251
    found = fault(body(*six, clientContext="x" * 252))
    assert (found.code, found.target) == ("NoRoomForSplitting", "clientContext")
    assert "2 requests" in found.message
    assert "251 characters" in found.message


def test_room_for_splitting_separately() -> None:
    """Separately every person is a request of their own, so less room is left."""
    together = body(*map(person, range(5)), clientContext="x" * 256)
    assert len(people(together)) == 5
    found = fault({**together, "separately": True})
    assert (found.code, found.target) == ("NoRoomForSplitting", "clientContext")
    assert "5 requests" in found.message
    assert "up to 251 characters" in found.message
    assert read({**together, "clientContext": "x" * 251, "separately": True}).separately


@pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
def test_separately_is_true_or_false(value: object) -> None:
    """No other type counts as one of the two; left blank it is false."""
    assert fault(body(separately=value)).target == "separately"
    assert not read(body(separately=None)).separately
    assert not read(body()).separately


def test_room_by_number_of_requests() -> None:
    """Fifty who go alone make fifty requests, whose mark ``~50of50`` takes seven characters."""
    alone = [person(number, participantId="p") for number in range(50)]
    assert read(body(*alone, clientContext="x" * 249)).clientContext == "x" * 249
    assert "249 characters" in fault(body(*alone, clientContext="x" * 250)).message
    five = [person(number) for number in range(5)]
    assert read(body(*five, clientContext="x" * 256)).clientContext == "x" * 256


@pytest.mark.parametrize("kind", ["user", "application", "applicationInstance"])
@pytest.mark.parametrize(
    "value",
    [
        "bob",
        GUID[:-1],
        GUID + "0",
        "{" + GUID + "}",
        GUID.replace("-", ""),
        " " + GUID,
        GUID + "\n",
        "g" + GUID[1:],
        "٢" + GUID[1:],
    ],
)
def test_ids_of_entra_are_guids(kind: str, value: str) -> None:
    """For a name in place of an object ID the message says which ID it is."""
    found = fault(body({"identity": {kind: {"id": value}}}))
    assert (found.code, found.target) == ("NotAGuid", f"participants[0].identity.{kind}.id")
    assert ("Get user profile (V2)" if kind == "user" else "such as 1234") in found.message


@pytest.mark.parametrize("value", ["bob@contoso.example", " Bob@Contoso.example", "bob@"])
def test_email_address(value: str) -> None:
    """An email address names the action that gives the ID, also in the flat form."""
    found = fault(body({"identity": {"user": {"id": value}}}))
    assert (found.code, found.target) == ("NotAGuid", "participants[0].identity.user.id")
    assert found.message == ("This is an email address, not a User ID. Use Id from the action Get user profile (V2).")
    with pytest.raises(BadRequest) as caught:
        read_body(request({"userId": value, "fromCallId": "c"}), MovePersonBody, GLOBAL, PhonePrefixes())
    assert (caught.value.message, caught.value.target) == (found.message, "userId")


@pytest.mark.parametrize("value", [None, "", " ", "\n"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [("user", "User ID"), ("phone", "Phone Number"), ("application", "Bot ID"), ("guest", "Guest ID")],
)
def test_empty_id(kind: str, name: str, value: str | None) -> None:
    """An ID that came out empty says so, by the name that the designer shows."""
    found = fault(body({"identity": {kind: {"id": value}}}))
    assert (found.code, found.target) == ("Empty", f"participants[0].identity.{kind}.id")
    assert found.message.startswith(f"{name} is empty: the step before returned nothing.")


@pytest.mark.parametrize("value", [None, "", " "])
def test_empty_id_in_flat_bodies(value: str | None) -> None:
    """The same in the bodies of one phone and of one person to be moved."""
    found: dict[str | None, Fault] = {}
    for content, model in (
        ({"phoneNumber": value}, InvitePhoneBody),
        ({"userId": value, "fromCallId": value}, MovePersonBody),
    ):
        with pytest.raises(BadRequest) as caught:
            read_body(request(content), model, GLOBAL, PhonePrefixes())
        found |= {one.target: one for one in caught.value.details}
    for target, name in (("phoneNumber", "Phone Number"), ("userId", "User ID"), ("fromCallId", "From Call ID")):
        assert found[target].code == "Empty"
        assert found[target].message.startswith(f"{name} is empty: the step before returned nothing.")


def test_missing_id() -> None:
    """A person without the property has it named."""
    found = fault(body({"identity": {"user": {"displayName": "Anna"}}}))
    assert (found.code, found.message) == ("Missing", "User ID is missing. Fill it in.")


def test_fifty_people_with_faults() -> None:
    """Fifty people with four faults each get one answer with all of them, and no value."""
    kinds: list[dict[str, Any]] = [
        {"user": {"id": "s3cr3t@contoso.example", "displayName": 7, "tenantId": "s3cr3t"}},
        {"phone": {"id": "s3cr3t", "displayName": ["s3cr3t"], "email": {"s3cr3t": 1}}},
        {"guest": {"id": None, "displayName": {}, "identityProvider": True}},
        {"user": None, "phone": {"id": "+1 555-0100", "tenantId": 5, "displayName": 5.5}},
        {"application": {"id": 12345, "tenantId": "", "displayName": [], "email": 0}},
    ]
    entries = [{"identity": kinds[place % 5], "hidden": "s3cr3t"} for place in range(50)]
    error = refused({"participants": entries, "clientContext": "s3cr3t~1of2"})
    assert (error.status, error.code) == (400, "BadRequest")
    assert [one.target for one in error.details if one.code == "SamePersonTwice"] == [
        f"participants[{place}].identity.{kind}.id"
        for place in range(5, 50)
        for kind in kinds[place % 5]
        if kind in ("user", "phone") and place % 5 in (0, 1, 3) and kinds[place % 5][kind] is not None
    ]
    others = [one for one in error.details if one.code != "SamePersonTwice"]
    assert len(others) == 50 * 4 + 1
    for place in range(50):
        assert sum((one.target or "").startswith(f"participants[{place}].") for one in others) == 4
    assert "s3cr3t" not in json.dumps(error.body())


def test_a_tenant_is_a_guid() -> None:
    """The tenant of an identity is an id as well."""
    content = body({"identity": {"user": {"id": GUID, "tenantId": "contoso"}}})
    assert _located(content) == {("NotAGuid", "participants[0].identity.user.tenantId")}


@pytest.mark.parametrize(
    ("value", "code"),
    [("", "Empty"), ("x" * 1025, "TooLong"), ("a\x00b", "InvalidCharacters"), ("a\x9fb", "InvalidCharacters")],
)
def test_other_ids(value: str, code: str) -> None:
    """An id of a guest can be nearly anything, but not empty, endless or unprintable."""
    assert _located(body({"identity": {"guest": {"id": value}}})) == {(code, "participants[0].identity.guest.id")}
    assert people(body({"identity": {"guest": {"id": "x" * 1024}}}))[0].id == "x" * 1024


@pytest.mark.parametrize(
    ("member", "longest"),
    [
        ("displayName", 256),
        ("identityProvider", 256),
        ("email", 320),
        ("azureCommunicationServicesResourceId", 256),
    ],
)
def test_lengths(member: str, longest: int) -> None:
    """Every optional text has an end, and works up to it."""
    assert people(body({"identity": {"user": {"id": GUID, member: "x" * longest}}}))
    found = fault(body({"identity": {"user": {"id": GUID, member: "x" * (longest + 1)}}}))
    assert (found.code, found.target) == ("TooLong", f"participants[0].identity.user.{member}")


def test_participant_id() -> None:
    """A participant's id is taken up to 256 characters."""
    assert people(body(person(participantId="x" * 256)))[0].participant_id == "x" * 256
    assert fault(body(person(participantId="x" * 257))).code == "TooLong"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("replacesCallId", 1),
        ("replacesCallId", {}),
        ("participantId", True),
        ("hidden", "true"),
        ("hidden", 1),
        ("removeFromDefaultAudioRoutingGroup", 0),
        ("removeFromDefaultAudioRoutingGroup", []),
        ("@odata.type", 5),
    ],
)
def test_types_are_taken_strictly(member: str, value: object) -> None:
    """Nothing is turned from text to truth or from number to text: what was meant is asked for."""
    assert _located(body(person(0, **{member: value}))) == {("WrongType", f"participants[0].{member}")}


@pytest.mark.parametrize("value", [1, True, [], {}])
def test_a_client_context_is_a_text(value: object) -> None:
    """A number as context is refused, since Graph would return a string."""
    assert _located(body(clientContext=value)) == {("WrongType", "clientContext")}


def test_flags_reach_the_invitee() -> None:
    """Hidden people and people outside the mixer stay so, true or false."""
    (one,) = people(body(person(hidden=True, removeFromDefaultAudioRoutingGroup=False)))
    assert (one.hidden, one.remove_from_default_audio_routing_group) == (True, False)


@pytest.mark.parametrize(
    "where",
    ["clientContext", "displayName", "guest id", "phone id", "member", "replacesCallId", "participantId", "type"],
)
def test_lone_surrogates(where: str) -> None:
    """Half a character, which no storage takes, is a fault of the request and not of the app."""
    half = "a\ud800b"
    content = {
        "clientContext": body(clientContext=half),
        "displayName": body({"identity": {"user": {"id": GUID, "displayName": half}}}),
        "guest id": body({"identity": {"guest": {"id": half}}}),
        "phone id": body(phone(half)),
        "member": body(**{half: 1}),
        "replacesCallId": body(person(replacesCallId=half)),
        "participantId": body(person(participantId=half)),
        "type": body({"identity": {"@odata.type": half, "user": {"id": GUID}}}),
    }[where]
    json.dumps(refused(content).body(), ensure_ascii=False).encode("utf-8")


def test_same_person_twice() -> None:
    """A person in the array twice is refused; letter case makes no difference."""
    found = fault(body(person(1), person(2), {"identity": {"user": {"id": guid(1).upper()}}}))
    assert (found.code, found.target) == ("SamePersonTwice", "participants[2].identity.user.id")
    assert "participants[0]" in found.message


def test_same_id_in_two_kinds() -> None:
    """Ids of different kinds have nothing to do with each other."""
    assert len(people(body({"identity": {"guest": {"id": "x"}}}, {"identity": {"encrypted": {"id": "x"}}}))) == 2


@pytest.mark.parametrize(
    "name", ["#microsoft.graph.invitationParticipantInfo", "microsoft.graph.invitationParticipantInfo"]
)
@pytest.mark.parametrize(
    "set_name", [None, "#microsoft.graph.identitySet", "microsoft.graph.communicationsIdentitySet"]
)
@pytest.mark.parametrize(
    "identity_name", [None, "#microsoft.graph.identity", "microsoft.graph.communicationsUserIdentity"]
)
def test_graphs_types_may_be_given_or_not(name: str, set_name: str | None, identity_name: str | None) -> None:
    """``@odata.type`` is optional everywhere and taken in both spellings."""
    content = body(
        {
            "@odata.type": name,
            "identity": {"@odata.type": set_name, "user": {"@odata.type": identity_name, "id": GUID}},
        }
    )
    (one,) = people(content)
    for kept, given in ((one.identity_set_type, set_name), (one.identity.get("@odata.type"), identity_name)):
        assert kept == (None if given is None else "#" + given.removeprefix("#"))


@pytest.mark.parametrize(
    ("content", "target"),
    [
        (body(person(0, **{"@odata.type": "#microsoft.graph.participant"})), "participants[0].@odata.type"),
        (
            body({"identity": {"@odata.type": "#microsoft.graph.identity", "user": {"id": GUID}}}),
            "participants[0].identity.@odata.type",
        ),
        (
            body({"identity": {"user": {"@odata.type": "#microsoft.graph.communicationsPhoneIdentity", "id": GUID}}}),
            "participants[0].identity.user.@odata.type",
        ),
        (
            body({"identity": {"user": {"@odata.type": "identity", "id": GUID}}}),
            "participants[0].identity.user.@odata.type",
        ),
    ],
)
def test_wrong_odata_type(content: dict[str, Any], target: str) -> None:
    """Graph would guess at a wrong ``@odata.type``; the app says what to write."""
    found = fault(content)
    assert (found.code, found.target) == ("WrongType", target)
    assert "#microsoft.graph." in found.message


@pytest.mark.parametrize("cloud", ["us-gov-l4", "us-gov-l5"])
@pytest.mark.parametrize(
    ("member", "value"), [("participantId", "x"), ("hidden", True), ("removeFromDefaultAudioRoutingGroup", False)]
)
def test_what_government_clouds_lack(cloud: str, member: str, value: object) -> None:
    """What US Government's schema lacks is refused there, with the cloud's name, and taken elsewhere."""
    content = body(person(0, **{member: value}))
    found = fault(content, cloud)
    assert (found.code, found.target) == ("NotInThisCloud", f"participants[0].{member}")
    assert cloud in found.message
    assert people(content)


def test_what_government_clouds_have() -> None:
    """Replacing a call works in every cloud, and blanks of what a cloud lacks are no fault."""
    content = body(person(replacesCallId="x", hidden=None, participantId=""))
    assert read(content, "us-gov-l4") == read(content)


def test_types_that_government_clouds_lack() -> None:
    """A derived identity type that US Government does not know is refused there only."""
    content = body(
        {"identity": {"phone": {"@odata.type": "#microsoft.graph.communicationsPhoneIdentity", "id": "+12065550100"}}}
    )
    found = fault(content, "us-gov-l5")
    assert (found.code, found.target) == ("NotInThisCloud", "participants[0].identity.phone.@odata.type")
    assert people(content)


def test_callback_url_is_required() -> None:
    """The address at which a flow waits belongs to that route alone, and is required there."""
    with pytest.raises(BadRequest) as caught:
        read_body(request(body()), InviteAndWaitBody, CLOUDS["global"], PhonePrefixes())
    assert (caught.value.code, caught.value.target) == ("Missing", "callbackUrl")
    waiting = read_body(request(body(callbackUrl="https://x")), InviteAndWaitBody, GLOBAL, PhonePrefixes())
    assert invitees(waiting.participants) == people(body())
    assert fault(body(callbackUrl="https://x")).code == "UnknownMember"


def test_everybody_keeps_their_place() -> None:
    """People come out in the order in which they were given."""
    numbers = [7, 3, 9, 1]
    assert [one.id for one in people(body(*map(person, numbers)))] == [guid(number) for number in numbers]
