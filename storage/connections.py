"""How the storage libraries connect: no retries of their own, and one credential for all clients.

The libraries' retries are off: they send conditional writes again after a 5xx, so that an own write comes back as a
conflict, sleep a ``Retry-After`` in full, and add seconds of jitter (azure-core 1.41.0, azure-storage-queue 12.18.1).
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from storage.budget import budget, time_limits
from storage.errors import StorageUnavailable
from storage.transport import StorageTransport

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

    from settings import Settings

CLIENT_OPTIONS: dict[str, Any] = {"retry_total": 0, "retry_connect": 0, "retry_read": 0, "logging_enable": False}
_LAST_SECONDS = 30.0
_RENEWAL_SECONDS = 1.0
"""How long a renewal may take while the token in hand is still good."""
_RENEWAL_PAUSE_SECONDS = 30.0


class SharedCredential:
    """One managed identity for all clients: one request for a token at a time, renewed at half of its lifetime.

    While renewal fails the token in hand is used until shortly before its end.
    """

    def __init__(self, client_id: str | None) -> None:
        # Imported only where a managed identity is used: it costs as much as the rest of the app.
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

        options = {**CLIENT_OPTIONS, "transport": StorageTransport()}
        self._new_identity = partial(ManagedIdentityCredential, client_id=client_id, **options)
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, ...], tuple[AccessToken, float]] = {}
        """Each token, and when it is renewed."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token for the scopes.

        Raises:
            StorageUnavailable: the identity gives none, and none in hand is still good.
        """
        token, renewed_at = self._tokens.get(scopes, (None, 0.0))
        now = time.time()
        if token is not None and now < renewed_at:
            return token
        if token is None or now >= token.expires_on - _LAST_SECONDS:
            return self._wait_for_token(scopes, options)
        if self._lock.acquire(blocking=False):
            try:
                with budget(_RENEWAL_SECONDS, whole=True):
                    return self._new_token(scopes, options)
            except Exception:  # noqa: BLE001 - the one in hand is still good
                self._tokens[scopes] = token, time.time() + _RENEWAL_PAUSE_SECONDS
            finally:
                self._lock.release()
        return token

    def _wait_for_token(self, scopes: tuple[str, ...], options: dict[str, Any]) -> AccessToken:
        if not self._lock.acquire(timeout=sum(time_limits())):
            raise StorageUnavailable
        try:
            token, renewed_at = self._tokens.get(scopes, (None, 0.0))
            if token is not None and time.time() < renewed_at:
                return token  # another thread was faster
            return self._new_token(scopes, options)
        except Exception as error:
            raise StorageUnavailable from error
        finally:
            self._lock.release()

    def _new_token(self, scopes: tuple[str, ...], options: dict[str, Any]) -> AccessToken:
        # A new one each time: it repeats a failure from its cache, after a 400 for a minute (msal 1.39.0).
        identity = self._new_identity()
        token: AccessToken = identity.get_token(*scopes, **options)
        self._tokens[scopes] = token, time.time() + (token.expires_on - time.time()) / 2
        return token


def load_identity_library() -> None:
    """Import what a managed identity needs, at the start instead of in the first callback."""
    import azure.identity  # noqa: F401, PLC0415 - costs as much as the rest of the app, and most trials need none


def credential_for(settings: Settings) -> SharedCredential | None:
    """Return the credential of the storage account; None where a connection string holds it."""
    if settings.storage.connection_string is not None:
        return None
    return SharedCredential(settings.storage.identity_client_id)
