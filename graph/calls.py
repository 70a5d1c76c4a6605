"""A call in Graph's JSON: the bodies that start, join or reject one, and how a call is read.

Bodies: https://learn.microsoft.com/graph/api/application-post-calls. ``tenantId`` stands at the top level in all of
them, also where Graph's examples lack it: without it Graph answers 403 with code 7505.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from graph import wire
from graph.participants import participant_info
from graph.wire import ODATA_TYPE, odata_type

if TYPE_CHECKING:
    from domain.invitation import Invitee
    from domain.results import ResultInfo

_LOCATION_CALL = re.compile(r"/calls/([^/]+)/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Targets:
    """Users to call without a meeting: one makes a one-to-one call, two to five a group call."""

    people: tuple[Invitee, ...]
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class MeetingCoordinates:
    """A meeting as a long join link names it."""

    thread_id: str = field(repr=False)
    organizer_id: str = field(repr=False)
    message_id: str = "0"
    reply_chain_message_id: str | None = None
    """The link's ``MessageId``, for a meeting in a channel."""


@dataclass(frozen=True, slots=True)
class MeetingId:
    """A meeting as a short join link, or the invitation's text, names it."""

    join_meeting_id: str = field(repr=False)
    passcode: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CallRead:
    """What Graph says of a call."""

    state: str | None
    """In lower case."""
    result: ResultInfo | None
    """How it ended."""
    id: str | None = None
    thread_id: str | None = field(default=None, repr=False)
    """The meeting's thread, which is the same however the meeting was joined."""
    my_participant_id: str | None = None
    """The app's own entry in the roster."""


def create_body(
    to: Targets | MeetingCoordinates | MeetingId, *, callback_uri: str, tenant_id: str, client_id: str
) -> dict[str, Any]:
    """Return the body that starts or joins a call.

    Args:
        to: whom to call, or what to join.
        callback_uri: where Graph reports the call's events; it can't be changed later.
        tenant_id: the tenant of the call, which must be the token's.
        client_id: the app's own id; Graph refuses another one with code 7507.
    """
    body: dict[str, Any] = {
        ODATA_TYPE: odata_type("call"),
        "callbackUri": callback_uri,
        "requestedModalities": ["audio"],
        "mediaConfig": {ODATA_TYPE: odata_type("serviceHostedMediaConfig")},
        "tenantId": tenant_id,
    }
    match to:
        case Targets():
            return body | _targets(to, client_id)
        case MeetingCoordinates():
            return body | _coordinates(to, tenant_id)
        case MeetingId():
            return body | {
                "meetingInfo": {
                    ODATA_TYPE: odata_type("joinMeetingIdMeetingInfo"),
                    "joinMeetingId": to.join_meeting_id,
                    "passcode": to.passcode,
                    "allowConversationWithoutHost": True,
                }
            }


def reject_body(callback_uri: str) -> dict[str, Any]:
    """Return the body that rejects an incoming call as busy."""
    return {"callbackUri": callback_uri, "reason": "busy"}


def _targets(to: Targets, client_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {"targets": [participant_info(invitee) for invitee in to.people]}
    if to.subject is not None:
        body["subject"] = to.subject
    if len(to.people) > 1:
        application = {ODATA_TYPE: odata_type("identity"), "id": client_id}
        body |= {
            "direction": "outgoing",
            "source": {
                ODATA_TYPE: odata_type("participantInfo"),
                "identity": {ODATA_TYPE: odata_type("identitySet"), "application": application},
            },
        }
    return body


def _coordinates(meeting: MeetingCoordinates, tenant_id: str) -> dict[str, Any]:
    chat = {ODATA_TYPE: odata_type("chatInfo"), "threadId": meeting.thread_id, "messageId": meeting.message_id}
    if meeting.reply_chain_message_id is not None:
        chat["replyChainMessageId"] = meeting.reply_chain_message_id
    organizer = {ODATA_TYPE: odata_type("identity"), "id": meeting.organizer_id, "tenantId": tenant_id}
    return {
        "chatInfo": chat,
        "meetingInfo": {
            ODATA_TYPE: odata_type("organizerMeetingInfo"),
            "organizer": {ODATA_TYPE: odata_type("identitySet"), "user": organizer},
            # Else the people who join after the app are removed from the call when the app leaves it.
            "allowConversationWithoutHost": True,
        },
    }


def read_call(body: object, *, location: str | None = None) -> CallRead:
    """Read a call from Graph's JSON; its id comes from the URL in ``location`` where the body has none."""
    entity = body if isinstance(body, dict) else {}
    state = wire.text(entity.get("state"))
    chat = entity.get("chatInfo")
    return CallRead(
        state=state.casefold() if state else None,
        result=wire.result_info(entity.get("resultInfo")),
        id=wire.text(entity.get("id")) or _call_id_in(location),
        thread_id=wire.text(chat.get("threadId")) if isinstance(chat, dict) else None,
        my_participant_id=wire.text(entity.get("myParticipantId")),
    )


def _call_id_in(location: str | None) -> str | None:
    try:
        match = _LOCATION_CALL.search(urlsplit(location or "").path)
    except ValueError:
        return None
    return wire.text(unquote(match[1])) if match else None
