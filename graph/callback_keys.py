"""The public keys with which Graph signs its callbacks, as they are announced over HTTPS.

The announcement is read by hand: its issuer differs from its address and it names an algorithm that does not exist
(``RSA256``), so a strict OpenID client refuses it (MicrosoftDocs/bot-docs#2064).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

# Microsoft's own sample reads the announcement again every two hours.
_REFRESH_SECONDS = 2 * 3600.0
# Keys stay usable for a day when the announcement can't be read, then the door closes.
_STALE_SECONDS = 24 * 3600.0
# An unknown key id may ask for a new reading, but a stranger's inventions must not hammer the announcement.
_FLOOR_SECONDS = 10.0
# A dead announcement is not asked again for every callback that waits; with keys at hand there is no hurry.
_FAILED_SECONDS = 1.0
_FAILED_WITH_KEYS_SECONDS = 10.0
_FETCH_SECONDS = (2.0, 3.0)
_MOST_KEYS = 200
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class KeysUnavailable(Exception):
    """The keys can't be had at all, so no token can be judged for now."""


class CallbackKeys:
    """The announced keys by key id, read when needed, by age, and on an unknown key id."""

    def __init__(
        self,
        openid_configuration: str,
        session: requests.Session,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = openid_configuration
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")
        self._asked_for_unknown_at = float("-inf")

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """Return the announced key with this id, or None where there is none.

        Raises:
            KeysUnavailable: there are no keys, or only ones too old to be trusted.
        """
        age = self._age()
        # Whoever comes first reads; the others go on with the keys there are, as long as these are good.
        if age > _REFRESH_SECONDS and self._lock.acquire(blocking=age > _STALE_SECONDS):
            try:
                if self._age() > _REFRESH_SECONDS:
                    self._read()
            finally:
                self._lock.release()
        if self._age() > _STALE_SECONDS:
            message = "the keys of Graph's callbacks can't be read"
            raise KeysUnavailable(message)
        return self._keys.get(key_id) or self._newly_announced(key_id)

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _newly_announced(self, key_id: str) -> jwt.PyJWK | None:
        with self._lock:
            # Callbacks signed with a new key come several at once: all but the first find it here.
            if key_id not in self._keys and self._clock() - self._asked_for_unknown_at >= _FLOOR_SECONDS:
                self._asked_for_unknown_at = self._clock()
                self._read()
            return self._keys.get(key_id)

    def _read(self) -> None:
        has_keys = self._age() <= _STALE_SECONDS
        pause = _FAILED_WITH_KEYS_SECONDS if has_keys else _FAILED_SECONDS
        if self._clock() - self._failed_at < pause:
            return
        keys = self._announced()
        if keys:
            self._keys = keys
            self._read_at = self._clock()
        else:
            self._failed_at = self._clock()

    def _announced(self) -> dict[str, jwt.PyJWK]:
        configuration = self._fetch(self._address)
        address = configuration.get("jwks_uri")
        if not isinstance(address, str) or not _is_safe(address):
            return {}
        entries = self._fetch(address).get("keys")
        keys: dict[str, jwt.PyJWK] = {}
        for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else []:
            key = _rsa_key(entry)
            if key is not None and isinstance(key.key_id, str) and key.key_id:
                keys[key.key_id] = key
        return keys

    def _fetch(self, address: str) -> dict[str, Any]:
        try:
            response = self._session.get(address, timeout=_FETCH_SECONDS, allow_redirects=False)
            body = response.json() if response.status_code == requests.codes.ok else {}
        except (OSError, ValueError, RecursionError):  # what requests raises is an OSError
            return {}
        return body if isinstance(body, dict) else {}


def _is_safe(address: str) -> bool:
    """Tell whether keys may be read there: over HTTPS, or on this very machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _rsa_key(entry: object) -> jwt.PyJWK | None:
    """Return a signing key for RS256, whatever algorithm the announcement names beside it."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    try:
        return jwt.PyJWK({"kty": "RSA", "kid": entry["kid"], "n": entry["n"], "e": entry["e"]}, algorithm="RS256")
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        return None
