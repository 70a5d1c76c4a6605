"""Both kinds of token side by side, with their keys on a real server each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.simulator.keys import SigningKey
from domain.clouds import CLOUDS
from graph.callback_keys import CallbackKeys
from graph.errors import KeysUnavailable
from graph.transport import new_session
from notifications.token import TokenValidator
from notifications.token_rules import NotFromGraph, TokenKind, TokenRules
from tests.graph.servers import AUTHORITY, answer, listening, read_request, tls

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

_APP = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_SECOND = "a1b2c3d4-0000-4000-8000-0000000000aa"
_SERVICE = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
_OLDER, _ENTRA = TokenKind.OLDER, TokenKind.ENTRA
_PATHS = {_OLDER: "/v1/.well-known/OpenIdConfiguration", _ENTRA: f"/{_TENANT}/v2.0/.well-known/openid-configuration"}


class _Publisher:
    """Publishes the keys of one kind, as long as it is up."""

    def __init__(self, kind: TokenKind) -> None:
        self.kind = kind
        self.port = 0
        self.keys: list[tuple[SigningKey, str | None]] = [(SigningKey.new(), None)]
        self.up = True
        self.downloads = 0

    @property
    def issuer(self) -> str:
        return (
            "https://api.botframework.com" if self.kind is _OLDER else f"https://localhost:{self.port}/{_TENANT}/v2.0"
        )

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            path = request.split(b" ")[1].decode()
            self.downloads += path != "/keys"
            body = self._keys() if path == "/keys" else self._metadata(path)
            answer(connection, 200 if self.up else 503, body, "Connection: close\r\n")
            return

    def _metadata(self, path: str) -> dict[str, str]:
        assert path == _PATHS[self.kind]
        return {"issuer": self.issuer, "jwks_uri": f"https://localhost:{self.port}/keys"}

    def _keys(self) -> dict[str, Any]:
        named = ((key, {"issuer": issuer} if issuer else {}) for key, issuer in self.keys)
        return {"keys": [{**key.jwk(), **issuer} for key, issuer in named]}


class _Clock:
    """Seconds that only a test lets pass."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass
class _Door:
    """The validator, what it trusts, and how often that was asked."""

    validator: TokenValidator
    publishers: dict[TokenKind, _Publisher]
    clock: _Clock = field(default_factory=_Clock)

    def token(self, kind: TokenKind, key: SigningKey | None = None, **claims: Any) -> str:
        """Return a good token, or one with other claims or another key."""
        now = int(self.clock.now)
        good: dict[str, Any] = {"aud": _APP, "tid": _TENANT, "nbf": now, "exp": now + 90_000}
        good |= {"iss": self.publishers[kind].issuer}
        good |= {"azp": _SERVICE} if kind is _ENTRA else {}
        return (key or self.publishers[kind].keys[0][0]).sign({**good, **claims})

    def verdict(self, token: str) -> str:
        """Return the token's kind, why it is refused, or ``undecided``."""
        try:
            return self.validator.validate(f"Bearer {token}")
        except NotFromGraph as error:
            return error.reason
        except KeysUnavailable:
            return "undecided"

    def downloads(self) -> dict[TokenKind, int]:
        return {kind: publisher.downloads for kind, publisher in self.publishers.items()}


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Door]:
    """A validator that has asked for no keys yet."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    older, entra, clock = _Publisher(_OLDER), _Publisher(_ENTRA), _Clock()
    rules = TokenRules(
        audience=_APP,
        tenant_ids=frozenset({_TENANT, _SECOND}),
        older_issuers=frozenset({"https://api.botframework.com"}),
        entra_issuers=CLOUDS["global"].token_issuers,
        caller_ids=frozenset({_SERVICE}),
    )
    with listening(tls(older)) as older.port, listening(tls(entra)) as entra.port, new_session(()) as session:
        keys = {
            one.kind: CallbackKeys(f"https://localhost:{one.port}{_PATHS[one.kind]}", session, clock=clock)
            for one in (older, entra)
        }
        validator = TokenValidator(keys[_OLDER], keys[_ENTRA], rules, clock=clock)
        yield _Door(validator, {_OLDER: older, _ENTRA: entra}, clock)


@pytest.mark.parametrize(("kind", "other"), [(_OLDER, _ENTRA), (_ENTRA, _OLDER)])
def test_keys_are_downloaded_with_the_first_token_of_their_kind(door: _Door, kind: TokenKind, other: TokenKind) -> None:
    """The kind that doesn't come costs no request."""
    for number in range(5):
        assert door.verdict(door.token(kind, jti=str(number))) == kind
    assert door.downloads() == {kind: 1, other: 0}


