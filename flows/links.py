"""The URLs that a caller gets: where to poll, how often, where to look, and where to say that it no longer waits."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flows.urls import is_host_name
from flows.views import invitation_view
from web.answers import Answer
from web.identifiers import token_has_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from domain.call import Call
    from domain.invitation import Invitation
    from domain.waiting import WaitingFlow
    from web.answers import Request
    from web.errors import NotFound

API_PREFIX = "/api"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_REFERRER = "x-ms-apim-referrer-prefix"
# A person who answers does so within seconds, one who does not is called for a minute; each poll counts against the
# flow's licence. (age of the invitation up to, seconds between polls)
_POLLING = ((10.0, 2), (90.0, 5), (300.0, 15))
_SLOWEST_POLLING = 30


def new_token() -> str:
    """Return 256 random bits, fit for a URL."""
    return secrets.token_urlsafe(32)


def token_matches(expected: str, given: str) -> bool:
    """Compare a caller's token in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def token_in(request: Request, missing: Callable[[], NotFound]) -> str:
    """Return the token in a request's URL.

    Raises:
        NotFound: it can't be one; storage need not be asked about it.
    """
    return checked_token(request.query.get("token", ""), missing)


def checked_token(token: str, missing: Callable[[], NotFound]) -> str:
    """Return a token that a caller gave.

    Raises:
        NotFound: it can't be one; storage need not be asked about it.
    """
    if _TOKEN.fullmatch(token) is None:
        raise missing()
    return token


class Links:
    """The public URLs of an invitation; never built from ``Host`` or ``X-Forwarded-Host``."""

    def __init__(self, public_base_url: str, gateway_suffixes: tuple[str, ...], *, token_hours: float = 24) -> None:
        self._base = public_base_url + API_PREFIX
        self._gateways = gateway_suffixes
        self._token_life = timedelta(hours=token_hours)

    def check_age(self, concluded: datetime | None, now: datetime) -> None:
        """Refuse a token whose time is over.

        Args:
            concluded: when the outcome became known; None while it is not.
            now: the time.

        Raises:
            NotFound: it says where to look instead.
        """
        if concluded is not None and now >= concluded + self._token_life:
            raise token_has_ended()

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

    def page(self, call: Call | None) -> str | None:
        """Return the URL of a call's page, its token in the fragment, which no browser sends; None without a token."""
        if call is None or call.page_token is None:
            return None
        return f"{self._base}/page#call={quote(call.call_id, safe='')}&token={call.page_token}"

    @staticmethod
    def invitation(root: str, invitation: Invitation) -> str:
        """Return the URL of ``get_invitation``."""
        return f"{root}/calls/{quote(invitation.call_id, safe='')}/invitations/{invitation.id}"

    def result(self, root: str, invitation: Invitation) -> str:
        """Return the URL to poll, token included."""
        return f"{self.invitation(root, invitation)}/result?token={invitation.token}"

    def callback(self, root: str, invitation: Invitation, flow: WaitingFlow | None) -> str:
        """Return the URL whose DELETE ends a flow's waiting, token included."""
        token = invitation.token if flow is None else flow.token or invitation.token
        return f"{self.invitation(root, invitation)}/callback?token={token}"

    @staticmethod
    def retry_after(invitation: Invitation, now: datetime) -> int:
        """Return the seconds until the next poll: short while a device rings, longer later."""
        return Links.seconds_between_polls(invitation.asked, now)

    @staticmethod
    def seconds_between_polls(began: datetime, now: datetime) -> int:
        """Return the seconds until the next poll of something that began at a time."""
        age = (now - began).total_seconds()
        return next((seconds for until, seconds in _POLLING if age < until), _SLOWEST_POLLING)

    def subscribed(
        self,
        invitation: Invitation,
        flow: WaitingFlow | None,
        call: Call | None,
        headers: Mapping[str, str],
        now: datetime,
    ) -> Answer:
        """Return the 201 after which the outcome is sent to the flow; ``Location`` ends the waiting by DELETE."""
        root = self.root(headers)
        return Answer(
            HTTPStatus.CREATED,
            invitation_view(invitation, call, now, flow=flow),
            {
                "Location": self.callback(root, invitation, flow),
                "Operation-Location": self.invitation(root, invitation),
            },
        )

    def accepted(self, invitation: Invitation, call: Call | None, headers: Mapping[str, str], now: datetime) -> Answer:
        """Return the 202 that a flow polls on."""
        root = self.root(headers)
        return Answer(
            HTTPStatus.ACCEPTED,
            invitation_view(invitation, call, now),
            {
                "Location": self.result(root, invitation),
                "Retry-After": str(self.retry_after(invitation, now)),
                "Operation-Location": self.invitation(root, invitation),
            },
        )
