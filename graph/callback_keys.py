"""The public keys that sign one kind of callback token, as the OpenID metadata of their issuer publishes them.

The metadata is read by hand: that of the calling service names an issuer that differs from its own URL, and an
algorithm that does not exist (``RSA256``), so a strict OpenID client refuses it (MicrosoftDocs/bot-docs#2064).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
import requests

from graph.errors import KeysUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

# Microsoft's own sample reads the metadata again every two hours.
_REFRESH_SECONDS = 2 * 3600.0
# Keys stay usable for a day when the metadata can't be read; after that no token is accepted.
_STALE_SECONDS = 24 * 3600.0
# An unknown key id may cause a new download, but invented ones must not cause one each. The same pause follows a
# failed download while there are keys; without keys every callback waits, so the pause is short.
_PAUSE_SECONDS = 30.0
_PAUSE_WITHOUT_KEYS_SECONDS = 1.0
# For metadata and keys together: Graph waits five seconds for the response to a callback.
_DOWNLOAD_SECONDS = 4.0
_CONNECT_SECONDS = 2.0
_MOST_KEYS = 200
_LEAST_BITS = 2048
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key that signs tokens with RS256."""

    jwk: jwt.PyJWK
    issuer: str | None
    """The only issuer whose tokens it signs, where the key set names one; may hold ``{tenantid}``."""


@dataclass(frozen=True, slots=True)
class _Published:
    issuer: str | None
    keys: dict[str, PublishedKey]


class CallbackKeys:
    """The published keys by key id: downloaded when first needed, by age, and for an unknown key id."""

    def __init__(
        self,
        openid_configuration: str,
        session: requests.Session,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = openid_configuration
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._published = _Published(None, {})
        self._read_at = float("-inf")
        self._failed_at = float("-inf")
        self._last_failed = False
        self._asked_for_unknown_at = float("-inf")

    def key(self, key_id: str) -> PublishedKey | None:
        """Return the published key with this id, None where there is none.

        Raises:
            KeysUnavailable: there are no keys, or only ones too old to be trusted, or the key is unknown and the
                last download failed.
        """
        key = self._current().keys.get(key_id) or self._newly_published(key_id)
        if key is None and self._last_failed:
            message = "the key is unknown, and the newest keys can't be read"
            raise KeysUnavailable(message)
        return key

    def issuer(self) -> str | None:
        """Return the issuer that the metadata names, None where it names none.

        Raises:
            KeysUnavailable: the metadata can't be read.
        """
        return self._current().issuer

    def _current(self) -> _Published:
        age = self._age()
        # The first caller downloads; the others go on with the keys there are, as long as these may be used.
        if age > _REFRESH_SECONDS and self._lock.acquire(blocking=age > _STALE_SECONDS):
            try:
                if self._age() > _REFRESH_SECONDS:
                    self._download()
            finally:
                self._lock.release()
        if self._age() > _STALE_SECONDS:
            message = "the keys can't be read"
            raise KeysUnavailable(message)
        return self._published

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _newly_published(self, key_id: str) -> PublishedKey | None:
        with self._lock:
            # Callbacks signed with a new key come several at once: all but the first find it here.
            is_due = self._clock() - self._asked_for_unknown_at >= _PAUSE_SECONDS
            if key_id not in self._published.keys and is_due:
                self._asked_for_unknown_at = self._clock()
                self._download()
            return self._published.keys.get(key_id)

    def _download(self) -> None:
        has_keys = self._age() <= _STALE_SECONDS
        if self._clock() - self._failed_at < (_PAUSE_SECONDS if has_keys else _PAUSE_WITHOUT_KEYS_SECONDS):
            return
        published = self._read()
        self._last_failed = not published.keys
        if self._last_failed:
            self._failed_at = self._clock()
        else:
            self._published = published
            self._read_at = self._clock()

    def _read(self) -> _Published:
        deadline = time.monotonic() + _DOWNLOAD_SECONDS
        metadata = self._fetch(self._url, deadline)
        url, issuer = metadata.get("jwks_uri"), metadata.get("issuer")
        if not isinstance(url, str) or not _is_safe(url):
            return _Published(None, {})
        entries = self._fetch(url, deadline).get("keys")
        keys: dict[str, PublishedKey] = {}
        for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else []:
            key = _signing_key(entry)
            if key is not None and isinstance(key.jwk.key_id, str) and key.jwk.key_id:
                keys[key.jwk.key_id] = key
        return _Published(issuer if isinstance(issuer, str) else None, keys)

    def _fetch(self, url: str, deadline: float) -> dict[str, Any]:
        left = deadline - time.monotonic()
        if left <= 0:
            return {}
        try:
            response = self._session.get(url, timeout=(min(left, _CONNECT_SECONDS), left), allow_redirects=False)
            body = response.json() if response.status_code == requests.codes.ok else {}
        except (OSError, ValueError, RecursionError):  # what requests raises is an OSError
            return {}
        return body if isinstance(body, dict) else {}


def _is_safe(url: str) -> bool:
    """Return whether keys may be read there: over HTTPS, or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _signing_key(entry: object) -> PublishedKey | None:
    """Return a signing key for RS256, whatever algorithm its entry names."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    try:
        jwk = jwt.PyJWK({"kty": "RSA", "kid": entry["kid"], "n": entry["n"], "e": entry["e"]}, algorithm="RS256")
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        return None
    issuer = entry.get("issuer")
    if jwk.key.key_size < _LEAST_BITS or not (issuer is None or isinstance(issuer, str)):
        return None
    return PublishedKey(jwk, issuer)
