"""Calls to the app: it is notified at the bot's webhook, and answers or rejects them in time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dev.simulator.calls import Call
from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.rosters import TYPE
from dev.simulator.scripts import CallOptions

if TYPE_CHECKING:
    from dev.simulator import schema
    from dev.simulator.legs import Legs
    from dev.simulator.people import Identity
    from dev.simulator.schedule import Schedule
    from dev.simulator.scripts import IncomingOptions
    from dev.simulator.world import World

_ACCEPTED_FOR_OLD_FORM = 204
_ESTABLISHED_AFTER = 1
# Real seconds to wait for the response to a notification.
_LONGEST_WAIT = 30


class IncomingCalls:
    """Lets people call the app; everything happens under the world's lock."""

    def __init__(self, schedule: Schedule, world: World, legs: Legs) -> None:
        self._schedule = schedule
        self._world = world
        self._legs = legs

    def arrive(self, options: IncomingOptions, tenant_id: str, client_id: str) -> Call:
        """Call the app."""
        members = options.model_dump(exclude_unset=True, exclude={"source", "old_form"})
        members |= {"kind": options.kind, "managed": True, "grows": True}
        call = Call.make(CallOptions.read(members), tenant_id, client_id)
        call.state, call.direction = "incoming", "incoming"
        source: Identity = options.source
        with self._world.lock:
            caller = self._world.add(call, source)
            call.details = {
                "source": {"identity": {source.kind: dict(source.members)}, "region": "westus", "languageId": "en-US"},
                "targets": [{"identity": {call.me.identity.kind: dict(call.me.identity.members)}, "id": call.me.id}],
                "requestedModalities": ["audio"],
                "tenantId": call.tenant_id,
                "myParticipantId": call.me.id,
                "incomingContext": {
                    TYPE: "#microsoft.graph.incomingContext",
                    "sourceParticipantId": caller.id,
                },
            }
            if call.kind == "group":
                call.joined_by = self._world.grown(call).joined_by(None)
            self._world.open(call)
        self._schedule.after(0, partial(self._notify, call, old_form=options.old_form))
        return call

    def _notify(self, call: Call, *, old_form: bool) -> None:
        if old_form and self._world.reports.incoming_in_old_form(call) != _ACCEPTED_FOR_OLD_FORM:
            call.first_reported.set()
        else:
            self._world.reports.incoming(call)
        call.first_reported.wait(_LONGEST_WAIT)
        self._schedule.after(self._world.limits.answer, partial(self._miss, call), quietly=True)

    def _miss(self, call: Call) -> None:
        with self._world.lock:
            if call.state == "incoming":
                self._world.end(call, (408, 8544, "Callee could not be reached"))

    def answer(self, call: Call, body: schema.Answer, roles: object) -> None:
        """Answer a call; raises GraphRefusal."""
        with self._world.lock:
            _check_incoming(call)
            needed = {"Calls.JoinGroupCall.All", "Calls.JoinGroupCallAsGuest.All"}
            if call.kind == "group" and not needed & set(roles if isinstance(roles, list) else []):
                raise Refusals.no_permission()
            call.callback_uri = body.callback_uri
            self._world.set_state(call, "establishing")
            self._world.reports.establishing(call)
            self._legs.expect_keep_alive(call)
            self._schedule.after(_ESTABLISHED_AFTER, partial(self._legs.establish, call))

    def reject(self, call: Call, body: schema.Reject) -> None:
        """Reject a call; raises GraphRefusal."""
        with self._world.lock:
            _check_incoming(call)
            call.callback_uri = body.callback_uri or call.callback_uri
            self._world.end(call, (0, 0, body.reason or "none"), bare=True)


def _check_incoming(call: Call) -> None:
    if call.state != "incoming":
        raise GraphRefusal(400, "8585", "The action is invalid in the call's current state.")
