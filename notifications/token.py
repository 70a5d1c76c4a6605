"""Whether a callback truly comes from Graph: its bearer token, checked against the announced keys.

Rules: https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications. Beyond them
the token's tenant is compared with the allowed ones, since the same keys sign callbacks for every tenant.

The documented token is good for 65 minutes, so it may come with many callbacks. One that was found good is known again
by its hash, and then only what can change is looked at again: whether its key is announced still, and whether its time
has passed.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_LEEWAY_SECONDS = 300
_LONGEST_TOKEN = 16 * 1024
_LONGEST_KEY_ID = 256
_MOST_KNOWN = 256
# RFC 7515 section 3.1; Python's Base64 would read past any other character.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class NotFromGraph(Exception):
    """The request carries no token that Graph would send; ``reason`` is for the log, never for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Keys(Protocol):
    """Where the announced keys come from; see ``graph.callback_keys.CallbackKeys``."""

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with this id, or None."""


@dataclass(frozen=True, slots=True)
class _Good:
    """A token that was found good, as far as that can change."""

    key_id: str
    key: jwt.PyJWK
    not_before: int
    expires: int


class TokenValidator:
    """Judges the ``Authorization`` header of a callback."""

    def __init__(
        self,
        keys: Keys,
        *,
        audience: str,
        issuers: Collection[str],
        tenant_ids: Collection[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._known: dict[bytes, _Good] = {}
        self._audience = audience.casefold()
        self._issuers = frozenset(issuer.rstrip("/") for issuer in issuers)
        self._tenant_ids = frozenset(tenant.casefold() for tenant in tenant_ids)

    def validate(self, authorization: str | None) -> None:
        """Return if the header carries Graph's token.

        Raises:
            NotFromGraph: it does not.
            KeysUnavailable: nobody can tell for now.
        """
        token = _bearer(authorization)
        digest = hashlib.sha256(token.encode()).digest()
        if not self._is_still_good(digest):
            key_id, key = self._key(token)
            claims = self._claims(token, key)
            self._check_claims(claims)
            self._remember(digest, key_id, key, claims)

    def _is_still_good(self, digest: bytes) -> bool:
        """Tell whether this very token was found good and a new check would find it so; on any doubt there is one."""
        known = self._known.get(digest)
        if known is None or self._keys.key(known.key_id) is not known.key:
            return False
        return known.not_before - _LEEWAY_SECONDS <= self._clock() < known.expires + _LEEWAY_SECONDS

    def _remember(self, digest: bytes, key_id: str, key: jwt.PyJWK, claims: dict[str, Any]) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known = {}  # whichever is used again comes back with its next check
        self._known[digest] = _Good(key_id, key, int(claims.get("nbf", 0)), int(claims["exp"]))

    @staticmethod
    def _claims(token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                leeway=_LEEWAY_SECONDS,
                options={
                    "require": ["exp", "iss", "aud", "tid"],
                    "verify_aud": False,
                    "verify_iss": False,
                    "verify_iat": False,
                    "verify_sub": False,
                    "verify_jti": False,
                },
            )
        except jwt.PyJWTError as error:
            raise NotFromGraph(type(error).__name__) from None
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise NotFromGraph(type(error).__name__) from None

    def _check_claims(self, claims: dict[str, Any]) -> None:
        audience, issuer, tenant = claims.get("aud"), claims.get("iss"), claims.get("tid")
        # Graph sends one audience; a list of them would also name others, for whom the token was not meant alone.
        if not isinstance(audience, str) or audience.casefold() != self._audience:
            reason = "audience"
            raise NotFromGraph(reason)
        if not isinstance(issuer, str) or issuer.removesuffix("/") not in self._issuers:
            reason = "issuer"
            raise NotFromGraph(reason)
        if not isinstance(tenant, str) or tenant.casefold() not in self._tenant_ids:
            reason = "tenant"
            raise NotFromGraph(reason)

    def _key(self, token: str) -> tuple[str, jwt.PyJWK]:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            reason = "not a token"
            raise NotFromGraph(reason) from None
        key_id, algorithm = header.get("kid"), header.get("alg")
        if algorithm != "RS256" or header.get("crit") is not None:
            reason = "algorithm"
            raise NotFromGraph(reason)
        if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_KEY_ID:
            reason = "key id"
            raise NotFromGraph(reason)
        key = self._keys.key(key_id)
        if key is None:
            reason = "unknown key"
            raise NotFromGraph(reason)
        return key_id, key


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.casefold() != "bearer" or not token:
        reason = "no token"
        raise NotFromGraph(reason)
    if len(token) > _LONGEST_TOKEN:
        reason = "too long"
        raise NotFromGraph(reason)
    if not _TOKEN.fullmatch(token):
        reason = "not a token"
        raise NotFromGraph(reason)
    return token
