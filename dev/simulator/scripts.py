"""Calls, meetings and incoming calls that tests ask for, and the service's limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from dev.simulator.options import Behaviour, Count, Options, Reporting, Seconds
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
    announce: bool = True
    """Notify that the call is established, and its roster."""
    behaviour: Behaviour | None = None
    """What people do in this call who have no behaviour of their own."""
    managed: bool = False
    """It ends where the app does not keep it alive or is alone in it, as a call does that the app made."""
    grows: bool = False
    """A peer-to-peer call becomes a group call, with a thread and a roster, when a person is invited into it."""


class MeetingOptions(Reporting):
    """A meeting that the app can join, and how Graph reports the legs in it."""

    thread_id: str | None = None
    """The thread of its chat; by default a new one."""
    organizer: str | None = None
    """The organizer's user id; by default a new one. A join that names another is refused with 7504."""
    join_meeting_id: str | None = None
    """The meeting id; by default a new one. An unknown one is refused with 8561."""
    passcode: str | None = None
    """The passcode; by default a new one, "" for none. A wrong one is refused with 8561."""
    tenant_id: str | None = None
    """The meeting's tenant; a join from another one is refused with 7505."""
    participants: list[Annotated[Any, AfterValidator(Identity.named)]] = Field(default_factory=list)
    """Who is in it already."""
    earlier_people: Literal["reported", "hidden"] = "reported"
    """People who were there before the app are on its rosters, or only once something about them changes."""
    locked: bool = False
    """A join is refused with 8560."""
    lobby: bool = False
    """The app waits in the lobby, for ``admitted_after`` or until its time there is over."""
    admitted_after: Seconds | None = None
    """Seconds until the app is admitted."""
    established_after: Seconds = 1
    """Seconds from the join until the call is established."""
    code: Count | None = None
    """A join is accepted and then ends with this code."""
    subcode: Count = 0
    """The subcode with ``code``."""


class IncomingOptions(Reporting):
    """A call to the app, and how Graph reports it."""

    callback_uri: Annotated[str, AfterValidator(callback_uri)]
    """The bot's webhook for calling."""
    id: str | None = None
    """The call's id; by default a new GUID."""
    source: Annotated[Any, AfterValidator(Identity.named)]
    """Who calls: a user id, a phone number or an identitySet."""
    kind: Literal["group", "peerToPeer"] = "peerToPeer"
    """A call to the app alone, or an invitation into a group call."""
    app: Literal["application", "applicationInstance"] = "application"
    """What was called: the app itself or its resource account."""
    old_form: bool = False
    """It comes in the form of the Bot Framework first; 204 asks for Graph's."""


class Limits(Options):
    """Limits of the service and settings of the tenant."""

    keep_alive: Seconds = 45 * 60
    """Seconds after which a call ends that is not kept alive."""
    alone: Seconds | None = 600
    """Seconds after which a call ends that the app is alone in; None: never."""
    lobby: Seconds = 1800
    """Seconds after which the app is removed from a lobby."""
    answer: Seconds = 15
    """Seconds to answer an incoming call, from the response to its notification."""
    removal_allowed: bool = True
    """The tenant lets the app remove people: Set-CsApplicationMeetingConfiguration."""
    registered: bool = True
    """The app is a calling bot of the tenant; without, 7503."""
