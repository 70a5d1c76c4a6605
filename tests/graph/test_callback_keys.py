"""The announced keys, read over real HTTPS with a clock that the tests turn."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from graph.callback_keys import CallbackKeys
from graph.errors import KeysUnavailable
from tests.graph.servers import answer, closed_port, drip, listening, read_request, tls

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import requests

    from dev.simulator.simulator import Simulator

_HOUR = 3600.0


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    """A clock that stands still until a test turns it."""
    return _Clock()


@pytest.fixture
def keys(simulator: Simulator, session: requests.Session, clock: _Clock) -> CallbackKeys:
    """Keys that nobody has asked for yet."""
    return CallbackKeys(simulator.openid_configuration, session, clock=clock)


def _readings(simulator: Simulator) -> int:
    return sum(entry.route == "configuration" for entry in simulator.log.key_fetches)


def test_an_announced_key_is_found(keys: CallbackKeys, simulator: Simulator) -> None:
    """Although the announcement's issuer is not its address, and its algorithm one that does not exist."""
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
    keys: CallbackKeys, simulator: Simulator, clock: _Clock
) -> None:
    """A key that is announced no more opens nothing, two hours later at most."""
    old = simulator.keys.current.kid
    assert keys.key(old)
    simulator.rotate_keys(keep_old=False)
    clock.now += 2 * _HOUR + 1
    assert keys.key(old) is None


