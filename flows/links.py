"""How a flow waits for an outcome: where to poll, how often, and with which token."""

from __future__ import annotations

import hmac
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flows.views import invitation_view
from flows.webhooks import is_host_name
from web.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.model import Invitation, Presence

API_PREFIX = "/api"
_REFERRER = "x-ms-apim-referrer-prefix"
# Somebody who answers does so within seconds, somebody who does not rings for a minute; each poll counts against
# the flow's licence. (age of the invitation up to, seconds between polls)
_POLLING = ((10.0, 2), (90.0, 5), (300.0, 15))
_SLOWEST_POLLING = 30


def new_token() -> str:
    """Return 256 random bits, fit for an address."""
    return secrets.token_urlsafe(32)


def token_matches(invitation: Invitation, token: str) -> bool:
    """Compare a caller's token in constant time."""
    return hmac.compare_digest(invitation.token.encode(), token.encode("utf-8", "replace"))


class Addresses:
    """The outside addresses of an invitation; never built from ``Host`` or ``X-Forwarded-Host``."""

    def __init__(self, public_base_url: str, gateway_suffixes: tuple[str, ...]) -> None:
        self._base = public_base_url + API_PREFIX
        self._gateways = gateway_suffixes

    def root(self, headers: Mapping[str, str]) -> str:
        """Return where the caller reaches the app: through a connector's gateway, if it truly is one, or directly."""
        prefix = headers.get(_REFERRER, "").strip()
        return prefix.rstrip("/") if self._is_gateway(prefix) else self._base

    def _is_gateway(self, prefix: str) -> bool:
        try:
            parts = urlsplit(prefix)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        plain = prefix.isascii() and prefix.isprintable() and not set(prefix) & set(" \"'<>\\^`{|}@?#")
        is_bare = parts.scheme == "https" and port in (None, 443)
        return plain and is_bare and is_host_name(host) and host.endswith(self._gateways)

    @staticmethod
    def invitation(root: str, invitation: Invitation) -> str:
        """Return the address of ``get_invitation``."""
        return f"{root}/calls/{quote(invitation.call_id, safe='')}/invitations/{invitation.id}"

    def result(self, root: str, invitation: Invitation) -> str:
        """Return the address to poll, token included."""
        return f"{self.invitation(root, invitation)}/result?token={invitation.token}"

    def callback(self, root: str, invitation: Invitation) -> str:
        """Return the address whose DELETE ends the waiting, token included."""
        return f"{self.invitation(root, invitation)}/callback?token={invitation.token}"

    @staticmethod
    def retry_after(invitation: Invitation, now: datetime) -> int:
        """Return the seconds until the next poll, which follow the ringing: short at first, longer later."""
        age = (now - invitation.asked).total_seconds()
        return next((seconds for until, seconds in _POLLING if age < until), _SLOWEST_POLLING)

    def subscribed(
        self, invitation: Invitation, presence: Mapping[str, Presence], headers: Mapping[str, str]
    ) -> Answer:
        """Return the 201 after which the outcome is sent to the flow; ``Location`` ends the waiting by DELETE."""
        root = self.root(headers)
        return Answer(
            HTTPStatus.CREATED,
            invitation_view(invitation, presence),
            {
                "Location": self.callback(root, invitation),
                "Operation-Location": self.invitation(root, invitation),
            },
        )

    def accepted(
        self,
        invitation: Invitation,
        presence: Mapping[str, Presence],
        headers: Mapping[str, str],
        now: datetime,
    ) -> Answer:
        """Return the 202 that a flow polls on."""
        root = self.root(headers)
        return Answer(
            HTTPStatus.ACCEPTED,
            invitation_view(invitation, presence),
            {
                "Location": self.result(root, invitation),
                "Retry-After": str(self.retry_after(invitation, now)),
                "Operation-Location": self.invitation(root, invitation),
            },
        )
