"""What the app does over HTTP with calls and starts: body in, state out."""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from calls.request import StartAndWaitBody, StartBody
from calls.rules import meeting_of, start_faults
from calls.service import StartRequest
from calls.views import start_view
from domain.escalation import StopWhen, everybody
from domain.start import StartStatus
from domain.waiting import cancelled
from escalation.request import steps_of
from flows.duties import run_duties
from flows.links import token_in, token_matches
from flows.turn import Turn, utc_now
from flows.views import entry_view, invitation_view
from invite.reading import LARGEST_BODY, invitees, read_body
from invite.subscription import flow_in
from settings import Settings, SettingsError
from web.answers import Answer
from web.bodies import content_of
from web.errors import BadRequest, Fault, NotFound, StartFailed
from web.identifiers import call_id_in, invitation_id_in, no_such_invitation, participant_id_in, start_id_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.ending import Endings
    from calls.listing import CallList
    from calls.progress import StartProgress
    from calls.service import StartService
    from domain.record import CallRecord
    from domain.start import Start
    from flows.links import Links
    from web.answers import Request

Body = TypeVar("Body", bound=StartBody)


class CallRoutes:
    """The routes of starts and calls."""

    def __init__(
        self,
        starts: StartService,
        progress: StartProgress,
        endings: Endings,
        listing: CallList,
        *,
        links: Links,
        settings: Settings,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._starts = starts
        self._progress = progress
        self._endings = endings
        self._listing = listing
        self._links = links
        self._settings = settings
        self._now = now

    def start(self, request: Request) -> Answer:
        """Join a meeting or start a call: 202, to be polled."""
        body = self._read(request, StartBody)
        begun = self._starts.start(Turn(request.arrived), self._asked(body), request.headers)
        return self._accepted(request, begun.start, self._view(begun.start, begun.record))

    def start_and_wait(self, request: Request) -> Answer:
        """Join a meeting or start a call: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
        body = self._read(request, StartAndWaitBody)
        asked = self._asked(body)
        begun = self._starts.start(Turn(request.arrived), asked, request.headers, callback_url=body.callbackUrl)
        start, root = begun.start, self._root(request, begun.start)
        flow = flow_in(start.flows, request.headers)
        # Where Graph refused it meanwhile no flow waits, and the URL is of no use.
        token = flow.token if flow is not None else ""
        headers = {"Operation-Location": root, "Location": f"{root}/callback?token={token}"}
        return Answer(HTTPStatus.CREATED, self._view(start, begun.record), headers)

    def get(self, request: Request) -> Answer:
        """The start as it stands: 200, whatever its status."""
        start, record = self._found(request)
        headers = {} if start.is_final else {"Retry-After": str(self._retry_after(start))}
        return Answer(HTTPStatus.OK, self._view(start, record), headers)

    def result(self, request: Request) -> Answer:
        """A flow's poll: 202 until the outcome; 200; 422 failed.

        Raises:
            StartFailed: 422, which no flow retries.
        """
        start, record = self._found(request, is_keyed=False)
        view = self._view(start, record)
        status = StartStatus(view["status"])
        if not status.is_final:
            return self._accepted(request, start, view)
        if status is not StartStatus.FAILED:
            return Answer(HTTPStatus.OK, view)
        details = tuple(
            Fault(person["status"], person["reason"] or "Joined the call.", f"participants[{index}]")
            for index, person in enumerate(view["participants"])
        )
        result = view["resultInfo"] or {}
        inner = {"status": "failed", "startId": start.id}
        inner |= {name: str(result[name]) for name in ("code", "subcode") if result.get(name) is not None}
        message = view["reason"] or "The start failed."
        raise StartFailed("StartFailed", message, details=details, inner=inner)

    def stop(self, request: Request) -> Answer:
        """End an open start: 200, any number of times."""
        turn, start_id = Turn(request.arrived), start_id_in(request)
        self._starts.conclude(turn, start_id)
        if self._endings.stop(turn, start_id) is None:
            raise _no_such_start()
        run_duties(turn)
        start, record = self._found(request)
        return Answer(HTTPStatus.OK, self._view(start, record))

    def cancel_wait(self, request: Request) -> Answer:
        """The flow no longer waits: 204, any number of times."""
        start_id, token = start_id_in(request), token_in(request, _no_such_start)
        start = self._progress.read(start_id)
        opens = start is not None and any([token_matches(flow.token or "", token) for flow in start.flows])  # noqa: C419
        if start is None or not opens:
            raise _no_such_start()
        self._links.check_age(start.concluded, self._now())
        turn = Turn(request.arrived)
        self._progress.save(turn, start_id, lambda current, _: _without(current, token))
        run_duties(turn)  # other flows may be due
        return Answer(HTTPStatus.NO_CONTENT)

    def calls(self, request: Request) -> Answer:  # noqa: ARG002 - every route gets it
        """Open calls, newest first."""
        return Answer(HTTPStatus.OK, {"value": [entry_view(one) for one in self._listing.open_calls()]})

    def hang_up(self, request: Request) -> Answer:
        """The app leaves the call: 204, also where it is over already."""
        turn = Turn(request.arrived)
        self._endings.hang_up(turn, call_id_in(request))
        run_duties(turn)
        return Answer(HTTPStatus.NO_CONTENT)

    def remove(self, request: Request) -> Answer:
        """Remove one person from a call: 204."""
        self._endings.remove(call_id_in(request), participant_id_in(request))
        return Answer(HTTPStatus.NO_CONTENT)

    def cancel_invitation(self, request: Request) -> Answer:
        """Stop calling the people of an invitation whose devices ring: 200 with the invitation."""
        turn = Turn(request.arrived)
        call_id, name = call_id_in(request), invitation_id_in(request)
        record = self._endings.cancel(turn, call_id, name)
        if record is None:
            raise no_such_invitation()
        run_duties(turn)
        return Answer(HTTPStatus.OK, invitation_view(record.invitations[name], record.call, self._now()))

    def _read(self, request: Request, model: type[Body]) -> Body:
        """Return a start's body.

        Raises:
            BadRequest: with every fault, of the form and across properties.
        """
        if self._settings.faults:
            raise SettingsError(self._settings.faults, self._settings.warnings)
        body, faults = None, []
        try:
            body = read_body(request, model, self._settings.cloud, self._settings.phone_prefixes)
        except BadRequest as error:
            if not error.details:
                raise  # no JSON object
            faults = list(error.details)
        raw = json.loads(content_of(request, LARGEST_BODY).decode("utf-8-sig"))
        faults += start_faults(raw, self._settings, waits=model is StartAndWaitBody)
        if faults or body is None:
            raise BadRequest.of(faults)
        return body

    def _asked(self, body: StartBody) -> StartRequest:
        given = body.meeting
        meeting = None
        if given is not None:
            meeting = meeting_of(given.joinWebUrl, given.joinMeetingId, given.passcode, self._settings)
        steps = steps_of(body.steps or ())
        return StartRequest(
            participants=everybody(steps) if steps else invitees(body.participants),
            steps=steps,
            stop_when=StopWhen(body.stopWhen or StopWhen.ANYONE_JOINS),
            repeat=body.repeat or 0,
            meeting=meeting,
            separately=body.separately,
            leave_afterwards=body.leaveAfterwards,
            subject=body.subject,
            client_context=body.clientContext,
        )

    def _accepted(self, request: Request, start: Start, view: dict[str, Any]) -> Answer:
        root = self._root(request, start)
        headers = {
            "Location": f"{root}/result?token={start.token}",
            "Retry-After": str(self._retry_after(start)),
            "Operation-Location": root,
        }
        return Answer(HTTPStatus.ACCEPTED, view, headers)

    def _view(self, start: Start, record: CallRecord | None) -> dict[str, Any]:
        return start_view(start, record, self._now(), page_url=self._links.page)

    def _root(self, request: Request, start: Start) -> str:
        return f"{self._links.root(request.headers)}/starts/{start.id}"

    def _retry_after(self, start: Start) -> int:
        return self._links.seconds_between_polls(start.created, self._now())

    def _found(self, request: Request, *, is_keyed: bool = True) -> tuple[Start, CallRecord | None]:
        start_id, token = start_id_in(request), None if is_keyed else token_in(request, _no_such_start)
        start, record = self._starts.read(start_id)
        if start is None or (token is not None and not token_matches(start.token, token)):
            raise _no_such_start()
        if token is not None:
            self._links.check_age(start.concluded, self._now())
        self._progress.nudge(start)
        return start, record


def _without(start: Start | None, token: str) -> Start | None:
    if start is None:
        return None
    flows = tuple(cancelled(flow) if token_matches(flow.token or "", token) else flow for flow in start.flows)
    return start if flows == start.flows else replace(start, flows=flows)


def _no_such_start() -> NotFound:
    return NotFound("StartNotFound", "There is no such start. Use the URL that the app returned when it accepted it.")
