"""A worker that calls the app's functions as the Functions worker does, on real storage and a Graph over HTTPS.

It uses the routes, the settings and the responses alone, nothing from inside the app.
"""

from __future__ import annotations

import inspect
import itertools
import json
import os
import resource
import uuid
from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from urllib3 import HTTPConnectionPool

import function_app
from dev.benchmarks.bodies import invite_body, operation_report, participant, roster_of, roster_report
from dev.benchmarks.measure import serve, timed

_FUNCTIONS = {one.get_function_name(): one.get_user_function() for one in function_app.app.get_functions()}
_CONTEXT = SimpleNamespace(trace_context=SimpleNamespace(trace_parent="", trace_state=""))
_CALLS = itertools.cycle(os.environ["BENCHMARK_CALLS"].split())
_FEW = 4  # of events, where only requests are counted
_TOKEN = {"authorization": f"Bearer {os.environ['BENCHMARK_TOKEN']}"}


def call(name: str, route: dict[str, str], status: int, *, body: Any = None, method: str = "POST") -> Any:
    """Call a function and return the JSON of its response, which must have this status."""
    request = func.HttpRequest(
        method=method,
        url="https://app.example/api",
        headers={"content-type": "application/json", **(_TOKEN if name == "receive_notifications" else {})},
        route_params=route,
        body=b"" if body is None else json.dumps(body).encode(),
    )
    return json.loads(respond(name, request, status).get_body() or b"null")


def respond(name: str, request: func.HttpRequest, status: int) -> func.HttpResponse:
    """Call a function and return its response, which must have this status."""
    function = _FUNCTIONS[name]
    more = {"context": _CONTEXT} if "context" in inspect.signature(function).parameters else {}
    response: func.HttpResponse = function(req=request, **more)
    assert response.status_code == status, (response.status_code, response.get_body())
    return response


def invite() -> dict[str, Any]:
    """Invite one person."""
    call_id = next(_CALLS)
    made: dict[str, Any] = call("invite_participants", {"callId": call_id}, 202, body=invite_body(uuid.uuid4().hex))
    return made


def report(invitation: dict[str, Any]) -> None:
    """Report that an invitation's operation has completed."""
    (operation,) = invitation["operations"]
    body = operation_report(invitation["callId"], operation["clientContext"], operation["id"])
    call("receive_notifications", {}, 202, body=body)


def poll(invitation: dict[str, Any]) -> None:
    """Read an invitation."""
    call("get_invitation", {"callId": invitation["callId"], "invitationId": invitation["id"]}, 200, method="GET")


@cache
def watched(events: int = 200) -> tuple[str, str, str]:
    """Fill a call with 50 people and events; return its id, its page's token, and the ETag of what it shows."""
    call_id = str(uuid.uuid4())
    people = [participant() for _ in range(50)]
    call("receive_notifications", {}, 202, body=roster_of(call_id, people))
    for number in range(events - 1):  # one of them goes and comes again
        call("receive_notifications", {}, 202, body=roster_of(call_id, people[: 49 if number % 2 == 0 else 50]))
    page = call("get_call", {"callId": call_id}, 200, method="GET")["pageUrl"]
    token = page.partition("&token=")[2]
    response = live(call_id, token)
    shown = json.loads(response.get_body())
    assert (len(shown["participants"]), len(shown["timeline"])) == (49, events)
    return call_id, token, response.headers["ETag"]


def live(call_id: str, token: str, etag: str = "", status: int = 200) -> func.HttpResponse:
    """Read what the page of a call shows."""
    headers = {"x-page-token": token, **({"if-none-match": etag} if etag else {})}
    route = {"callId": call_id}
    request = func.HttpRequest(
        method="GET", url="https://app.example/api", headers=headers, route_params=route, body=b""
    )
    return respond("watch_call", request, status)


def unchanged(events: int = 200) -> func.HttpResponse:
    """Read it again, with nothing new."""
    call_id, token, etag = watched(events)
    return live(call_id, token, etag, 304)


def trips(_: int) -> dict[str, dict[str, int]]:
    """Count the HTTP requests of an invite, a report, a poll and a look at a call, by the service that they reach."""
    counted: Counter[str] = Counter()
    ports: dict[str, str] = json.loads(os.environ["BENCHMARK_PORTS"])
    send = HTTPConnectionPool.urlopen

    def count(self: Any, *arguments: Any, **options: Any) -> Any:
        counted[ports.get(str(self.port), "Graph")] += 1
        return send(self, *arguments, **options)

    made = invite()  # connections, token and keys are had
    watched(_FEW)
    poll(made)
    report(made)
    HTTPConnectionPool.urlopen = count  # type: ignore[method-assign]
    found = {}
    try:
        made = invite()
        for name, work in (("invite", lambda _: None), ("report", report), ("poll", poll)):
            work(made)
            found[name] = dict(counted)
            counted.clear()
        live(*watched(_FEW)[:2])
        found["live"] = dict(counted)
        counted.clear()
        unchanged(_FEW)
        found["unchanged"] = dict(counted)
    finally:
        HTTPConnectionPool.urlopen = send  # type: ignore[method-assign]
    return found


def mixed(count: int) -> float:
    """Serve invites, reports and polls, and return the process's resident memory in MiB."""
    for _ in range(count // 3):
        made = invite()
        report(made)
        poll(made)
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    serve(
        {
            "invite": lambda count: timed(lambda: None, lambda _: invite(), count),
            "report": lambda count: timed(invite, report, count),
            "poll": lambda count: timed(invite, poll, count),
            "roster": lambda count: timed(
                lambda: roster_report(str(uuid.uuid4())),
                lambda body: call("receive_notifications", {}, 202, body=body),
                count,
            ),
            "watched": lambda _: watched(),
            "live": lambda count: timed(lambda: None, lambda _: live(*watched()[:2]), count),
            "unchanged": lambda count: timed(lambda: None, lambda _: unchanged(), count),
            "trips": trips,
            "mixed": mixed,
        }
    )