@pytest.mark.parametrize(("kind", "other"), [(_OLDER, _ENTRA), (_ENTRA, _OLDER)])
def test_each_kind_works_without_the_other(door: _Door, kind: TokenKind, other: TokenKind) -> None:
    """Keys that can't be had leave their own kind undecided, for that time only."""
    door.publishers[other].up = False
    for number in range(3):
        assert door.verdict(door.token(kind, jti=str(number))) == kind
        assert door.verdict(door.token(other, jti=str(number))) == "undecided"
    door.publishers[other].up = True
    door.clock.now += 2
    assert door.verdict(door.token(other)) == other


@pytest.mark.parametrize(("kind", "other"), [(_OLDER, _ENTRA), (_ENTRA, _OLDER)])
def test_each_kind_is_proved_by_its_own_keys(door: _Door, kind: TokenKind, other: TokenKind) -> None:
    """A key of the other kind opens nothing, whatever it is called."""
    theirs = door.publishers[other].keys[0][0]
    assert door.verdict(door.token(kind, theirs)) == "unknown key"
    renamed = SigningKey(door.publishers[kind].keys[0][0].kid, theirs.private)
    assert door.verdict(door.token(kind, renamed)) == "signature"


def test_one_key_id_may_be_in_both_sets(door: _Door) -> None:
    """Each kind has its own key of that name."""
    for publisher in door.publishers.values():
        publisher.keys = [(SigningKey("same", SigningKey.new().private), None)]
    assert [door.verdict(door.token(kind)) for kind in TokenKind] == list(TokenKind)
    crossed = door.token(_ENTRA, door.publishers[_OLDER].keys[0][0])
    assert door.verdict(crossed) == "signature"


@pytest.mark.parametrize("kind", TokenKind)
def test_a_rotated_key_is_found_at_once(door: _Door, kind: TokenKind) -> None:
    """And a withdrawn one is refused, after two hours at most."""
    old = door.publishers[kind].keys[0][0]
    assert door.verdict(door.token(kind)) == kind
    door.publishers[kind].keys.insert(0, (SigningKey.new(), None))
    assert door.verdict(door.token(kind)) == kind
    assert door.verdict(door.token(kind, old, jti="old")) == kind
    door.publishers[kind].keys.pop()
    door.clock.now += 2 * 3600 + 1
    assert door.verdict(door.token(kind, old, jti="late")) == "unknown key"


def test_a_flood_of_unknown_key_ids_is_cheap(door: _Door) -> None:
    """Invented key ids of both kinds cause one download each in half a minute, and good callbacks are not affected."""
    invented = SigningKey.new()
    for kind in TokenKind:
        assert door.verdict(door.token(kind)) == kind
    for number in range(300):
        for kind in TokenKind:
            key = SigningKey(f"invented-{number}", invented.private)
            assert door.verdict(door.token(kind, key)) == "unknown key"
    assert door.downloads() == {_OLDER: 2, _ENTRA: 2}
    assert [door.verdict(door.token(kind, jti="good")) for kind in TokenKind] == list(TokenKind)
    door.clock.now += 31
    for kind in TokenKind:
        assert door.verdict(door.token(kind, SigningKey("more", invented.private))) == "unknown key"
    assert door.downloads() == {_OLDER: 3, _ENTRA: 3}


