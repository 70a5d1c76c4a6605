"""The announced keys, read over real HTTPS with a clock that the tests turn."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from graph.callback_keys import CallbackKeys
from graph.errors import KeysUnavailable
from tests.graph.servers import closed_port
from tests.graph.timing import Clock, at_once

if TYPE_CHECKING:
    import requests

    from dev.simulator.simulator import Simulator

_HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test turns it."""
    return Clock()


@pytest.fixture
def keys(simulator: Simulator, session: requests.Session, clock: Clock) -> CallbackKeys:
    """Keys that were not downloaded yet."""
    return CallbackKeys(simulator.openid_configuration, session, clock=clock)


def _readings(simulator: Simulator) -> int:
    return sum(entry.route == "configuration" for entry in simulator.log.key_fetches)


def test_an_announced_key_is_found(keys: CallbackKeys, simulator: Simulator) -> None:
    """Although the metadata's issuer is not its own URL, and its algorithm one that does not exist."""
    current = simulator.keys.current
    key = keys.key(current.kid)
    assert key is not None
    assert key.jwk.key.public_numbers() == current.private.public_key().public_numbers()
    assert key.jwk.algorithm_name == "RS256"
    assert key.issuer is None


def test_keys_are_read_when_first_needed_and_then_kept(keys: CallbackKeys, simulator: Simulator) -> None:
    """Neither starting the app nor a second callback costs a reading."""
    assert simulator.log.key_fetches == []
    for _ in range(5):
        assert keys.key(simulator.keys.current.kid)
    assert _readings(simulator) == 1


def test_a_new_key_is_found_at_once(keys: CallbackKeys, simulator: Simulator) -> None:
    """The first callback signed with a rotated key is as good as any other, and so is one with the old key."""
    old = simulator.keys.current.kid
    assert keys.key(old)
    new = simulator.rotate_keys()
    assert keys.key(new)
    assert keys.key(old)


def test_a_withdrawn_key_is_refused_after_the_next_reading(
    keys: CallbackKeys, simulator: Simulator, clock: Clock
) -> None:
    """A key that is announced no more opens nothing, two hours later at most."""
    old = simulator.keys.current.kid
    assert keys.key(old)
    simulator.rotate_keys(keep_old=False)
    clock.now += 2 * _HOUR + 1
    assert keys.key(old) is None


def test_keys_are_read_again_by_age(keys: CallbackKeys, simulator: Simulator, clock: Clock) -> None:
    """Every two hours, without anybody asking for an unknown key."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    clock.now += 2 * _HOUR - 1
    keys.key(kid)
    assert _readings(simulator) == 1
    clock.now += 2
    keys.key(kid)
    assert _readings(simulator) == 2


def test_inventions_do_not_hammer_the_metadata(keys: CallbackKeys, simulator: Simulator, clock: Clock) -> None:
    """However many key ids a stranger makes up, the keys are downloaded once in 30 seconds."""
    keys.key(simulator.keys.current.kid)
    for number in range(500):
        assert keys.key(f"invented-{number}") is None
    assert _readings(simulator) == 2
    clock.now += 29.9
    keys.key("invented")
    assert _readings(simulator) == 2
    clock.now += 0.2
    keys.key("invented")
    assert _readings(simulator) == 3


def test_a_new_key_is_found_soon_in_spite_of_inventions(keys: CallbackKeys, simulator: Simulator, clock: Clock) -> None:
    """A stranger can't keep a rotated key out for longer than the floor."""
    keys.key(simulator.keys.current.kid)
    keys.key("invented")
    new = simulator.rotate_keys()
    clock.now += 30
    assert keys.key(new)


def test_many_callbacks_with_a_new_key_all_find_it(keys: CallbackKeys, simulator: Simulator) -> None:
    """Those who come while the new key is being read wait for it, and it is read once."""
    keys.key(simulator.keys.current.kid)
    new = simulator.rotate_keys()
    simulator.fault(route="configuration", delay_before=20)
    found = at_once(32, lambda: keys.key(new))
    assert len(found) == 32
    assert all(found)
    assert _readings(simulator) == 2


