"""Graph v1.0's calls: each operation, as an HTTP request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.simulator import entities, rosters, schema
from dev.simulator.creations import read_creation
from dev.simulator.entra import INVITE_ROLE, Entra
from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.invitations import read_invitation
from dev.simulator.web import Response

if TYPE_CHECKING:
    from dev.simulator.calls import Call
    from dev.simulator.dispatch import Visit
    from dev.simulator.incoming import IncomingCalls
    from dev.simulator.legs import Legs
    from dev.simulator.log import EventLog
    from dev.simulator.ringing import Invitations
    from dev.simulator.world import World

# Real seconds that a response is held back at most for a report to be delivered first.
_LONGEST_WAIT = 30
Handlers = tuple["Invitations", "Legs", "IncomingCalls"]


class GraphCalls:
    """Handles requests about calls; each method raises GraphRefusal for what Graph refuses."""

    def __init__(self, log: EventLog, world: World, entra: Entra, base_url: str, *, handlers: Handlers) -> None:
        self._log = log
        self._world = world
        self._entra = entra
        self._base_url = base_url
        self._invitations, self._legs, self._incoming = handlers

    def create(self, visit: Visit) -> Response:
        """Create a call, or refuse it."""
        claims = self._entra.verify(visit.request.headers.get("Authorization"))
        with self._world.lock:
            creation = read_creation(visit.request, claims, self._world.meetings, self._world.limits)
            call = self._legs.create(creation, claims, visit.fault)
            self._log.note(
                visit.entry,
                taken=True,
                call_id=call.id,
                people=tuple(target.id for target in creation.targets),
                ignored=tuple(schema.ignored(creation.body)),
            )
            body = entities.call_read(call)
        if (visit.fault or self._world.reports.of(call)).before_response:
            call.first_reported.wait(_LONGEST_WAIT)
        return Response(201, body, {"Location": f"{self._base_url}/v1.0/communications/calls/{call.id}"})

    def keep_alive(self, visit: Visit) -> Response:
        """Keep a call alive."""
        self._legs.keep_alive(self._live_call(visit)[0])
        return Response(200)

    def hang_up(self, visit: Visit) -> Response:
        """Have the app leave a call."""
        self._legs.hang_up(self._live_call(visit)[0])
        return Response(204)

    def answer(self, visit: Visit) -> Response:
        """Answer an incoming call."""
        call, claims = self._live_call(visit)
        self._incoming.answer(call, schema.read(schema.Answer, visit.request), claims.get("roles"))
        return Response(202)

    def reject(self, visit: Visit) -> Response:
        """Reject an incoming call."""
        call, _ = self._live_call(visit)
        self._incoming.reject(call, schema.read(schema.Reject, visit.request))
        return Response(202)

    def remove_participant(self, visit: Visit) -> Response:
        """Remove a participant, or cancel the call to a person who has not answered."""
        call, claims = self._live_call(visit)
        if not {"Calls.JoinGroupCall.All", "Calls.JoinGroupCallAsGuest.All"} & set(_roles(claims)):
            raise Refusals.no_permission()
        self._legs.remove(call, visit.parts[1])
        return Response(204)

    def invite(self, visit: Visit) -> Response:
        """Accept an invite, or refuse it."""
        call, claims = self._call(visit)
        if INVITE_ROLE not in _roles(claims):
            raise Refusals.no_permission()
        invitation = read_invitation(visit.request, call)
        with self._world.lock:
            if call.state in {"establishing", "incoming"}:
                raise GraphRefusal(400, "8501", "The call is not established.")
            if call.state != "established":
                raise Refusals.call_not_found()
            operation = self._invitations.take(call, invitation, visit.fault)
            self._log.note(
                visit.entry,
                taken=True,
                operation_id=operation.id,
                people=tuple(invitee.identity.id for invitee in invitation.people),
                dropped=invitation.dropped,
                ignored=invitation.ignored,
            )
        if operation.reporting.before_response:
            operation.reported.wait(_LONGEST_WAIT)
        path = f"/v1.0/communications/calls/{visit.parts[0]}/operations/{operation.id}"
        body = None if operation.reporting.response_empty else entities.invite_answer(operation)
        return Response(200, body, {"Location": f"{self._base_url}{path}"})

    def read_call(self, visit: Visit) -> Response:
        """Return a call as it is now."""
        call, _ = self._call(visit)
        return Response(body=entities.call_read(call))

    def list_participants(self, visit: Visit) -> Response:
        """Return a call's roster; that of a one-to-one call can't be read."""
        call, _ = self._call(visit)
        if call.kind == "peerToPeer":
            if self._world.reports.of(call).roster_read == "error":
                raise GraphRefusal(400, "BadRequest", "This operation is not supported for peer-to-peer calls.")
            return Response(body={"value": []})
        with self._world.lock:
            return Response(body={"value": rosters.roster_read(call, self._world.reports.of(call))})

    def read_participant(self, visit: Visit) -> Response:
        """Return one participant."""
        call, _ = self._call(visit)
        with self._world.lock:
            for someone in rosters.roster_read(call, self._world.reports.of(call)):
                if someone["id"] == visit.parts[1]:
                    return Response(body=someone)
        raise Refusals.participant_not_found()

    def read_operation(self, visit: Visit) -> Response:
        """Return an operation where the options allow it, which no page documents for Graph."""
        call, _ = self._call(visit)
        operation = call.operations.get(visit.parts[1])
        if operation is None or not self._world.reports.of(call).operations_readable:
            raise GraphRefusal(404, "NotFound", "Operation not found.")
        return Response(body=entities.operation_read(operation))

    def _live_call(self, visit: Visit) -> tuple[Call, dict[str, object]]:
        """Return the call that a request is about, which must not have ended."""
        call, claims = self._call(visit)
        if call.has_ended:
            raise Refusals.call_not_found()
        return call, claims

    def _call(self, visit: Visit) -> tuple[Call, dict[str, object]]:
        """Return the call that a request is about, which must be the app's and the tenant's, and the token's claims."""
        claims = self._entra.verify(visit.request.headers.get("Authorization"))
        call = self._world.calls.get(visit.entry.call_id or "")
        if call is None or call.forgotten or call.client_id != claims.get("appid"):
            raise Refusals.call_not_found()
        if call.tenant_id != claims.get("tid"):
            raise Refusals.tenant_mismatch()
        return call, claims


def _roles(claims: dict[str, object]) -> list[object]:
    roles = claims.get("roles")
    return roles if isinstance(roles, list) else []
