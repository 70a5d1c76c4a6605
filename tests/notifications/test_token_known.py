"""A token that was found good is known again, and never opens more than a new check would."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from graph.callback_keys import KeysUnavailable
from notifications.token import NotFromGraph, TokenValidator

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _jwk(key: rsa.RSAPrivateKey) -> jwt.PyJWK:
    numbers: Any = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.PyJWK({**numbers, "kid": "k"}, algorithm="RS256")


class _Keys:
    """An announcement that can change, and counts who asks."""

    def __init__(self) -> None:
        self.announced: jwt.PyJWK | None = _jwk(_KEY)
        self.unavailable = False
        self.asked = 0

    def key(self, key_id: str) -> jwt.PyJWK | None:
        assert key_id == "k"
        self.asked += 1
        if self.unavailable:
            raise KeysUnavailable
        return self.announced


class _Door:
    """A validator, its keys, and a clock that only what is known again is judged by."""

    def __init__(self) -> None:
        self.keys = _Keys()
        self.now = time.time()
        self.validator = TokenValidator(
            self.keys, audience="a", issuers=["https://i"], tenant_ids=["t"], clock=lambda: self.now
        )

    def opens(self, token: str) -> bool:
        try:
            self.validator.validate(f"Bearer {token}")
        except NotFromGraph:
            return False
        return True


@pytest.fixture
def door() -> _Door:
    """A door that nobody has come to yet."""
    return _Door()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that were checked in full, as they were given to the library that does so."""
    checked: list[str] = []
    decode = jwt.decode

    def noting(token: str, *arguments: Any, **named: Any) -> Any:
        checked.append(token)
        return decode(token, *arguments, **named)

    monkeypatch.setattr(jwt, "decode", noting)
    return checked


def _token(key: rsa.RSAPrivateKey = _KEY, **claims: Any) -> str:
    now = int(time.time())
    good = {"iss": "https://i", "aud": "a", "tid": "t", "exp": now + 3600, "nbf": now}
    return jwt.encode({**good, **claims}, key, "RS256", headers={"kid": "k"})


def test_a_token_is_checked_in_full_once(door: _Door, decoded: list[str]) -> None:
    """A token can come with many callbacks; its signature is verified for the first of them."""
    token = _token()
    assert [door.opens(token) for _ in range(3)] == [True] * 3
    assert len(decoded) == 1
    assert door.opens(_token(jti="another"))
    assert len(decoded) == 2


def test_a_known_token_runs_out(door: _Door) -> None:
    """Five minutes after its end it is refused, as a new one would be."""
    expires = int(time.time()) - 298
    token = _token(exp=expires)
    assert door.opens(token)
    assert door.opens(token)
    time.sleep(max(expires + 300 - time.time(), 0) + 0.05)
    door.now = time.time()
    assert not door.opens(token)


def test_a_known_token_is_judged_by_the_clock_as_it_is_now(door: _Door, decoded: list[str]) -> None:
    """To the second: before its time, when a clock is set back, and after it, it is given a new check."""
    now = int(time.time())
    token = _token(nbf=now, exp=now + 100)
    assert door.opens(token)
    for moment, is_checked in ((-300.5, True), (-300, False), (0, False), (399.5, False), (400, True)):
        decoded.clear()
        door.now = now + moment
        door.opens(token)
        assert bool(decoded) is is_checked, moment


def test_a_known_token_dies_with_its_key(door: _Door) -> None:
    """A key that is no longer announced opens nothing, not even what it opened a moment ago."""
    token = _token()
    assert door.opens(token)
    door.keys.announced = None
    assert not door.opens(token)


def test_another_key_under_the_same_id_counts(door: _Door) -> None:
    """The key that is announced now decides, whatever it is called."""
    token = _token()
    assert door.opens(token)
    door.keys.announced = _jwk(_OTHER)
    assert not door.opens(token)
    assert door.opens(_token(_OTHER))
    door.keys.announced = _jwk(_KEY)  # the same key, read anew
    assert door.opens(token)


def test_without_keys_nothing_is_known(door: _Door) -> None:
    """Where keys are too old to be trusted, nobody can tell, of a known token as little as of a new one."""
    token = _token()
    assert door.opens(token)
    door.keys.unavailable = True
    with pytest.raises(KeysUnavailable):
        door.opens(token)


def test_a_refused_token_is_never_known(door: _Door) -> None:
    """What was refused is refused again, and asks for the keys again."""
    for token in (_token(aud="b"), _token(tid="u"), _token(_OTHER), _token(exp=int(time.time()) - 400)):
        assert [door.opens(token) for _ in range(2)] == [False, False]
    good = _token()
    assert door.opens(good)
    assert not door.opens(good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"))
    assert not door.opens(good + "=")


def test_what_is_known_has_an_end(door: _Door) -> None:
    """However many good tokens come, a bounded number is remembered, and the first still opens."""
    first = _token()
    assert door.opens(first)
    for number in range(600):
        assert door.opens(_token(jti=number))
    assert len(door.validator._known) <= 256
    assert door.opens(first)
