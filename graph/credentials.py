"""Tokens for Graph by client credentials, through one MSAL application for the whole process."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import msal

from graph import wire
from graph.errors import CredentialRefused, NothingSent, TokenUnavailable
from observability import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from settings import Settings

_events = telemetry.Events("graph")
# A token is renewed this long before its end, so that it never runs out on the way.
_MARGIN_SECONDS = 300.0
# What Entra ID answers when the app's own registration or credential is at fault, and waiting mends nothing.
_CREDENTIAL_ERRORS = frozenset({"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"})
# What MSAL lets through where an answer is not of the documented form: a gateway's page, an error without its members.
_OUT_OF_ORDER = (
    msal.exceptions.MsalServiceError,
    json.JSONDecodeError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
)
# MSAL makes no difference between an unknown tenant and a busy Entra ID but in its text (msal/authority.py).
_THROTTLED_DISCOVERY = "HTTP status: 429"


class TokenSource:
    """Gives the app's bearer token for Graph, and a fresh one where Graph refused the one it had."""

    def __init__(
        self, settings: Settings, session: requests.Session, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._application: msal.ConfidentialClientApplication | None = None
        self._token = ""
        self._good_until = float("-inf")

    def token(self) -> str:
        """Return a token that is good for at least a few minutes.

        Raises:
            TokenUnavailable: Entra ID can't be reached or is busy.
            CredentialRefused: Entra ID refuses the app's credential.
        """
        if self._clock() < self._good_until:
            return self._token
        with self._lock:
            if self._clock() >= self._good_until:
                try:
                    self._acquire()
                except NothingSent as error:
                    _events.warning(f"no token: {error}")
                    raise
            return self._token

    def fresh_token(self, refused: str) -> str:
        """Return another token than the one that Graph refused; many callers at once cause one request."""
        with self._lock:
            if self._token == refused:
                self._good_until = float("-inf")
                if self._application is not None:
                    self._application.remove_tokens_for_client()
        return self.token()

    def _acquire(self) -> None:
        try:
            if self._application is None:
                self._application = self._new_application()
            with telemetry.span("entra token", "microsoft.entra"):
                answer = self._application.acquire_token_for_client(scopes=[self._settings.graph_scope])
        except OSError as error:  # what requests raises is one too, and so is a missing file of authorities
            message = "Entra ID could not be reached"
            raise TokenUnavailable(message) from error
        except _OUT_OF_ORDER as error:
            message = "Entra ID is out of order"
            raise TokenUnavailable(message) from error
        except (ValueError, jwt.PyJWTError) as error:
            # MSAL raises these for an unknown tenant or an authority that is none, and for a key it can't read.
            if _THROTTLED_DISCOVERY in str(error.__context__):
                message = "Entra ID is busy"
                raise TokenUnavailable(message) from error
            message = "Entra ID does not know this tenant, or the certificate can't be used"
            raise CredentialRefused(message) from error
        self._keep(answer)

    def _keep(self, answer: dict[str, Any] | None) -> None:
        answer = answer or {}
        token = answer.get("access_token")
        if isinstance(token, str) and token:
            lifetime = float(answer.get("expires_in") or 0)
            self._token = token
            self._good_until = self._clock() + max(lifetime - _MARGIN_SECONDS, min(lifetime, 30.0))
            return
        codes, reason = answer.get("error_codes"), wire.text(answer.get("error"))
        code = f"AADSTS{codes[0]}" if isinstance(codes, list) and codes else None
        if reason in _CREDENTIAL_ERRORS or (code is not None and reason != "temporarily_unavailable"):
            message = f"Entra ID refused the app's credential ({code or reason})"
            raise CredentialRefused(message, code=code)
        message = f"Entra ID gave no token ({code or reason or 'no reason given'})"
        raise TokenUnavailable(message)

    def _new_application(self) -> msal.ConfidentialClientApplication:
        settings = self._settings
        return msal.ConfidentialClientApplication(
            settings.client_id,
            authority=settings.authority,
            client_credential=self._client_credential(),
            instance_discovery=False if settings.authority_is_overridden else None,
            http_client=self._session,
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
        return {"client_assertion": self._identity_assertion}

    def _identity_assertion(self) -> str:
        client_id = self._settings.credential.managed_identity_client_id or "system"
        identity: Any
        if client_id.casefold() == "system":
            identity = msal.SystemAssignedManagedIdentity()
        else:
            identity = msal.UserAssignedManagedIdentity(client_id=client_id)
        client = msal.ManagedIdentityClient(identity, http_client=self._session)
        answer = client.acquire_token_for_client(resource=self._settings.cloud.identity_audience)
        assertion = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(assertion, str):
            message = "the managed identity gave no token: is it assigned to the app?"
            raise CredentialRefused(message)
        return assertion