def test_keys_are_read_again_by_age(keys: CallbackKeys, simulator: Simulator, clock: _Clock) -> None:
    """Every two hours, without anybody asking for an unknown key."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    clock.now += 2 * _HOUR - 1
    keys.key(kid)
    assert _readings(simulator) == 1
    clock.now += 2
    keys.key(kid)
    assert _readings(simulator) == 2


def test_inventions_do_not_hammer_the_announcement(keys: CallbackKeys, simulator: Simulator, clock: _Clock) -> None:
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


def test_a_new_key_is_found_soon_in_spite_of_inventions(
    keys: CallbackKeys, simulator: Simulator, clock: _Clock
) -> None:
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
    found = _at_once(32, lambda: keys.key(new))
    assert len(found) == 32
    assert all(found)
    assert _readings(simulator) == 2


def test_many_callbacks_at_the_start_all_find_their_key(keys: CallbackKeys, simulator: Simulator) -> None:
    """A cold start under load reads the announcement once."""
    kid = simulator.keys.current.kid
    simulator.fault(route="keys", delay_before=20)
    assert all(_at_once(32, lambda: keys.key(kid)))
    assert _readings(simulator) == 1


def _at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    results: list[Any] = []
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait(10)
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def test_known_keys_stay_good_for_a_day_while_the_announcement_is_down(
    keys: CallbackKeys, simulator: Simulator, clock: _Clock
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


def test_without_any_key_nobody_is_judged(keys: CallbackKeys, simulator: Simulator, clock: _Clock) -> None:
    """Where no key can be had, the answer is neither yes nor no; as soon as there are keys, it is."""
    kid = simulator.keys.current.kid
    simulator.keys.failing = 500
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            keys.key(kid)
    assert _readings(simulator) == 1, "a dead announcement is not asked for every callback that waits"
    simulator.keys.failing = None
    clock.now += 1
    assert keys.key(kid)


def test_a_hanging_announcement_does_not_hold_callbacks_up(
    keys: CallbackKeys, simulator: Simulator, clock: _Clock
) -> None:
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
    keys: CallbackKeys, simulator: Simulator, clock: _Clock
) -> None:
    """With keys at hand, a broken announcement is asked now and then, not by each callback in turn."""
    kid = simulator.keys.current.kid
    keys.key(kid)
    simulator.keys.failing = 503
    clock.now += 3 * _HOUR
    for _ in range(100):
        clock.now += 0.5
        assert keys.key(kid)
    assert _readings(simulator) - 1 == 2


def test_an_unknown_key_is_refused_where_the_keys_could_be_read(keys: CallbackKeys, clock: _Clock) -> None:
    """Also while the pause keeps them from being read again."""
    for _ in range(3):
        assert keys.key("unknown") is None
        clock.now += 14


def test_an_unknown_key_is_undecided_where_the_last_download_failed(
    keys: CallbackKeys, simulator: Simulator, clock: _Clock
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


def test_an_announcement_that_is_not_there_closes_the_door(session: requests.Session) -> None:
    """Nobody listens: nobody is let in."""
    keys = CallbackKeys(f"https://localhost:{closed_port()}/v1", session)
    with pytest.raises(KeysUnavailable):
        keys.key("any")


class _Announcement:
    """An announcement with any content: what to answer for the configuration, and for the keys."""

    def __init__(self, configuration: object, keys: object, *, status: int = 200, headers: str = "") -> None:
        self.configuration = configuration
        self.keys = keys
        self.status = status
        self.headers = headers
        self.asked: list[str] = []

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            path = request.split(b" ")[1].decode()
            self.asked.append(path)
            body = self.keys if path == "/keys" else self.configuration
            answer(connection, self.status, body, self.headers)


def _announced(announcement: _Announcement, session: requests.Session, kid: str = "good") -> tuple[bool, _Announcement]:
    """Tell whether a key is found where an announcement is made, at ``{port}``."""
    with listening(tls(announcement)) as port:
        if announcement.configuration == "good":
            announcement.configuration = {"jwks_uri": f"https://localhost:{port}/keys"}
        elif isinstance(announcement.configuration, str):
            announcement.configuration = {"jwks_uri": announcement.configuration.replace("PORT", str(port))}
        keys = CallbackKeys(f"https://localhost:{port}/configuration", session)
        try:
            return keys.key(kid) is not None, announcement
        except KeysUnavailable:
            return False, announcement
        finally:
            session.close()


_GARBAGE: list[object] = [b"", b"<html>", b"null", b"[]", b'"x"', b"5", b"[" * 5000, b'{"jwks_uri": null}', {}]


@pytest.mark.parametrize("configuration", [*_GARBAGE, {"jwks_uri": 5}, {"jwks_uri": ["https://localhost"]}])
def test_a_garbage_announcement_has_no_keys(configuration: object, trusting: requests.Session) -> None:
    """Whatever is there instead of the announcement, the door stays closed and nothing breaks."""
    assert not _announced(_Announcement(configuration, {}), trusting)[0]


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "keys",
        "/keys",
        "ftp://localhost:PORT/keys",
        "file:///etc/passwd",
        "http://keys.invalid/keys",
        "http://localhost.keys.invalid/keys",
        "http://127.0.0.1.keys.invalid/keys",
        "http://localhost@keys.invalid/keys",
        "https://[",
        "https://",
        "https://localhost:PORTx/keys",
        "https://localhost:99999999/keys",
    ],
)
def test_keys_come_over_https_alone(uri: str, trusting: requests.Session) -> None:
    """An address without encryption, or that is none, is not asked for keys."""
    found, announcement = _announced(_Announcement(uri, {"keys": []}), trusting)
    assert not found
    assert set(announcement.asked) == {"/configuration"}


def test_plain_http_to_another_host_is_never_tried(trusting: requests.Session) -> None:
    """A name that only begins like this machine's is another host."""
    asked: list[str] = []

    class Spy(type(trusting.get_adapter("http://x"))):  # type: ignore[misc]  # the adapter's class is private
        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            asked.append(str(request.url))
            raise ConnectionError

    trusting.mount("http://", Spy())
    _announced(_Announcement("http://localhost.keys.invalid/keys", {}), trusting)
    assert asked == []


