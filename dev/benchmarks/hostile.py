"""What good callbacks cost while others send the largest and worst bodies that the app looks at."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from dev.benchmarks.bodies import invite_body, operation_report
from dev.benchmarks.callbacks import Posts, running_host
from dev.benchmarks.measure import ROOT, Figure, say
from dev.benchmarks.real_parts import real_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

_SENDERS = 4
_MOST_STATUS = 500
_MEBIBYTE = 1024 * 1024


def _filled(begin: str, part: str, end: str, size: int) -> bytes:
    return (begin + part * ((size - len(begin) - len(end)) // len(part)) + end).encode()


def _numbered(begin: str, part: str, end: str, size: int) -> bytes:
    count = (size - len(begin) - len(end)) // (len(part) + 6)
    return (begin + ",".join(part.replace("#", str(number)) for number in range(count)) + end).encode()


def _requests(call_id: str) -> list[tuple[str, bytes, str | None]]:
    """Return path, body and credential: a key holder's invites, a stranger's callbacks, one with a stolen token."""
    invite, callback = f"/api/calls/{call_id}/participants/invite", "/api/notifications"
    phones = _numbered('{"participants":[', '{"identity":{"phone":{"id":"+1 (0) 206555#"}}}', "]}", _MEBIBYTE)
    names = _numbered("{", '"#":1', "}", _MEBIBYTE)
    people = _filled('{"participants":[{}', ',{"identity":{}}', "]}", _MEBIBYTE)
    person = '{"id":"p#","info":{"identity":{"user":{"id":"u#"}}},"mediaStreams":[{}]}'
    begin = f'{{"value":[{{"resourceUrl":"/app/calls/{call_id}/participants","resourceData":['
    roster = _numbered(begin, person, "]}]}", 4 * _MEBIBYTE)
    items = _filled('{"value":[{}', ",{}", "]}", 4 * _MEBIBYTE)
    return [
        (invite, phones, "key"),
        (invite, names, "key"),
        (invite, people, "key"),
        (callback, roster, None),
        (callback, items, "token"),
    ]


def figures(*, seconds: float = 60.0) -> Iterator[Figure]:
    """Send reports for as long without hostile bodies and with them."""
    say(f"hostile bodies: {seconds:.0f} s without, {seconds:.0f} s with")
    with ExitStack() as stack:
        shared = stack.enter_context(real_parts())
        port = stack.enter_context(running_host(ROOT, shared))
        app, calls = Posts(port, shared["BENCHMARK_TOKEN"]), shared["BENCHMARK_CALLS"].split()
        _reports(app, calls, 2.0)
        alone = _reports(app, calls, seconds)
        with _attack(port, calls[0], shared["BENCHMARK_TOKEN"]) as sent:
            among = _reports(app, calls, seconds)
    what = f"a report of a finished operation among hostile bodies, {sum(sent) / seconds:.0f} a second"
    for name, figure in ((what, median), (f"95th percentile of {what}", _at_95)):
        ours, other = figure(among), figure(alone)
        yield Figure("hostile", name, f"{ours:,.1f} ms", f"alone: {other:,.1f} ms", f"{ours / other:.2f}")


def _at_95(samples: list[float]) -> float:
    return quantiles(samples, n=20)[-1]


def _reports(app: Posts, calls: list[str], seconds: float) -> list[float]:
    """Return the milliseconds of each report that was sent; the invites that they are about are not counted."""
    ends = time.monotonic() + seconds
    taken: list[float] = []
    for call_id in itertools.cycle(calls):
        if time.monotonic() >= ends:
            return taken
        made: dict[str, Any] = app.post(f"/api/calls/{call_id}/participants/invite", invite_body(uuid.uuid4().hex))
        body = operation_report(made["callId"], made["clientContext"], made["operations"][0]["id"])
        started = time.perf_counter()
        app.post("/api/notifications", body)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


@contextmanager
def _attack(port: int, call_id: str, token: str) -> Iterator[list[int]]:
    """Send hostile bodies one after the other from several threads; gives how many each has sent."""
    over, sent = threading.Event(), [0] * _SENDERS
    wrong: list[int] = []
    headers: dict[str | None, dict[str, str]] = {
        "key": {"x-functions-key": "benchmark"},
        "token": {"Authorization": f"Bearer {token}"},
        None: {},
    }

    def send(number: int) -> None:
        for path, body, credential in itertools.cycle(_requests(call_id)):
            if over.is_set():
                return
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers[credential]})
            status = connection.getresponse().status
            connection.close()
            sent[number] += 1
            if status >= _MOST_STATUS:
                wrong.append(status)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(_SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        over.set()
        for thread in threads:
            thread.join()
        assert not wrong, wrong
