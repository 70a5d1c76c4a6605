"""What ``redact`` removes, what it keeps, and that no text makes it slow."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.patterns import PATTERNS
from observability.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable

GUID = "278405a3-f568-4b3e-b684-009193463064"
PLAIN = GUID.replace("-", "")
AROUND = ("{}", "before {} after", "for participant {}. Underlying reason: x", "'{}'", "({}),", '{{"id": "{}"}}')
# Each text, and the part of it that must not be left.
PERSONAL = {
    "+12345678901": "2345678901",
    "%2B12345678901": "2345678901",
    "+1 234 567 8901": "234 567",
    "+1-234-567-8901": "234-567",
    "+1 (234) 567 - 8901": "234",
    "+49\u00a0151\u20111234567": "151",
    "(234) 567-8901": "567-8901",
    "234-567-8901": "567-8901",
    "271 813 000 01": "813 000",
    "12345678901": "12345678901",
    "12345678901234567890": "12345678901234567890",
    "0049 151 1234567": "151 1234567",
    "004915112345678": "15112345678",
    "tel:+12345678901": "2345678901",
    "tel:112": "112",
    "TEL%3A0151 1234": "0151",
    "4:+12345678901": "2345678901",
    f"8:orgid:{GUID}": GUID,
    f"8%3Aorgid%3A{GUID}": GUID,
    f"8:gcch:orgid:{GUID}": GUID,
    f"8:dod:{GUID}": GUID,
    "8:teamsvisitor:abcdef0123456789": "abcdef0123456789",
    f"28:{GUID}": GUID,
    "29:1abcDEF_ghi-jkl": "1abcDEF_ghi-jkl",
    GUID: GUID,
    GUID.upper(): GUID.upper(),
    PLAIN: PLAIN,
    PLAIN.upper(): PLAIN.upper(),
    f"user_{PLAIN}": PLAIN,
    "bob@contoso.example": "bob",
    "bob%40contoso.example": "bob",
    "bob.o'brien+x@mail.contoso.example": "brien",
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_NzQ%40thread.v2/0?context=%7b%7d": "NzQ",
    "https://teams.microsoft.com/meet/27181300001?p=abc": "27181300001",
    "19:meeting_NzQ@thread.v2": "NzQ",
}
SECRET = {
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl": "hbGciOi",
    "-eyJhbGciOiJSUzI1NiJ9": "hbGciOi",
    "Bearer abc.def-ghi": "abc.def",
    "BEARER   abc.def-ghi": "abc.def",
    "'Authorization': 'SharedKey account:c2lnbmF0dXJl='": "c2lnbmF0dXJl",
    "{'x-functions-key': 'a-b_c=='}": "a-b_c",
    "whsec_c2VjcmV0+/=": "c2VjcmV0",
    "?sig=abcdef&sv=1": "abcdef",
    "&code=s3cr3t": "s3cr3t",
    "?token=abc-def_123": "abc-def_123",
    "client_secret=a~b8Q": "a~b8Q",
    "grant_type=client_credentials&client_secret=a~b8Q&scope=x": "a~b8Q",
    "'client_secret': 'a~b8Q'": "a~b8Q",
    '"client_secret" : "a~b8Q"': "a~b8Q",
    "CLIENT_SECRET = a~b8Q": "a~b8Q",
    "client_secret%3Da~b8Q": "a~b8Q",
    "client_assertion=x.y": "x.y",
    "refresh_token=0.AXEA": "0.AXEA",
    "AccountKey=abc+/==;EndpointSuffix=x": "abc+/==",
    "Endpoint=sb://x/;SharedAccessKeyName=y;SharedAccessKey=abc+/=": "abc+/=",
    "sharedaccesskey=abc+/=": "abc+/=",
    "SharedAccessSignature=sv=2024&sig=abc%2B": "abc%2B",
    "passcode=Ab3dEf": "Ab3dEf",
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("text", "hidden"), [*PERSONAL.items(), *SECRET.items()])
def test_replaces(text: str, hidden: str, around: str) -> None:
    """Numbers, ids, addresses, tokens, keys and links are replaced, wherever they are."""
    found = redact(around.format(text))
    assert hidden not in found
    assert "[" in found


def test_keeps_the_reason() -> None:
    """The text in which Graph names a participant keeps all except the name."""
    text = "addParticipants failed for participant 4:+12345678901. Underlying reason: Busy. DiagCode: 486#560486.@"
    assert redact(text) == (
        "addParticipants failed for participant [participant]. Underlying reason: Busy. DiagCode: 486#560486.@"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The call has ended.",
        "DiagCode: 412#10073.@",
        "code 500, subcode 560500, code=403",
        "Tenant is not enabled: 7504",
        "3 of 5 in 60 s at 14:30, 2026-11-24T12:00:00.123456Z",
        "no token: Entra ID refused the app's credential (AADSTS7000222)",
        "inviting flow-run-id=08584737551867954143243946780CU130 invitation=C46Q3W77ANAZH6WOPTTA2P2YWQ",
        f"Received FunctionInvocationRequest, request ID: {GUID}, function ID: {GUID}, invocation ID: {GUID}",
        f"graph invite request-id={GUID} client-request-id={GUID} scenario-id={GUID}",
        f"callback of another app refused caller-id={GUID}",
    ],
)
def test_keeps_words_and_codes(text: str) -> None:
    """Codes, times, and ids that are known to be a request's stay readable."""
    assert redact(text) == text