@pytest.mark.parametrize("keys", [*_GARBAGE, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": []}, {"value": []}])
def test_garbage_instead_of_keys_opens_nothing(keys: object, trusting: requests.Session) -> None:
    """The same for the keys' own address."""
    assert not _announced(_Announcement("good", keys), trusting)[0]


@pytest.mark.parametrize("status", [301, 302, 404, 500, 204, 206])
def test_only_a_plain_answer_counts(status: int, trusting: requests.Session) -> None:
    """Neither redirects nor errors nor parts are read."""
    announcement = _Announcement("good", {}, status=status, headers="Location: https://localhost/\r\n")
    assert not _announced(announcement, trusting)[0]
    assert set(announcement.asked) == {"/configuration"}


def _good_key(simulator: Simulator) -> dict[str, Any]:
    return {**simulator.keys.current.jwk(), "kid": "good"}


def _short(bits: int) -> dict[str, Any]:
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "bad", "use": "sig"}


_BAD_KEYS: list[tuple[str, Any]] = [
    ("no object", lambda _: 5),
    ("null", lambda _: None),
    ("list", lambda _: []),
    ("empty", lambda _: {}),
    ("another kind", lambda good: {**good, "kid": "bad", "kty": "EC"}),
    ("symmetric", lambda good: {"kty": "oct", "kid": "bad", "k": good["n"]}),
    ("no kind", lambda good: {name: value for name, value in good.items() if name != "kty"} | {"kid": "bad"}),
    ("for encryption", lambda good: {**good, "kid": "bad", "use": "enc"}),
    ("no id", lambda good: {name: value for name, value in good.items() if name != "kid"}),
    ("null id", lambda good: {**good, "kid": None}),
    ("empty id", lambda good: {**good, "kid": ""}),
    ("list as id", lambda good: {**good, "kid": ["bad"]}),
    ("object as id", lambda good: {**good, "kid": {"bad": 1}}),
    ("number as id", lambda good: {**good, "kid": 5}),
    ("no modulus", lambda good: {**good, "kid": "bad", "n": None}),
    ("empty modulus", lambda good: {**good, "kid": "bad", "n": ""}),
    ("number as modulus", lambda good: {**good, "kid": "bad", "n": 5}),
    ("list as modulus", lambda good: {**good, "kid": "bad", "n": []}),
    ("odd modulus", lambda good: {**good, "kid": "bad", "n": "é!"}),
    ("tiny modulus", lambda good: {**good, "kid": "bad", "n": "AQAB"}),
    ("no exponent", lambda good: {**good, "kid": "bad", "e": None}),
    ("zero exponent", lambda good: {**good, "kid": "bad", "e": "AA"}),
    ("even exponent", lambda good: {**good, "kid": "bad", "e": "Ag"}),
    ("1,024 bits", lambda _: _short(1024)),
    ("2,040 bits", lambda _: _short(2040)),
    ("number as issuer", lambda good: {**good, "kid": "bad", "issuer": 5}),
    ("huge exponent", lambda good: {**good, "kid": "bad", "e": good["n"] * 4}),
]


@pytest.mark.parametrize(("name", "spoil"), _BAD_KEYS, ids=[name for name, _ in _BAD_KEYS])
def test_a_bad_key_does_not_spoil_its_neighbours(
    name: str, spoil: Any, trusting: requests.Session, simulator: Simulator
) -> None:
    """An entry that is no signing key is left out; the good ones before and after it stay."""
    good = _good_key(simulator)
    entries = [{**good, "kid": "first"}, spoil(good), good]
    for kid, expected in (("first", True), ("good", True), ("bad", False)):
        assert _announced(_Announcement("good", {"keys": entries}), trusting, kid)[0] is expected


def test_an_endless_list_of_keys_is_cut(trusting: requests.Session, simulator: Simulator) -> None:
    """A runaway announcement costs neither time nor memory without bound."""
    good = _good_key(simulator)
    entries = [{**good, "kid": f"key-{number}"} for number in range(2000)]
    assert _announced(_Announcement("good", {"keys": entries}), trusting, "key-0")[0]
    assert not _announced(_Announcement("good", {"keys": entries}), trusting, "key-1999")[0]


def test_a_key_may_name_its_issuer(trusting: requests.Session, simulator: Simulator) -> None:
    """As the keys of Entra ID do."""
    issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    announcement = _Announcement("good", {"keys": [{**_good_key(simulator), "issuer": issuer}]})
    with listening(tls(announcement)) as port:
        announcement.configuration = {"jwks_uri": f"https://localhost:{port}/keys"}
        key = CallbackKeys(f"https://localhost:{port}/configuration", trusting).key("good")
        trusting.close()
    assert key is not None
    assert key.issuer == issuer


@pytest.mark.parametrize("slow", ["/configuration", "/keys"])
def test_a_dripping_key_server_has_a_time_limit(
    slow: str, trusting: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slowly it sends, all of the download is over before Graph gives up on the callback."""
    monkeypatch.setattr("graph.callback_keys._DOWNLOAD_SECONDS", 0.6)
    ports: list[int] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            if request.split(b" ")[1].decode() == slow:
                drip(connection, b'{"keys": []' + b" " * 200 + b"}", every=0.05)
            else:
                answer(connection, 200, {"jwks_uri": f"https://localhost:{ports[0]}/keys"})

    with listening(tls(serve)) as port:
        ports.append(port)
        started = time.monotonic()
        with pytest.raises(KeysUnavailable):
            CallbackKeys(f"https://localhost:{port}/configuration", trusting).key("any")
        assert time.monotonic() - started < 2
        trusting.close()
