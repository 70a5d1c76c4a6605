"""Whatever is sent to the inviting routes and to the one for callbacks, nothing is a 5xx or an exception."""

from __future__ import annotations

import json
import logging
import os
import random
import time
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

import app as app_module
import function_app
from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes, SignIn
from flows.links import Links
from invite.routes import InviteRoutes
from notifications.receiving import NotificationReceiver
from notifications.token_rules import TokenKind
from tests.fuzz.mutations import FLAT, bent, corpus
from tests.never_twice.world import CALL, NoCalls, World

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUTES = ("invite_participants", "invite_phone", "move_person", "invite_participants_and_wait")


class Anybody:
    """Accepts every token: what is fuzzed is what comes after it."""

    def validate(self, authorization: str | None) -> TokenKind:
        """Accept it."""
        return TokenKind.OLDER


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> World:
    """The app's own parts over a table in memory, behind the very functions that Azure calls."""
    caplog.set_level(logging.ERROR, "call_invites")
    world = World()
    anybody: Any = Anybody()
    no_calls: Any = NoCalls()
    cloud: Any = SimpleNamespace(
        cloud=CLOUDS["global"],
        flow_callback_hosts=(".logic.azure.com",),
        flow_callback_local_hosts=frozenset(),
        faults=(),
        phone_prefixes=PhonePrefixes(),
    )
    parts: Any = SimpleNamespace(
        settings=SimpleNamespace(sign_in=SignIn()),
        invite=InviteRoutes(world.service, Links("https://app.example", ()), cloud),
        queries=world.queries,
        notifications=NotificationReceiver(anybody, world.progress, no_calls),
    )
    monkeypatch.setattr(app_module.edge, "_build", lambda: parts)
    return world


def invite(world: World, body: bytes, chance: random.Random) -> int:
    """Send a body to one of the inviting functions."""
    world.graph.next_answers = [chance.choice(["running", "refused", "lost after", "completed at once"])]
    request = func.HttpRequest(
        method="POST",
        url="/api/calls/x/participants/invite",
        headers={"content-type": "application/json", "idempotency-key": chance.choice(["", "k", '"k"', "\u20ac"])},
        route_params={"callId": chance.choice([*[CALL] * 20, "a b", "é", "x" * 1000, "..", "\x00"])},
        body=body,
    )
    route = chance.choice(_ROUTES) if chance.random() < 0.1 else _route_for(body)
    answer: func.HttpResponse = getattr(function_app, route)(request)
    return _judged(answer)


def _route_for(body: bytes) -> str:
    if b'"phoneNumber"' in body:
        return "invite_phone"
    return "move_person" if b'"fromCallId"' in body else "invite_participants"


def notify(_: World, body: bytes, __: random.Random) -> int:
    """Send a body to the function that takes Graph's callbacks."""
    request = func.HttpRequest(
        method="POST", url="/api/notifications", headers={"authorization": "Bearer x"}, body=body
    )
    return _judged(function_app.receive_notifications(request))


def _judged(answer: func.HttpResponse) -> int:
    if answer.status_code not in (202, 201):
        error = json.loads(answer.get_body())["error"]
        assert answer.status_code < 500, error
    return int(answer.status_code)


def fuzz(
    world: World, send: Callable[[World, bytes, random.Random], int], bodies: list[Any], count: int, seed: int
) -> Counter[int]:
    """Send ``count`` bent bodies and count the statuses."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    statuses: Counter[int] = Counter()
    for number in range(count):
        raw = bent(chance, bodies)
        status = send(world, raw, chance)
        statuses[status] += 1
        assert status < 500, f"seed {seed}, body {number}: {raw[:2000]!r}"
        if number % 500 == 499:
            world.memory.rows.clear()
            world.queue.waiting.clear()
    return statuses


def test_invites(world: World) -> None:
    """Thousands of bent invites are answered 2xx or 4xx, in the one error form."""
    statuses = fuzz(world, invite, [*corpus(("request",)), *FLAT], 3_000, seed=1)
    assert {202, 400} <= set(statuses)


def test_callbacks(world: World) -> None:
    """Thousands of bent callbacks are acknowledged or refused as unreadable, never a 5xx."""
    statuses = fuzz(world, notify, corpus(("completed", "roster")), 3_000, seed=2)
    assert set(statuses) <= {202, 400}
    assert statuses[202] > 1_000


def messages(world: World) -> list[Any]:
    """The messages of an invitation in each form, some with the alarm that its row names."""
    world.invite(("278405a3-f568-4b3e-b684-009193463064",), "context", {}, waits=True)
    (waiting,) = world.queue.waiting
    own = waiting.message
    older = {"callId": own["callId"], "invitationId": own["id"], "watch": own["alarm"]}
    return [own, {**own, "alarm": "another"}, {**own, "v": 2}, {**own, "kind": "later"}, older]


def test_messages(world: World) -> None:
    """Thousands of bent messages raise nothing, call no person again and notify no flow."""
    chance = random.Random(5)  # noqa: S311 - not for secrets
    bodies = messages(world)
    for number in range(2_000):
        raw = bent(chance, bodies)
        message = world.work.read(raw)
        if message is not None:
            world.work.act(message)
        if number % 100 == 0:
            world.queue.waiting.clear()
    assert set(world.graph.rings.values()) == {1}
    assert world.flows.posted == []


@pytest.mark.prove
@pytest.mark.parametrize("what", ["invites", "callbacks"])
def test_a_hundred_thousand(world: World, what: str) -> None:
    """A hundred thousand bent bodies for each of the two: no answer of 500 or more, no exception."""
    count = int(os.environ.get("FUZZ_BODIES", "100000"))
    started = time.monotonic()
    if what == "invites":
        statuses = fuzz(world, invite, [*corpus(("request",)), *FLAT], count, seed=3)
    else:
        statuses = fuzz(world, notify, corpus(("completed", "roster")), count, seed=4)
    counted = dict(sorted(statuses.items()))
    print(f"{count} {what} in {time.monotonic() - started:.0f} s: {counted}")  # noqa: T201 - the figures are the point
