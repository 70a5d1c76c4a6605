"""How long a token is used, and what becomes of requests while Entra ID gives no other."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from graph.credentials import TokenSource
from graph.errors import CredentialRefused, TokenUnavailable
from settings import GraphCredential
from tests.graph.timing import Clock, at_once

if TYPE_CHECKING:
    import requests

    from dev.simulator.simulator import Simulator
    from settings import Settings


def test_fifty_at_once_share_one_token(settings: Settings, session: requests.Session, simulator: Simulator) -> None:
    """A burst of invitations costs one token request, not fifty."""
    source = TokenSource(settings, session)
    tokens = at_once(50, source.token)
    assert len(set(tokens)) == 1
    assert len(simulator.log.tokens) == 1


def test_a_refused_token_is_replaced_once_for_all(
    settings: Settings, session: requests.Session, simulator: Simulator
) -> None:
    """Fifty requests whose token was revoked ask for one new one, and all get it."""
    source = TokenSource(settings, session)
    refused = source.token()
    fresh = at_once(50, lambda: source.fresh_token(refused))
    assert len(set(fresh)) == 1
    assert refused not in fresh
    assert len(simulator.log.tokens) == 2
    assert source.fresh_token("another") == fresh[0]


@pytest.fixture
def clock() -> Clock:
    """A clock that a test advances."""
    return Clock()


@pytest.fixture
def source(settings: Settings, session: requests.Session, clock: Clock) -> TokenSource:
    """A source that holds no token yet."""
    return TokenSource(settings, session, clock=clock)


def test_a_token_is_renewed_at_half_of_its_lifetime(source: TokenSource, simulator: Simulator, clock: Clock) -> None:
    """And not before; MSAL, which still holds a good one, is made to ask for another."""
    first = source.token()
    clock.now += 3599 / 2 - 1
    assert source.token() == first
    assert len(simulator.log.tokens) == 1
    clock.now += 2
    second = source.token()
    assert second != first
    assert source.token() == second
    assert len(simulator.log.tokens) == 2


def test_a_token_of_a_minute_is_used_for_half_of_it(source: TokenSource, simulator: Simulator, clock: Clock) -> None:
    """Short-lived tokens are not requested again for each request."""
    simulator.entra.token_seconds = 60
    try:
        first = source.token()
        clock.now += 29
        assert source.token() == first
        clock.now += 2
        assert source.token() != first
    finally:
        simulator.entra.token_seconds = 3599


_OUTAGES: dict[str, dict[str, Any]] = {
    "busy": {"status": 429},
    "in error": {"status": 500},
    "behind a broken gateway": {"status": 502},
    "unavailable": {"status": 503},
    "cut off": {"cut": "before"},
}


@pytest.mark.parametrize("outage", _OUTAGES.values(), ids=_OUTAGES.keys())
def test_a_token_is_used_to_its_end_while_entra_is_down(
    outage: dict[str, Any],
    source: TokenSource,
    simulator: Simulator,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until half a minute before its end; after that no person can be called."""
    first, issued = source.token(), clock.now
    simulator.fault(route="token", times=100, **outage)
    for age in (1800, 2500, 3300, 3568):
        clock.now = issued + age
        assert source.token() == first, age
    assert "no token" in caplog.text
    clock.now = issued + 3570
    with pytest.raises(TokenUnavailable):
        source.token()


def test_renewal_that_fails_is_not_repeated_for_every_request(
    source: TokenSource, simulator: Simulator, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With a good token in hand there is no hurry: every half minute is enough."""
    source.token()
    clock.now += 2000
    simulator.fault(route="token", cut="before", times=100)
    for _ in range(60):
        clock.now += 1
        source.token()
    assert len(caplog.records) == 2


def test_others_use_the_token_in_hand_while_one_renews(source: TokenSource, simulator: Simulator, clock: Clock) -> None:
    """A slow Entra ID delays one request, not all."""
    first = source.token()
    clock.now += 2000
    simulator.fault(route="token", delay_before=150)
    renewing = threading.Thread(target=source.token)
    renewing.start()
    deadline = time.monotonic() + 5
    while not source._lock.locked() and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    assert [source.token() for _ in range(10)] == [first] * 10
    assert time.monotonic() - started < 1
    renewing.join(10)
    assert source.token() != first


def test_a_refused_credential_does_not_throw_a_good_token_away(
    settings: Settings, session: requests.Session, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so at once; requests fail when the token ends."""
    source = TokenSource(settings, session, clock=clock)
    first = source.token()
    source._settings = replace(settings, credential=GraphCredential(client_secret="wr0ng~secret"))
    source._application = None
    clock.now += 2000
    assert source.token() == first
    assert "AADSTS7000215" in caplog.text
    clock.now += 1600
    with pytest.raises(CredentialRefused):
        source.token()


def test_a_refused_token_is_not_used_while_renewal_fails(source: TokenSource, simulator: Simulator) -> None:
    """Graph said that it no longer counts."""
    refused = source.token()
    simulator.fault(route="token", status=503)
    with pytest.raises(TokenUnavailable):
        source.fresh_token(refused)


def test_those_who_waited_for_a_failed_renewal_share_it(source: TokenSource, simulator: Simulator) -> None:
    """Fifty requests wait once for an Entra ID that hangs, not one after the other."""
    simulator.fault(route="token", status=503, delay_before=30, times=100)

    def failure() -> str:
        try:
            return source.token()
        except TokenUnavailable:
            return "unavailable"

    started = time.monotonic()
    assert at_once(50, failure) == ["unavailable"] * 50
    assert time.monotonic() - started < 5
