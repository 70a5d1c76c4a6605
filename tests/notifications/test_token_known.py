"""A token that was found good is known again, and never opens more than a new check would."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from graph.callback_keys import PublishedKey
from graph.errors import KeysUnavailable
from notifications import token as token_module
from notifications.token import TokenValidator
from notifications.token_rules import NotFromGraph, TokenKind, TokenRules

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


_RULES = TokenRules(
    audience="a",
    tenant_ids=frozenset({"t"}),
    older_issuers=frozenset({"https://i"}),
    entra_issuers=("https://e/{tenantid}",),
    caller_ids=frozenset({"c"}),
)


def _published(key: rsa.RSAPrivateKey) -> PublishedKey:
    numbers: Any = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return PublishedKey(jwt.PyJWK({**numbers, "kid": "k"}, algorithm="RS256"), None)


class _Keys:
    """An metadata that can change, and counts who asks."""

    def __init__(self) -> None:
        self.announced: PublishedKey | None = _published(_KEY)
        self.unavailable = False
        self.asked = 0

    def issuer(self) -> str | None:
        return None

    def key(self, key_id: str) -> PublishedKey | None:
        assert key_id == "k"
        self.asked += 1
        if self.unavailable:
            raise KeysUnavailable
        return self.announced


class _Door:
    """A validator, its keys, and a clock that only what is known again is judged by."""

    def __init__(self) -> None:
        self.keys, self.entra_keys = _Keys(), _Keys()
        self.now = time.time()
        self.validator = TokenValidator(self.keys, self.entra_keys, _RULES, clock=lambda: self.now)

    def opens(self, token: str) -> bool:
        try:
            self.validator.validate(f"Bearer {token}")
        except NotFromGraph:
            return False
        return True


@pytest.fixture
def door() -> _Door:
    """A validator that has validated nothing yet."""
    return _Door()


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was verified."""
    seen: list[str] = []
    verify = token_module._verify_signature

    def noting(token: str, key: jwt.PyJWK) -> None:
        seen.append(token)
        verify(token, key)

    monkeypatch.setattr(token_module, "_verify_signature", noting)
    return seen


def _token(key: rsa.RSAPrivateKey = _KEY, **claims: Any) -> str:
    now = int(time.time())
    good = {"iss": "https://i", "aud": "a", "tid": "t", "exp": now + 3600, "nbf": now}
    return jwt.encode({**good, **claims}, key, "RS256", headers={"kid": "k"})


def test_a_token_is_checked_in_full_once(door: _Door, verified: list[str]) -> None:
    """A token can come with many callbacks; its signature is verified for the first of them."""
    token = _token()
    assert [door.opens(token) for _ in range(3)] == [True] * 3
    assert len(verified) == 1
    assert door.opens(_token(jti="another"))
    assert len(verified) == 2


def test_a_known_token_expires(door: _Door, verified: list[str]) -> None:
    """To the second, five minutes after its end, as a new one does; and it is not valid before its time."""
    now = int(door.now)
    token = _token(nbf=now, exp=now + 100)
    for offset, is_valid in ((0, True), (-300, True), (-300.5, False), (399.5, True), (400, False), (0, True)):
        door.now = now + offset
        assert door.opens(token) is is_valid, offset
    assert len(verified) == 1


@pytest.mark.parametrize("kind", TokenKind)
def test_a_known_token_keeps_its_kind(door: _Door, kind: TokenKind) -> None:
    """It is recognised by the keys of its own kind, whatever becomes of the others."""
    claims: dict[str, Any] = {"iss": "https://e/t", "azp": "c"} if kind is TokenKind.ENTRA else {}
    token = "Bearer " + _token(**claims)
    others = door.keys if kind is TokenKind.ENTRA else door.entra_keys
    others.unavailable = True
    assert [door.validator.validate(token) for _ in range(2)] == [kind, kind]


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
    door.keys.announced = _published(_OTHER)
    assert not door.opens(token)
    assert door.opens(_token(_OTHER))
    door.keys.announced = _published(_KEY)  # the same key, read anew
    assert door.opens(token)


def test_without_keys_nothing_is_known(door: _Door) -> None:
    """Where keys are too old to be trusted, nothing is decided, of a known token or a new one."""
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
