"""Ids that come in an address: what may be one, and the 404 for what is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from domain.contexts import is_invitation_id
from web.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from web.answers import Request

_MOST_CHARACTERS = 256
_LONGEST_PATH = 4_096
_FORBIDDEN = frozenset("/\\#?%")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_FLOW_RUN = re.compile(r"[0-9]{15,40}CU[0-9]{1,6}")
_CALL_IN_PATH = re.compile(r"(?:[a-z]+://.*?)?/(?:app|communications)/calls/([^/?]*)", re.IGNORECASE | re.DOTALL)


def is_call_id(value: str) -> bool:
    """Tell whether a string can be a call's id: an HTTP client would turn ``..`` or ``/`` into another request."""
    return (
        0 < len(value) <= _MOST_CHARACTERS
        and value not in (".", "..")
        and value.strip() == value
        and not _FORBIDDEN & set(value)
        and value.isprintable()
    )


def call_id_in(request: Request) -> str:
    """Return the call's id in a request's address.

    Raises:
        BadRequest: it can't be one.
    """
    value = request.route.get("callId", "")
    if not is_call_id(value):
        message = (
            "This is not the id of a call. Use the id that Graph gave when the call was created: at most 256 "
            "characters, without / \\ # ? % and control characters."
        )
        raise BadRequest("InvalidCallId", message, target="callId")
    return value


def invitation_id_in(request: Request) -> str:
    """Return the invitation's id in a request's address.

    Raises:
        NotFound: it can't be one, so there is none.
    """
    value = request.route.get("invitationId", "").upper()
    if not is_invitation_id(value):
        raise no_such_invitation()
    return value


def participant_id_in(request: Request) -> str:
    """Return the id of a person in a call in a request's address.

    Raises:
        NotFound: it can't be one, so there is none; Graph would take ``..`` for the call itself.
    """
    value = request.route.get("participantId", "")
    if not is_call_id(value):
        raise no_such_participant()
    return value


def no_such_participant() -> NotFound:
    """Return the 404 for a call or a person in it that there is not."""
    message = "There is no such call or person. Use the ID of a person that List participants returns."
    return NotFound("ParticipantNotFound", message)


def escalation_id_in(request: Request) -> str:
    """Return the escalation's id in a request's path.

    Raises:
        NotFound: it can't be one, so there is none.
    """
    value = request.route.get("escalationId", "").upper()
    if not is_invitation_id(value):
        message = "There is no such escalation. Use the URL that the app returned when it accepted it."
        raise NotFound("EscalationNotFound", message)
    return value


def start_id_in(request: Request) -> str:
    """Return the start's id in a request's path.

    Raises:
        NotFound: it can't be one, so there is none.
    """
    value = request.route.get("startId", "").upper()
    if not is_invitation_id(value):
        message = "There is no such start. Use the URL that the app returned when it accepted it."
        raise NotFound("StartNotFound", message)
    return value


def no_such_invitation() -> NotFound:
    """Return the 404 that is the same for a wrong call, invitation or token."""
    message = "There is no such invitation. Use the address that the app gave when it accepted the invitation."
    return NotFound("InvitationNotFound", message)


def token_has_ended() -> NotFound:
    """Return the 404 for a right token whose time is over."""
    message = (
        "This URL worked for some hours after the outcome. Read it with the app's key instead: the same URL without "
        "its last segment and its token, or the connector's action that gets it."
    )
    return NotFound("TokenEnded", message)


def call_id_from_path(path: object) -> str | None:
    """Return the call's id in a notification's ``/app/calls/{id}/...`` or ``/communications/calls/{id}/...``."""
    if not isinstance(path, str) or len(path) > _LONGEST_PATH:
        return None
    match = _CALL_IN_PATH.match(path)
    segment = unquote(match[1]) if match else ""
    return segment if is_call_id(segment) else None


def request_id(value: str | None) -> str | None:
    """Return a header's value if it is a GUID, as ids of requests are; nothing else of a header reaches a log."""
    return value if _GUID.fullmatch(value or "") else None


def flow_run_id(value: str | None) -> str | None:
    """Return the value of ``x-ms-workflow-run-id`` if it is the id of a flow's run (``08584…CU130``)."""
    return value if _FLOW_RUN.fullmatch(value or "") else None