@pytest.mark.parametrize("name", ["user ID: ", "user-id=", "object-id=", "?user-id="])
def test_other_ids(name: str) -> None:
    """A GUID with any other name may be a person's."""
    assert redact(f"{name}{GUID}") == f"{name}[id]"


def test_escapes_control_characters() -> None:
    """A string can't begin a new line of the log, hide itself, or break a handler's encoding."""
    assert redact("a\r\nb\x1b[2Kc\x00\u2028\u202e\x85\ud800é") == "a\\r\\nb\\x1b[2Kc\\x00\\u2028\\u202e\\x85\\ud800é"


def test_cuts() -> None:
    """A long text is cut to 1,000 characters, and what is left of a secret at the cut goes too."""
    assert len(redact("word " * 600)) <= 1000
    assert redact("x" * 5_000) == "…"
    for secret in (f"client_secret={'s' * 500}", "+1 234 567 8901", GUID, f"eyJ{'a' * 500}", "bob@contoso.example"):
        for before in range(900, 1_001):
            found = redact(f"{'-' * before} {secret} {'and so on ' * 100}")
            assert found.endswith("…")
            assert not any(part in found for part in ("sss", "234", "7 8", "278", "eyJ", "bob@", "contoso"))


@settings(deadline=None)
@given(st.text(max_size=50), st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text(max_size=50))
def test_numbers(before: str, number: str, after: str) -> None:
    """A number in E.164 is removed from any text."""
    assert number not in redact(f"{before} {number} {after}")


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_any_text(text: str) -> None:
    """Every text can be redacted, and a second time changes nothing."""
    once = redact(text)
    assert len(once) <= 1000
    if len(once) < 1000:
        assert redact(once) == once


HOSTILE = (
    *("1", "+", "a", "f", "%", " ", "\n", "\x00", "é", "=", "a@", "a.", "a@a.", "a%40a", "8:", "8:a", "4:.", "8:."),
    *("+1", "+1 ", "+1  (", "(1", "(12)", "001", "00 1 ", "0 0", "123-", "123 456 ", "tel:", "tel:1 ", "%2B1 ", "%3A"),
    *("eyJ", "-eyJ", "eyJa-", "eyJaaaaa.", "Bearer ", "Bearer  ", "sig=", "&code=", "client_secret=", 'secret"', "f0-"),
    *(
        "AccountKey=",
        "whsec_",
        "SharedKey  ",
        "123-456-789-",
        "/meet/",
        "/meetup-join/",
        "19:",
        "19:a@",
        "278405a3-",
        "278405a3-f568-4b3e-b684-",
        "token   ",
    ),
)


@pytest.mark.parametrize("part", HOSTILE)
def test_linear(part: str) -> None:
    """Each pattern reads any text at a constant rate, and ``redact`` of 1 MiB costs less than reading it once."""
    long, text = part * (2**20 // len(part)), part * (2**18 // len(part))
    simple = re.compile("[\x00\x01]x")  # a pattern that looks at every character once
    scan = min(_seconds(lambda: simple.sub("", long)) for _ in range(3))
    assert min(_seconds(lambda: redact(long)) for _ in range(3)) < scan
    for pattern, _ in PATTERNS:
        taken = (_seconds(lambda p=pattern: p.sub("", text)) for _ in range(5))  # type: ignore[misc]
        assert any(seconds < 10 * scan for seconds in taken), pattern


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
