"""A call that the simulator makes on request."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from dev.simulator.options import Behaviour, Reporting
from dev.simulator.people import Identity

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def callback_uri(value: str) -> str:
    """Accept what Graph accepts, and HTTP on this machine; raises ValueError."""
    url = urlsplit(value)
    if url.scheme != "https" and (url.scheme != "http" or url.hostname not in LOOPBACK):
        raise ValueError("must be https, or http on this machine")
    if not value.isprintable() or not url.hostname:
        raise ValueError("must be an absolute URL")
    return value


class CallOptions(Reporting):
    """A call, and how Graph reports every invitation into it."""

    callback_uri: Annotated[str, AfterValidator(callback_uri)]
    """Where the call's events go: https, or http on this machine."""
    id: str | None = None
    """The call's id; by default a new GUID."""
    kind: Literal["group", "peerToPeer"] = "group"
    """A peer-to-peer call accepts one person more, and its roster can't be read."""
    participants: list[Annotated[Any, AfterValidator(Identity.named)]] = Field(default_factory=list)
    """Who is in it: user ids, phone numbers (``+...``) or identitySets."""
    app: Literal["application", "applicationInstance"] = "application"
    """The identity that the roster shows the app with."""
    tenant_id: str | None = None
    """The call's tenant; with another one than the app's, Graph refuses with 7505."""
    client_id: str | None = None
    """The app registration that owns the call; with another one than the app's, Graph refuses with 8522."""
    delta_roster: bool = False
    """Rosters come as deltaParticipants, as with ``isDeltaRosterEnabled``."""
    operations_readable: bool = False
    """Operations can be read, which Graph documents for none of these."""
    roster_read: Literal["empty", "error"] = "empty"
    """What reading the roster of a peer-to-peer call returns."""
    mixed: Literal["failed", "completed"] = "failed"
    """How an operation ends if some people came and others did not."""
    announce: bool = True
    """Notify that the call is established, and its roster."""
    behaviour: Behaviour | None = None
    """What people do in this call who have no behaviour of their own."""
