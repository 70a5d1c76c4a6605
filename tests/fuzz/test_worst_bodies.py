"""No body costs many times its JSON's processor time: invites, starts and escalations of 1 MiB, callbacks of 4 MiB.

Each is the worst of its kind for a rule or a pattern. Here it has an eighth of the size, which shows what is quadratic
all the same; ``make prove PROVE=tests/fuzz`` takes it whole.
"""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from calls.request import StartBody
from calls.rules import start_faults
from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from domain.record import CallRecord
from escalation.request import EscalateBody
from invite.reading import LARGEST_BODY, read_body
from invite.request import IDENTITY_KINDS, InviteBody, InvitePhoneBody
from notifications import bodies
from notifications.applying import apply_reports, needs_of
from tests.configured import loaded
from tests.never_twice.world import CALL
from tests.states import NOON
from web.answers import Request
from web.errors import ApiError, BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the time that reading as much JSON takes. Measured: up to 9.
_MOST_TIMES = 25
_MOST_SECONDS = 1.0
_FEW_SECONDS = 0.25
"""For all that is bounded by other limits, such as that of the people in one request."""
SETTINGS = loaded()


def _filled(begin: str, part: str, end: str) -> Callable[[int], str]:
    return lambda size: begin + part * ((size - len(begin) - len(end)) // len(part)) + end


def _numbered(begin: str, part: str, end: str) -> Callable[[int], str]:
    """Fill a body with parts in which ``#`` is the part's number."""

    def fill(size: int) -> str:
        longest = len(part) + part.count("#") * len("99999") + len(",")
        numbers = range((size - len(begin) - len(end)) // longest)
        return begin + ",".join(part.replace("#", str(number)) for number in numbers) + end

    return fill


def _in_turn(begin: str, end: str, *parts: Callable[[int], str]) -> Callable[[int], str]:
    def fill(size: int) -> str:
        share = (size - len(begin) - len(end)) // len(parts) - len(",")
        return begin + ",".join(part(share) for part in parts) + end

    return fill


def _worst_people(size: int) -> str:
    inner = size // 50 // len(IDENTITY_KINDS) - 40
    kinds = ",".join(_numbered(f'"{kind}":{{', '"#":1', "}")(inner) for kind in IDENTITY_KINDS)
    return '{"participants":[' + ",".join([f'{{"identity":{{{kinds}}}}}'] * 50) + "]}"


_ALL_KINDS = ",".join(f'"{kind}":{{"x":1}}' for kind in IDENTITY_KINDS)
_PHONE = '{"identity":{"phone":{"id":"+12065550100"}}}'
REQUESTS = {
    "one name": _filled('{"a":1', ',"a":1', "}"),
    "other names": _numbered("{", '"#":1', "}"),
    "names of a person": _numbered('{"participants":[{"identity":{"user":{', '"#":1', "}}}]}"),
    "nesting": _filled('{"a":', "[", ""),
    "nested objects": _filled("", '{"a":', ""),
    "a long number": _filled('{"a":', "9", "}"),
    "a long fraction": _filled('{"a":0.', "9", "}"),
    "numbers": _filled('{"a":[1', "," + "9" * 4_000, "]}"),
    "surrogates": _filled('{"clientContext":"', "\\ud800", '"}'),
    "a context": _filled('{"clientContext":"', "~1of", '","participants":[]}'),
    "a phone number": _filled('{"phoneNumber":"+', "1 (0) ", '"}'),
    "a link": _filled('{"meeting":{"joinWebUrl":"', "https://teams.microsoft.com/l/meetup-join/", '"}}'),
    "a meeting's id": _filled('{"meeting":{"joinMeetingId":"', "1 ", '"}}'),
    "people": _filled('{"participants":[{}', ",{}", "]}"),
    "people without an id": _filled('{"participants":[{}', ',{"identity":{}}', "]}"),
    "people of all kinds": _filled('{"participants":[{}', f',{{"identity":{{{_ALL_KINDS}}}}}', "]}"),
    "people who move": _filled('{"participants":[{}', ',{"identity":{"user":{"id":"1"}},"participantId":"1"}', "]}"),
    "phones": _numbered('{"participants":[', '{"identity":{"phone":{"id":"+1 (0) 206555#"}}}', "]}"),
    "one phone": _filled('{"participants":[{}', f",{_PHONE}", "]}"),
    "fifty people": _worst_people,
    "steps": _filled('{"steps":[{}', f',{{"participants":[{_PHONE}]}}', "]}"),
}
_PERSON = '{"id":"p#","info":{"identity":{"user":{"id":"u#"}}},"mediaStreams":[{}],"rosterSequenceNumber":#}'
_ITEM = f'{{"resourceUrl":"/app/calls/{CALL}/participants","changeType":"updated","resourceData":'
_OPERATION = '{"id":"#","@odata.type":"x.commsOperation","status":"completed","clientContext":"#~1of2"}'
_RESULT = f'{{"value":[{_ITEM}{{"@odata.type":"x.call","resultInfo":'


def _delta(sequence: int) -> str:
    return f'{_ITEM}{{"@odata.type":"x.deltaParticipants","sequenceNumber":{sequence},"participants":['


_NEWER, _OLDER = (_numbered(_delta(sequence), _PERSON, "]}}") for sequence in (2, 1))
CALLBACKS = {
    "items": _filled('{"value":[{}', ",{}", "]}"),
    "a roster": _numbered(f'{{"value":[{_ITEM}[', _PERSON, "]}]}"),
    "a delta": _in_turn('{"value":[', "]}", _NEWER),
    "an older delta": _in_turn('{"value":[', "]}", _NEWER, _OLDER),
    "a delta and many": _in_turn('{"value":[', "]}", _OLDER, _numbered(_delta(3) + "]}}", f",{_delta(4)}]}}}}", "")),
    "empty rosters": _filled('{"value":[{}', f",{_ITEM}[]}}", "]}"),
    "operations": _numbered('{"value":[', f"{_ITEM}{_OPERATION}}}", "]}"),
    "calls": _numbered('{"value":[', '{"resourceUrl":"/app/calls/#","resourceData":{"state":"established"}}', "]}"),
    "a path": _filled('{"value":[{"resourceUrl":"', "/app/calls/", '","resourceData":{}}]}'),
    "a percent-encoded path": _filled('{"value":[{"resourceUrl":"/app/calls/', "%41", '","resourceData":{}}]}'),
    "a message": _filled(_RESULT + '{"message":"', "eyJa-", '"}}}]}'),
    "a number in a string": _filled(_RESULT + '{"code":"', " 1", '"}}}]}'),
    "nesting": _filled('{"value":', "[", ""),
    "a long number": _filled('{"value":[', "9", "]}"),
}


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _check(work: Callable[[bytes], object], body: bytes) -> None:
    """Hold the work's time against that of reading the same body, or as much of plain JSON if that takes longer."""
    plain = _filled('{"a":[""', ',{"id":"278405a3"}', "]}")(len(body)).encode()
    reference = max(min(_seconds(lambda one=one: _read(one)) for _ in range(3)) for one in (plain, body))  # type: ignore[misc]
    taken = _seconds(lambda: work(body))
    most = max(_MOST_TIMES * reference, _FEW_SECONDS)
    if taken > most:  # once more: the machine may have had other work
        taken = _seconds(lambda: work(body))
    assert taken < most


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _refused(model: type[Any], body: bytes) -> None:
    try:
        read_body(Request(body=body), model, CLOUDS["global"], PhonePrefixes())
    except BadRequest as error:
        if model is StartBody and error.details:
            list(start_faults(_read(body), SETTINGS, waits=False))
    else:
        pytest.fail("it is no request")


def _applied(body: bytes) -> None:
    try:
        callback = bodies.callback_of(Request(body=body))
    except ApiError:
        return
    for call_id, reports in callback.by_call.items():
        needs_of(reports)
        apply_reports(CallRecord(call_id), reports, NOON)


@pytest.mark.parametrize("model", [InviteBody, InvitePhoneBody, StartBody, EscalateBody])
@pytest.mark.parametrize("name", REQUESTS)
def test_requests(name: str, model: type[Any]) -> None:
    """A request is refused at a cost that is proportional to its bytes."""
    _check(partial(_refused, model), REQUESTS[name](LARGEST_BODY // 8).encode())


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A callback is applied or refused at a cost that is proportional to its bytes."""
    caplog.set_level(logging.CRITICAL, "call_invites")
    _check(_applied, CALLBACKS[name](bodies.LARGEST_BODY // 8).encode())


@pytest.mark.prove
def test_whole(caplog: pytest.LogCaptureFixture) -> None:
    """Whole, each takes less than a second of processor time, and no more of that of its JSON."""
    caplog.set_level(logging.CRITICAL, "call_invites")
    taken: dict[str, float] = {}
    for name, fill in REQUESTS.items():
        body = fill(LARGEST_BODY).encode()
        for model in (InviteBody, InvitePhoneBody, StartBody, EscalateBody):
            _check(partial(_refused, model), body)
            taken[f"{model.__name__}: {name}"] = _seconds(lambda m=model, b=body: _refused(m, b))  # type: ignore[misc]
    for name, fill in CALLBACKS.items():
        body = fill(bodies.LARGEST_BODY).encode()
        _check(_applied, body)
        taken[f"callback: {name}"] = _seconds(lambda b=body: _applied(b))  # type: ignore[misc]
    slowest = max(taken, key=taken.__getitem__)
    print(f"{len(taken)} bodies, the slowest {slowest}: {taken[slowest]:.2f} s")  # noqa: T201 - a proof's figure
    assert taken[slowest] < _MOST_SECONDS