def test_many_callbacks_at_the_start_all_find_their_key(keys: CallbackKeys, simulator: Simulator) -> None:
    """A cold start under load reads the metadata once."""
    kid = simulator.keys.current.kid
    simulator.fault(route="keys", delay_before=20)
    assert all(at_once(32, lambda: keys.key(kid)))
    assert _readings(simulator) == 1


def test_known_keys_stay_good_for_a_day_while_the_metadata_is_down(
    keys: CallbackKeys, simulator: Simulator, clock: Clock
) -> None:
    """An outage of the key server does not stop callbacks; a longer one closes the door."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    simulator.keys.failing = 503
    clock.now += 24 * _HOUR - 1
    assert keys.key(kid)
    clock.now += 2
    with pytest.raises(KeysUnavailable):
        keys.key(kid)
    simulator.keys.failing = None
    clock.now += 31
    assert keys.key(kid)


def test_without_any_key_no_token_is_decided(keys: CallbackKeys, simulator: Simulator, clock: Clock) -> None:
    """Where no key can be had, the answer is neither yes nor no; as soon as there are keys, it is."""
    kid = simulator.keys.current.kid
    simulator.keys.failing = 500
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            keys.key(kid)
    assert _readings(simulator) == 1, "metadata that is down is not read by each callback"
    simulator.keys.failing = None
    clock.now += 1
    assert keys.key(kid)


def test_hanging_metadata_does_not_hold_callbacks_up(keys: CallbackKeys, simulator: Simulator, clock: Clock) -> None:
    """While one callback waits for fresher keys, the others go on with the ones there are."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    clock.now += 3 * _HOUR
    simulator.fault(route="configuration", delay_before=150)
    reader = threading.Thread(target=keys.key, args=(kid,))
    reader.start()
    deadline = time.monotonic() + 5
    while _readings(simulator) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    for _ in range(10):
        assert keys.key(kid)
    assert time.monotonic() - started < 1.0
    reader.join(10)


def test_a_failed_reading_is_not_repeated_for_every_callback(
    keys: CallbackKeys, simulator: Simulator, clock: Clock
) -> None:
    """With keys at hand, metadata that is down is read now and then, not by each callback in turn."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    simulator.keys.failing = 503
    clock.now += 3 * _HOUR
    for _ in range(100):
        clock.now += 0.5
        assert keys.key(kid)
    assert _readings(simulator) - 1 == 2


def test_an_unknown_key_is_refused_where_the_keys_could_be_read(keys: CallbackKeys, clock: Clock) -> None:
    """Also while the pause keeps them from being read again."""
    for _ in range(3):
        assert keys.key("unknown") is None
        clock.now += 14


def test_an_unknown_key_is_undecided_where_the_last_download_failed(
    keys: CallbackKeys, simulator: Simulator, clock: Clock
) -> None:
    """It may be a new key of Graph's, which must be sent again; the known ones stay good, and all is well later."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    simulator.keys.failing = 503
    for _ in range(100):
        with pytest.raises(KeysUnavailable):
            keys.key("unknown")
        assert keys.key(kid)
    assert _readings(simulator) == 2, "a flood causes one download"
    simulator.keys.failing = None
    clock.now += 30
    assert keys.key("unknown") is None


def test_the_issuer_comes_with_the_keys(keys: CallbackKeys, simulator: Simulator) -> None:
    """One download serves both."""
    assert keys.issuer() == "https://api.botframework.com"
    assert keys.key(simulator.keys.current.kid)
    assert _readings(simulator) == 1


def test_without_metadata_there_is_no_issuer(keys: CallbackKeys, simulator: Simulator) -> None:
    """It is undecided then, not empty."""
    simulator.keys.failing = 500
    try:
        with pytest.raises(KeysUnavailable):
            keys.issuer()
    finally:
        simulator.keys.failing = None


def test_metadata_that_is_not_there_accepts_no_token(session: requests.Session) -> None:
    """Without keys no token is accepted."""
    keys = CallbackKeys(f"https://localhost:{closed_port()}/v1", session)
    with pytest.raises(KeysUnavailable):
        keys.key("any")
