"""Whether a callback comes from Graph: its bearer token, verified with the published keys of its kind.

A token can be valid for more than an hour, so it may come with many callbacks. One that was accepted is recognised by
its hash, and then only what can change is checked again: whether its key is still published, and its lifetime.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import jwt

from notifications.token_rules import Lifetime, NotFromGraph, TokenKind, TokenRules

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.callback_keys import PublishedKey
    from settings import Settings

_LONGEST_TOKEN = 16 * 1024
_LONGEST_KEY_ID = 256
_MOST_KNOWN = 256
# RFC 7515 section 3.1; Python's Base64 would skip any other character.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_JWS = jwt.PyJWS(options={"enforce_minimum_key_length": True})


class Keys(Protocol):
    """Where the keys of one kind come from; see ``graph.callback_keys.CallbackKeys``."""

    def key(self, key_id: str) -> PublishedKey | None:
        """Return the key with this id, or None."""

    def issuer(self) -> str | None:
        """Return the issuer that the metadata names."""


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What can change about a token that was accepted, and what it was."""

    kind: TokenKind
    key_id: str
    key: PublishedKey
    lifetime: Lifetime


class TokenValidator:
    """Validates the ``Authorization`` header of a callback."""

    def __init__(
        self, older_keys: Keys, entra_keys: Keys, rules: TokenRules, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = {TokenKind.OLDER: older_keys, TokenKind.ENTRA: entra_keys}
        self._rules = rules
        self._clock = clock
        self._known: dict[bytes, _Accepted] = {}

    def validate(self, authorization: str | None) -> TokenKind:
        """Return the kind of the token in the header.

        Raises:
            NotFromGraph: it has no token that Graph would send.
            KeysUnavailable: the keys of its kind can't be read, so this can't be decided for now.
        """
        token = _bearer(authorization)
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is None or not self._still_holds(known):
            known = self._check(token)
            if len(self._known) >= _MOST_KNOWN:
                self._known = {}  # each one that is still in use comes back with its next check
            self._known[digest] = known
        return known.kind

    def _still_holds(self, known: _Accepted) -> bool:
        return self._keys[known.kind].key(known.key_id) is known.key and known.lifetime.covers(self._clock())

    def _check(self, token: str) -> _Accepted:
        header, claims = _parsed(token)
        if header.get("alg") != "RS256" or header.get("crit") is not None:
            raise NotFromGraph("algorithm")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_KEY_ID:
            raise NotFromGraph("key id")
        # Everything that needs no key comes first, so that garbage causes no download.
        lifetime = self._rules.lifetime(claims, self._clock())
        announced = self._keys[TokenKind.ENTRA].issuer
        kind = self._rules.kind(claims, announced)
        key = self._keys[kind].key(key_id)
        if key is None:
            raise NotFromGraph("unknown key")
        if kind is TokenKind.ENTRA:
            self._rules.check_signer(claims, key.issuer, announced)
        _verify_signature(token, key.jwk)
        if kind is TokenKind.ENTRA:
            self._rules.check_caller(claims)
        return _Accepted(kind, key_id, key, lifetime)


def _parsed(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, of which nothing is proved yet."""
    try:
        parts = _JWS.decode_complete(token, options={"verify_signature": False})
        claims = json.loads(parts["payload"])
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise NotFromGraph("not a token") from None
    if not isinstance(claims, dict):
        raise NotFromGraph("not a token")
    return parts["header"], claims


def _verify_signature(token: str, key: jwt.PyJWK) -> None:
    try:
        _JWS.decode_complete(token, key, algorithms=["RS256"])
    except (jwt.PyJWTError, ValueError, TypeError):
        raise NotFromGraph("signature") from None


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.casefold() != "bearer" or not token:
        raise NotFromGraph("no token")
    if len(token) > _LONGEST_TOKEN:
        raise NotFromGraph("too long")
    if not _TOKEN.fullmatch(token):
        raise NotFromGraph("not a token")
    return token


def validator_for(settings: Settings, keys: Callable[[str], Keys]) -> TokenValidator:
    """Return the validator of the callbacks that the settings describe.

    Args:
        settings: of the app.
        keys: returns where the keys come from that OpenID metadata at a URL names.
    """
    return TokenValidator(
        keys(settings.callback_openid_configuration),
        keys(f"{settings.authority}/v2.0/.well-known/openid-configuration"),
        TokenRules(
            audience=settings.client_id,
            tenant_ids=settings.callback_tenant_ids,
            older_issuers=settings.callback_issuers,
            entra_issuers=settings.cloud.token_issuers,
            caller_ids=settings.callback_caller_ids,
        ),
    )
