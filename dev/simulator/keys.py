"""Signing keys: of Entra ID's access tokens, and of the tokens that Graph's callbacks carry."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLBACK_ISSUER = "https://api.botframework.com"
# The lifetime in Microsoft's sample token (calling-notifications page of the Graph communications SDK).
CALLBACK_TOKEN_SECONDS = 3900
_REUSED_FOR_SECONDS = 60


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private RSA key and the id it is announced under."""

    kid: str
    private: rsa.RSAPrivateKey

    @classmethod
    def new(cls) -> SigningKey:
        """Make a key."""
        return cls(uuid.uuid4().hex, rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def sign(self, claims: Mapping[str, object], headers: Mapping[str, object] | None = None) -> str:
        """Return a JWT of ``claims``, RS256; ``headers`` add to or replace the JOSE header."""
        return jwt.encode(dict(claims), self.private, "RS256", headers={"kid": self.kid, **(headers or {})})

    def jwk(self) -> dict[str, object]:
        """Return the public key as announced."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": _base64url(numbers.n),
            "e": _base64url(numbers.e),
            "endorsements": ["msteams"],
        }


class CallbackKeys:
    """The keys that callback tokens are signed with, and their announcement."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys = [SigningKey.new()]
        self._minted: dict[tuple[str, str], tuple[float, str]] = {}
        self.failing: int | None = None
        """A status to answer instead of the announcement, as long as it is set."""

    @property
    def current(self) -> SigningKey:
        """The key that new tokens are signed with."""
        with self._lock:
            return self._keys[-1]

    def rotate(self, *, keep_old: bool = True) -> str:
        """Sign with a new key from now on and return its id; ``keep_old`` goes on announcing the others."""
        key = SigningKey.new()
        with self._lock:
            self._keys = [*self._keys, key] if keep_old else [key]
            self._minted.clear()
        return key.kid

    def announced(self) -> dict[str, object]:
        """Return the key set as published."""
        with self._lock:
            return {"keys": [key.jwk() for key in self._keys]}

    def token(self, client_id: str, tenant_id: str) -> str:
        """Return a good token, reused for up to a minute."""
        now = time.time()
        with self._lock:
            minted_at, token = self._minted.get((client_id, tenant_id), (0.0, ""))
            if now - minted_at > _REUSED_FOR_SECONDS:
                minted_at, token = now, self._keys[-1].sign(callback_claims(client_id, tenant_id))
                self._minted[client_id, tenant_id] = (minted_at, token)
            return token

    def forge(
        self,
        claims: Mapping[str, object],
        *,
        headers: Mapping[str, object] | None = None,
        algorithm: Literal["RS256", "HS256", "none"] = "RS256",
        unknown_key: bool = False,
    ) -> str:
        """Sign ``claims`` with ``algorithm``: ``none`` and HS256 need only what an attacker has, the public key.

        ``unknown_key`` signs with a key that isn't published, under a published ``kid``.
        """
        key = self.current
        if algorithm == "none":
            return jwt.encode(dict(claims), None, "none", headers={"kid": key.kid, **(headers or {})})  # type: ignore[arg-type]
        if algorithm == "HS256":
            secret = str(key.jwk()["n"])
            return jwt.encode(dict(claims), secret, "HS256", headers={"kid": key.kid, **(headers or {})})
        if unknown_key:
            key = SigningKey(key.kid, SigningKey.new().private)
        return key.sign(claims, headers)


def callback_claims(client_id: str, tenant_id: str) -> dict[str, object]:
    """Return the claims of a good callback token as of now."""
    now = int(time.time())
    return {
        "aud": client_id,
        "iss": CALLBACK_ISSUER,
        "tid": tenant_id,
        "iat": now,
        "nbf": now,
        "exp": now + CALLBACK_TOKEN_SECONDS,
    }


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
