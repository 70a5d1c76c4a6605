"""Signing keys and the published sets of them."""

from __future__ import annotations

import base64
import threading
import uuid
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Mapping

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "HS256", "none"]
Issuer = Literal["own", "other", "none"]
# Personal accounts: its keys are among those that Entra publishes for all tenants.
CONSUMERS_ISSUER = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private RSA key, the id it is published under, and the issuer that its JWK names, if any."""

    kid: str
    private: rsa.RSAPrivateKey
    issuer: str | None = None

    @classmethod
    def new(cls, kid: str | None = None, issuer: str | None = None) -> SigningKey:
        """Make a key."""
        return cls(kid or uuid.uuid4().hex, rsa.generate_private_key(public_exponent=65537, key_size=2048), issuer)

    def sign(
        self, claims: Mapping[str, object], headers: Mapping[str, object] | None = None, algorithm: Algorithm = "RS256"
    ) -> str:
        """Return a JWT of ``claims``; ``headers`` add to or replace the JOSE header.

        ``none`` and ``HS256`` need only what an attacker has, the public key.
        """
        secret = {"none": None, "HS256": str(self.jwk()["n"])}.get(algorithm, self.private)
        return jwt.encode(dict(claims), secret, algorithm, headers={"kid": self.kid, **(headers or {})})  # type: ignore[arg-type]

    def jwk(self) -> dict[str, object]:
        """Return the public key as it is published."""
        numbers = self.private.public_key().public_numbers()
        jwk: dict[str, object] = {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": _base64url(numbers.n),
            "e": _base64url(numbers.e),
        }
        return {**jwk, "issuer": self.issuer} if self.issuer else jwk


class KeySet:
    """A published set of keys, of which the newest signs.

    Args:
        issuer: What the keys name as their issuer, may be with ``{tenantid}`` in it. With one, the set also has a key
            of another issuer and a key that names none, as Entra's has.
    """

    def __init__(self, issuer: str | None = None) -> None:
        self._lock = threading.Lock()
        self._issuer = issuer
        self._keys = [SigningKey.new(issuer=issuer)]
        self.failing: int | None = None
        """A status to return instead of the keys, as long as it is set."""

    @property
    def current(self) -> SigningKey:
        """The key that new tokens are signed with."""
        with self._lock:
            return self._keys[-1]

    def key(self, issuer: Issuer) -> SigningKey:
        """Return the current key, or one of the others that are published with it."""
        return self.current if issuer == "own" else _spare(issuer)

    def find(self, kid: object) -> SigningKey | None:
        """Return the key with this id among those that sign, or did before a rotation."""
        with self._lock:
            return next((key for key in self._keys if key.kid == kid), None)

    def rotate(self, *, keep_old: bool = True, kid: str | None = None) -> str:
        """Sign with a new key from now on and return its id; ``keep_old`` continues to publish the others."""
        key = SigningKey.new(kid, self._issuer)
        with self._lock:
            self._keys = [*self._keys, key] if keep_old else [key]
        return key.kid

    def published(self, tenant_id: str = "{tenantid}") -> dict[str, object]:
        """Return the set; the issuers in it name ``tenant_id``."""
        with self._lock:
            keys = list(self._keys)
        if self._issuer:
            keys += [_spare("other"), _spare("none")]
        named = [replace(key, issuer=key.issuer and key.issuer.replace("{tenantid}", tenant_id)) for key in keys]
        return {"keys": [key.jwk() for key in named]}


@cache
def _spare(issuer: Issuer) -> SigningKey:
    """Make a key of another issuer, or without one, once: making keys is slow."""
    return SigningKey.new(issuer=CONSUMERS_ISSUER if issuer == "other" else None)


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