@pytest.mark.parametrize("kind", TokenKind)
def test_a_flood_is_undecided_while_keys_can_not_be_read(door: _Door, kind: TokenKind) -> None:
    """One of them may be Graph's own with a new key; known keys stay good meanwhile."""
    assert door.verdict(door.token(kind)) == kind
    door.publishers[kind].up = False
    invented = SigningKey.new()
    for number in range(100):
        assert door.verdict(door.token(kind, SigningKey(f"i-{number}", invented.private))) == "undecided"
    assert door.verdict(door.token(kind, jti="good")) == kind
    assert door.publishers[kind].downloads == 2


def test_garbage_causes_no_download(door: _Door) -> None:
    """What can be refused by its claims is."""
    for kind in TokenKind:
        garbage: tuple[dict[str, Any], ...] = (
            {"aud": "x"},
            {"tid": "x"},
            {"exp": 1},
            {"cnf": {}},
            {"iss": "https://evil.example"},
        )
        for claims in garbage:
            assert door.verdict(door.token(kind, **claims)) not in {"older", "entra", "undecided"}
    assert door.downloads() == {_OLDER: 0, _ENTRA: 0}


def test_the_keys_of_other_issuers_are_among_entras(door: _Door) -> None:
    """Those of personal accounts sign for no tenant."""
    publisher = door.publishers[_ENTRA]
    own, consumers, plain = SigningKey.new(), SigningKey.new(), SigningKey.new()
    root = f"https://localhost:{publisher.port}"
    publisher.keys = [(own, f"{root}/{{tenantid}}/v2.0"), (consumers, f"{root}/{_CONSUMERS}/v2.0"), (plain, None)]
    for issuer in (publisher.issuer, f"https://sts.windows.net/{_TENANT}/"):
        assert door.verdict(door.token(_ENTRA, own, iss=issuer)) == "entra"
        assert door.verdict(door.token(_ENTRA, plain, iss=issuer)) == "entra"
        assert door.verdict(door.token(_ENTRA, consumers, iss=issuer)) == "key of another issuer"


def test_a_second_tenant_has_tokens_of_its_own_issuer(door: _Door) -> None:
    """Whichever tenant's metadata they are checked with."""
    publisher = door.publishers[_ENTRA]
    publisher.keys = [(publisher.keys[0][0], publisher.issuer)]
    announced = publisher.issuer.replace(_TENANT, _SECOND)
    for issuer in (
        announced,
        f"https://login.microsoftonline.com/{_SECOND}/v2.0",
        f"https://sts.windows.net/{_SECOND}/",
    ):
        assert door.verdict(door.token(_ENTRA, tid=_SECOND, iss=issuer)) == "entra"
        assert door.verdict(door.token(_ENTRA, tid=_TENANT, iss=issuer)) == "issuer"
    assert door.verdict(door.token(_ENTRA, tid=_SECOND)) == "issuer"
    assert door.verdict(door.token(_OLDER, tid=_SECOND)) == "older"


def test_a_well_signed_token_of_another_caller_is_refused(door: _Door) -> None:
    """It is named by its id, and only when its signature is good: else strangers could write into the log."""
    other = "0f0f0f0f-0000-4000-8000-0000000000bb"
    with pytest.raises(NotFromGraph) as caught:
        door.validator.validate("Bearer " + door.token(_ENTRA, azp=other))
    assert (caught.value.reason, caught.value.caller) == ("caller", other)
    forged = SigningKey(door.publishers[_ENTRA].keys[0][0].kid, SigningKey.new().private)
    with pytest.raises(NotFromGraph) as caught:
        door.validator.validate("Bearer " + door.token(_ENTRA, forged, azp=other))
    assert (caught.value.reason, caught.value.caller) == ("signature", None)


@pytest.mark.parametrize("kind", TokenKind)
def test_short_keys_are_refused(door: _Door, kind: TokenKind) -> None:
    """A published key of 1,024 bits signs nothing."""
    short = SigningKey("short", rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 - refused
    door.publishers[kind].keys.append((short, None))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = door.token(kind, short)
    assert door.verdict(token) == "unknown key"
