"""Calls that the app creates, joins or answers, from establishing to the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dev.simulator.calls import Call
from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.invitations import Invitation
from dev.simulator.options import Reporting
from dev.simulator.people import Invitee
from dev.simulator.scripts import CallOptions

if TYPE_CHECKING:
    from dev.simulator.calls import Operation
    from dev.simulator.creations import Creation
    from dev.simulator.meetings import Meeting
    from dev.simulator.people import Participant
    from dev.simulator.ringing import Invitations
    from dev.simulator.schedule import Schedule
    from dev.simulator.world import World

_ESTABLISHED_AFTER = 1


class Legs:
    """What the app does with its own calls; everything happens under the world's lock."""

    def __init__(self, schedule: Schedule, world: World, invitations: Invitations) -> None:
        self._schedule = schedule
        self._world = world
        self._invitations = invitations

    def create(self, creation: Creation, claims: dict[str, object], fault: Reporting | None) -> Call:
        """Create a call: from here on people are called, or the meeting is joined, whatever the response will be."""
        meeting = creation.meeting
        with self._world.lock:
            chosen = Reporting.layered(*(layer for layer in (meeting and meeting.options, fault) if layer))
            body = creation.body
            # The response to this request alone waits where a fault says so.
            names = chosen.model_fields_set - ({"before_response"} if fault else set())
            options = CallOptions(
                **{name: getattr(chosen, name) for name in names},
                callback_uri=body.callback_uri,
                kind="peerToPeer" if creation.kind == "peerToPeer" else "group",
                delta_roster=bool(body.call_options and body.call_options.is_delta_roster_enabled),
                managed=True,
                grows=True,
            )
            call = Call.make(options, str(claims["tid"]), str(claims["appid"]), app=creation.app)
            call.state, call.details = "establishing", creation.sent
            if meeting:
                sent = creation.sent.get("meetingInfo")
                call.joined_by = meeting.joined_by(sent if isinstance(sent, dict) else None)
            self._world.open(call, meeting)
            self._world.reports.establishing(call)
            self.expect_keep_alive(call)
            if meeting:
                self._join(call, meeting)
            else:
                self._call_targets(call, creation, fault)
            return call

    def _join(self, call: Call, meeting: Meeting) -> None:
        options = meeting.options
        if options.code is not None:
            result = (options.code, options.subcode, "The join failed")
            self._schedule.after(options.established_after, partial(self._world.end, call, result))
        elif not options.lobby:
            self._schedule.after(options.established_after, partial(self.establish, call))
        elif options.admitted_after is not None:
            self._schedule.after(options.admitted_after, partial(self.establish, call))
        else:
            job = partial(self._leave_lobby, call)
            self._schedule.after(self._world.limits.lobby, job, quietly=True)

    def _leave_lobby(self, call: Call) -> None:
        with self._world.lock:
            if call.state == "establishing":
                self._world.end(call, (200, 5855, "The lobby timed out"))

    def _call_targets(self, call: Call, creation: Creation, fault: Reporting | None) -> None:
        if creation.calls_phone and (creation.app is None or creation.app.kind != "applicationInstance"):
            # A phone is called by a resource account with a number.
            result = (480, 10134, "No route to the callee")
            self._schedule.after(_ESTABLISHED_AFTER, partial(self._world.end, call, result))
            return
        one_to_one = call.kind == "peerToPeer"
        people = Invitation(tuple(Invitee(target) for target in creation.targets))
        when_ended = partial(self._answered, call) if one_to_one else _is_over
        self._invitations.take(call, people, fault, when_ended)
        if not one_to_one:
            self._schedule.after(_ESTABLISHED_AFTER, partial(self.establish, call))

    def _answered(self, call: Call, operation: Operation) -> None:
        """Establish a one-to-one call that was answered, and end one that was not."""
        if operation.result:
            self._world.end(call, operation.result)
        else:
            self.establish(call)

    def establish(self, call: Call) -> None:
        """Establish a call, unless it has ended."""
        with self._world.lock:
            if call.state != "establishing":
                return
            self._world.set_state(call, "established")
            call.conversation.enter(call)
            self._world.reports.established(call)
            if call.kind == "group":
                self._world.roster_changed(call.conversation, [call.me])
            self.watch_alone(call)

    def keep_alive(self, call: Call) -> None:
        """Keep a call alive for another while."""
        with self._world.lock:
            call.keeps += 1
            self.expect_keep_alive(call)

    def expect_keep_alive(self, call: Call) -> None:
        """End a managed call unless it is kept alive in time."""
        if call.options.managed:
            job = partial(self._miss_keep_alive, call, call.keeps)
            self._schedule.after(self._world.limits.keep_alive, job, quietly=True)

    def _miss_keep_alive(self, call: Call, keeps: int) -> None:
        with self._world.lock:
            if call.keeps == keeps:
                self._world.end(call, (408, 8537, "The call was not kept alive"))

    def watch_alone(self, call: Call, sequence: int = -1) -> None:
        """End a managed call that the app is alone in since the roster's change ``sequence``; else look again."""
        with self._world.lock:
            conversation, limit = call.conversation, self._world.limits.alone
            if limit is None or call.state != "established" or not call.options.managed:
                return
            if conversation.is_empty and conversation.sequence == sequence:
                result = (200, 5010, "The app was alone") if conversation.had_people else (200, 5013, "No one joined")
                self._world.end(call, result)
                return
            job = partial(self.watch_alone, call, conversation.sequence)
            self._schedule.after(limit, job, quietly=True)

    def hang_up(self, call: Call) -> None:
        """Have the app leave a call; others stay in it."""
        with self._world.lock:
            self._world.reports.call_state(call, "terminating")
            self._world.end(call, (200, 7000, "The call was ended by the bot"))

    def remove(self, call: Call, participant_id: str) -> None:
        """Remove a participant, or cancel the call to a person who has not answered; raises GraphRefusal."""
        with self._world.lock:
            if not self._world.limits.removal_allowed:
                raise GraphRefusal(403, "Forbidden", "The application is not authorized to remove participants.")
            someone = self._find(call, participant_id)
            conversation = call.conversation
            if someone.is_app:
                for leg in [leg for leg in conversation.legs if leg.me is someone]:
                    self._world.end(leg, (200, 5000, "The participant was removed"))
            elif call.meeting and someone.identity.key == call.meeting.organizer.casefold():
                raise GraphRefusal(403, "8552", "The organizer cannot be removed.")
            elif someone.is_ringing:
                self._invitations.cancel(conversation, someone)
            else:
                self._world.leave(call, someone)

    @staticmethod
    def _find(call: Call, participant_id: str) -> Participant:
        for someone in call.conversation.listed:
            if someone.id == participant_id and call.kind == "group":
                return someone
        raise Refusals.participant_not_found()


def _is_over(_: Operation) -> None:
    """Do nothing: that targets of a group call were all called is not reported."""
