"""The app's token for Graph by client credentials, through one MSAL application for the whole process."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import msal

from graph import wire
from graph.entra_errors import is_lasting
from graph.errors import CredentialRefused, NothingSent, TokenUnavailable
from graph.identity import identity_assertion
from graph.tracing import request_span
from graph.transport import StatusKeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from settings import Settings

_log = logging.getLogger("call_invites.graph")
# A token is used until this long before its end, so that it doesn't expire on its way to Graph.
_LAST_SECONDS = 30.0
# While renewal fails, it is tried again this often, by one request; the others use the token there is.
_RETRY_SECONDS = 30.0
# What MSAL lets through where a response is not of the documented form: 502 and 503, a gateway's page, an error without
# its properties.
_OUT_OF_ORDER = (
    msal.exceptions.MsalServiceError,
    json.JSONDecodeError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
)
# MSAL distinguishes an unknown tenant from a busy Entra ID only in its text (msal/authority.py).
_THROTTLED_DISCOVERY = "HTTP status: 429"


class TokenSource:
    """Holds the app's bearer token for Graph, and renews it at half of its lifetime.

    MSAL's own cache is not relied on: it fails on a 503 of Entra ID although it holds a good token, and gives none out
    in its last five minutes.
    """

    def __init__(
        self, settings: Settings, session: requests.Session, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._http = StatusKeeper(session)
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._application: msal.ConfidentialClientApplication | None = None
        self._token = ""
        self._renew_at = float("-inf")
        self._usable_until = float("-inf")
        self._renewals = 0
        self._failure: NothingSent | None = None

    def token(self) -> str:
        """Return a token that is valid for at least half a minute.

        Raises:
            TokenUnavailable: Entra ID can't be reached or is busy, and no valid token is left.
            CredentialRefused: Entra ID refuses the app's credential, and no valid token is left.
        """
        token, now, renewals = self._token, self._clock(), self._renewals
        if now < self._renew_at:
            return token
        # One request renews; meanwhile the others use the token there is, as long as it is valid.
        if self._lock.acquire(blocking=now >= self._usable_until):
            try:
                if self._renewals == renewals:
                    self._renew()
                elif self._failure is not None:
                    raise self._failure  # of the renewal that this request waited for: Entra ID may be slow to fail
                token = self._token
            finally:
                self._lock.release()
        return token

    def fresh_token(self, refused: str) -> str:
        """Return another token than the one that Graph refused; many callers at once cause one request."""
        with self._lock:
            if self._token == refused:
                self._renew_at = self._usable_until = float("-inf")
        return self.token()

    def _renew(self) -> None:
        self._failure = None
        try:
            self._keep(self._acquire())
        except NothingSent as error:
            _log.warning("no token: %(why)s", {"why": error})
            if self._clock() >= self._usable_until:
                self._failure = error
                raise
            self._renew_at = min(self._clock() + _RETRY_SECONDS, self._usable_until)
        finally:
            self._renewals += 1

    def _acquire(self) -> dict[str, Any]:
        try:
            if self._application is None:
                self._application = self._new_application()
            # Else MSAL would answer with the token that is to be renewed.
            self._application.remove_tokens_for_client()
            with request_span("entra token", "microsoft.entra"):
                return self._application.acquire_token_for_client(scopes=[self._settings.graph_scope]) or {}
        except OSError as error:  # what requests raises is one too, and so is a missing CA bundle
            message = "Entra ID could not be reached"
            raise TokenUnavailable(message) from error
        except _OUT_OF_ORDER as error:
            message = "Entra ID is out of order"
            raise TokenUnavailable(message) from error
        except (ValueError, jwt.PyJWTError) as error:
            # MSAL raises these for an unknown tenant, for a URL that is no authority, and for a key that it can't read.
            if _THROTTLED_DISCOVERY in str(error.__context__):
                message = "Entra ID is busy"
                raise TokenUnavailable(message) from error
            message = "Entra ID does not know this tenant, or the certificate can't be used"
            raise CredentialRefused(message) from error

    def _keep(self, answer: dict[str, Any]) -> None:
        token = answer.get("access_token")
        if isinstance(token, str) and token:
            lifetime, now = float(answer.get("expires_in") or 0), self._clock()
            self._token = token
            self._usable_until = now + max(lifetime - _LAST_SECONDS, lifetime / 2)
            self._renew_at = now + lifetime / 2
            return
        codes, reason = answer.get("error_codes"), wire.text(answer.get("error"))
        code = f"AADSTS{codes[0]}" if isinstance(codes, list) and codes else None
        if is_lasting(self._http.status or 0) and reason != "temporarily_unavailable":
            message = f"Entra ID refused the app's credential ({code or reason})"
            raise CredentialRefused(message, code=code)
        message = f"Entra ID issued no token ({code or reason or 'no reason given'})"
        raise TokenUnavailable(message)

    def _new_application(self) -> msal.ConfidentialClientApplication:
        settings = self._settings
        return msal.ConfidentialClientApplication(
            settings.client_id,
            authority=settings.authority,
            client_credential=self._client_credential(),
            instance_discovery=False if settings.authority_is_overridden else None,
            http_client=self._http,
        )

    def _client_credential(self) -> str | dict[str, Any]:
        credential = self._settings.credential
        if credential.client_secret is not None:
            return credential.client_secret
        if credential.certificate_pem is not None:
            return {
                "private_key": credential.certificate_pem,
                "public_certificate": credential.certificate_pem,
            }
        client_id = credential.managed_identity_client_id or "system"
        audience = self._settings.cloud.identity_audience
        return {"client_assertion": lambda: identity_assertion(client_id, audience, self._session)}
