"""Reading a request to create a call as Graph does: which variant it is, and what it refuses.

https://learn.microsoft.com/graph/api/application-post-calls
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.simulator import schema
from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.people import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.simulator.meetings import Meeting, Meetings
    from dev.simulator.rosters import Json
    from dev.simulator.scripts import Limits
    from dev.simulator.web import Request


@dataclass(frozen=True, slots=True)
class Creation:
    """A call to create."""

    body: schema.Create
    sent: Json
    """The body as it was sent."""
    kind: str
    targets: tuple[Identity, ...]
    meeting: Meeting | None
    app: Identity | None
    """The app's identity on rosters, where that isn't its registration."""

    @property
    def calls_phone(self) -> bool:
        """Whether a phone is called."""
        return any(target.kind == "phone" for target in self.targets)


def read_creation(request: Request, claims: Mapping[str, object], meetings: Meetings, limits: Limits) -> Creation:
    """Read a create with a token of ``claims``; raises GraphRefusal."""
    body = schema.read(schema.Create, request)
    sent = body.model_dump(by_alias=True, exclude_unset=True)
    targets = tuple(target.who for target in body.targets or ())
    if bool(targets) == bool(body.meeting_info):
        raise Refusals.invalid("Either 'targets' or 'meetingInfo' is needed.")
    if len(targets) > schema.MOST_PEOPLE:
        raise Refusals.invalid(f"At most {schema.MOST_PEOPLE} targets can be called at once.")
    if len(targets) > 1 and any(target.kind != "user" for target in targets):
        raise Refusals.invalid("A group call can be created with users only.")
    if not limits.registered:
        raise GraphRefusal(403, "7503", "Application is not registered in our store.")
    _check_roles(body, targets, claims)
    kind = "peerToPeer" if len(targets) == 1 else "group"
    # One user can be called without it.
    if body.tenant_id != claims.get("tid") and (body.tenant_id is not None or kind == "group"):
        raise Refusals.tenant_mismatch()
    app = _app(body, claims)
    meeting = meetings.find(body, str(claims.get("tid"))) if body.meeting_info else None
    return Creation(body, sent, kind, targets, meeting, app)


def _check_roles(body: schema.Create, targets: tuple[Identity, ...], claims: Mapping[str, object]) -> None:
    """Check the permission of the variant."""
    roles = claims.get("roles")
    granted = set(roles) if isinstance(roles, list) else set()
    if len(targets) == 1:
        needed = {"Calls.Initiate.All"}
    elif targets:
        needed = {"Calls.InitiateGroupCall.All"}
    elif body.source and Identity.of({"guest": body.source.identity.as_sent().get("guest")}):
        needed = {"Calls.JoinGroupCallAsGuest.All"}
    else:
        needed = {"Calls.JoinGroupCall.All"}
    if not needed <= granted:
        raise Refusals.no_permission()


def _app(body: schema.Create, claims: Mapping[str, object]) -> Identity | None:
    """Return the app's own identity; the app id in ``source`` must be the token's."""
    source = body.source.identity.as_sent() if body.source else {}
    application = Identity.of({"application": source.get("application")})
    if application and application.key != str(claims.get("appid")).casefold():
        raise GraphRefusal(403, "7507", "The source identity does not match the application of the token.")
    return Identity.of({kind: source.get(kind) for kind in ("applicationInstance", "guest")})
