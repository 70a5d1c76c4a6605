"""How the storage libraries connect: one transport and one credential for all clients, no retries of their own.

The libraries' retries are off: they send conditional writes again after a 5xx, so that an own write comes back as a
conflict, sleep a ``Retry-After`` in full, and add seconds of jitter (azure-core 1.41.0, azure-storage-queue 12.18.1).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from azure.core.pipeline.transport import RequestsTransport

from storage.budget import time_limits
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

    from settings import Settings

CLIENT_OPTIONS: dict[str, Any] = {"retry_total": 0, "retry_connect": 0, "retry_read": 0, "logging_enable": False}
# One for each request that a busy instance works on; the libraries keep ten, and open all others anew.
_KEPT_CONNECTIONS = 64
_LAST_SECONDS = 30.0
_RENEWAL_PAUSE_SECONDS = 30.0


class StorageTransport(RequestsTransport):  # type: ignore[misc]  # azure.core has no types here
    """The library's transport, within the time that the request in progress has left."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.open()
        for adapter in self.session.adapters.values() if self.session is not None else ():
            adapter.init_poolmanager(_KEPT_CONNECTIONS, _KEPT_CONNECTIONS)

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request."""
        return super().send(request, **{**options, **time_limits()})


class SharedCredential:
    """One managed identity for all clients: one request for a token at a time, renewed at half of its lifetime.

    While renewal fails the token in hand is used until shortly before its end.
    """

    def __init__(self, client_id: str | None) -> None:
        # Imported only where a managed identity is used: it costs as much as the rest of the app.
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

        self._identity = ManagedIdentityCredential(client_id=client_id, transport=StorageTransport(), **CLIENT_OPTIONS)
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, ...], tuple[AccessToken, float]] = {}

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token for the scopes.

        Raises:
            StorageUnavailable: the identity gives none, and none in hand is still good.
        """
        held = self._tokens.get(scopes)
        if held is not None and time.time() < held[1]:
            return held[0]
        usable = held is not None and time.time() < held[0].expires_on - _LAST_SECONDS
        if not self._lock.acquire(blocking=not usable, timeout=-1 if usable else time_limits()["read_timeout"]):
            if held is not None and usable:
                return held[0]  # another thread renews it
            raise StorageUnavailable
        try:
            held = self._tokens.get(scopes)
            if held is not None and time.time() < held[1]:
                return held[0]
            token: AccessToken = self._identity.get_token(*scopes, **options)
            self._tokens[scopes] = token, time.time() + (token.expires_on - time.time()) / 2
        except Exception:
            if held is None or not usable:
                raise
            self._tokens[scopes] = held[0], time.time() + _RENEWAL_PAUSE_SECONDS
            return held[0]
        else:
            return token
        finally:
            self._lock.release()


def credential_for(settings: Settings) -> SharedCredential | None:
    """Return the credential of the storage account; None where a connection string holds it."""
    if settings.storage.connection_string is not None:
        return None
    return SharedCredential(settings.storage.identity_client_id)
