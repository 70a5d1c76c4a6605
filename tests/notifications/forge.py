"""Makes tokens by hand, signed with the simulator's own keys.

No JWT library makes them, so that nothing keeps a forgery from being as bad as it can be.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from notifications.token_rules import TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulator import Simulator
    from dev.simulator.keys import SigningKey


CALLING_SERVICE = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
ATTACKERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def base64url(content: bytes) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def as_json(value: object) -> bytes:
    """Write JSON, and leave bytes as they are."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


@dataclass
class Forge:
    """Makes tokens of one kind, good ones and any others."""

    simulator: Simulator
    elsewhere: str
    kind: TokenKind = TokenKind.OLDER

    @property
    def signing_key(self) -> SigningKey:
        return self.simulator.entra.keys.current if self.kind is TokenKind.ENTRA else self.simulator.keys.current

    @property
    def key(self) -> rsa.RSAPrivateKey:
        return self.signing_key.private

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "RS256", "typ": "JWT", "kid": self.signing_key.kid}

    @property
    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": "https://api.botframework.com",
            "aud": self.simulator.client_id,
            "tid": self.simulator.tenant_id,
            "iat": now,
            "nbf": now,
            "exp": now + 3900,
        }
        if self.kind is TokenKind.ENTRA:
            claims |= {"iss": f"{self.simulator.authority}/v2.0", "azp": CALLING_SERVICE}
        return claims

    def public(self, encoding: serialization.Encoding) -> bytes:
        return self.key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)

    def signed(self, header: object, claims: object, sign: Callable[[bytes], bytes] | None = None) -> str:
        signing_input = f"{base64url(as_json(header))}.{base64url(as_json(claims))}"
        signature = (sign or self.rs256)(signing_input.encode())
        return f"Bearer {signing_input}.{base64url(signature)}"

    def rs256(self, content: bytes, key: rsa.RSAPrivateKey | None = None) -> bytes:
        return (key or self.key).sign(content, padding.PKCS1v15(), hashes.SHA256())

    def good(self) -> str:
        return self.signed(self.header, self.claims)

    def with_header(self, **members: Any) -> str:
        return self.signed({**self.header, **members}, self.claims)

    def without_header(self, name: str) -> str:
        return self.signed({member: value for member, value in self.header.items() if member != name}, self.claims)

    def with_claims(self, **members: Any) -> str:
        return self.signed(self.header, {**self.claims, **members})

    def without_claim(self, name: str) -> str:
        return self.signed(self.header, {claim: value for claim, value in self.claims.items() if claim != name})

    def by_attacker(self, **header: Any) -> str:
        return self.signed({**self.header, **header}, self.claims, lambda content: self.rs256(content, ATTACKERS_KEY))

    def by_the_other_kind(self, **header: Any) -> str:
        kinds = {TokenKind.OLDER: TokenKind.ENTRA, TokenKind.ENTRA: TokenKind.OLDER}
        other = Forge(self.simulator, self.elsewhere, kinds[self.kind])
        return self.signed({**other.header, **header}, self.claims, other.rs256)

    def hs256(self, secret: bytes, **header: Any) -> str:
        return self.signed(
            {**self.header, "alg": "HS256", **header},
            self.claims,
            lambda content: hmac.new(secret, content, hashlib.sha256).digest(),
        )

    def parts(self) -> tuple[str, str, str]:
        header, claims, signature = self.good().removeprefix("Bearer ").split(".")
        return header, claims, signature

    def expired_by(self, seconds: float) -> str:
        return self.with_claims(exp=int(time.time() - seconds))

    def valid_in(self, seconds: float) -> str:
        return self.with_claims(nbf=int(time.time() + seconds))
