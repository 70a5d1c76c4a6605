"""What the app does over HTTP with calls and starts: body in, state out."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from calls.links import MeetingRefused, parse_meeting
from calls.request import MeetingBody, StartAndWaitBody, StartBody
from calls.service import StartRequest
from calls.views import reason_of, start_view
from domain.start import StartStatus
from domain.waiting import cancelled
from flows.duties import run_duties
from flows.links import token_in, token_matches
from flows.turn import Turn, utc_now
from flows.urls import UrlRefused, check_url
from flows.views import entry_view, invitation_view
from invite.reading import invitees, read_body
from invite.subscription import flow_in
from settings import Settings, SettingsError
from web.answers import Answer
from web.errors import BadRequest, Fault, NotFound, StartFailed
from web.identifiers import call_id_in, invitation_id_in, no_such_invitation, start_id_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.ending import Endings
    from calls.progress import StartProgress
    from calls.service import StartService
    from domain.record import CallRecord
    from domain.start import Start
    from flows.links import Links
    from storage.singles import SingleRows
    from web.answers import Request

_MOST_TARGETS = 5
_MOST_LISTED = 200


class CallRoutes:
    """The routes of starts and calls."""

    def __init__(
        self,
        starts: StartService,
        progress: StartProgress,
        endings: Endings,
        rows: SingleRows,
        *,
        links: Links,
        settings: Settings,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._starts = starts
        self._progress = progress
        self._endings = endings
        self._rows = rows
        self._links = links
        self._settings = settings
        self._now = now

    def start(self, request: Request) -> Answer:
        """Join a meeting or start a call: 202, to be polled."""
        body = self._read(request, StartBody)
        start = self._starts.start(Turn(request.arrived), self._asked(body), request.headers)
        return self._answer(request, start, HTTPStatus.ACCEPTED)

    def start_and_wait(self, request: Request) -> Answer:
        """Join a meeting or start a call: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
        body = self._read(request, StartAndWaitBody)
        settings = self._settings
        try:
            check_url(body.callbackUrl, settings.flow_callback_hosts, settings.flow_callback_local_hosts)
        except UrlRefused as error:
            message = f"This can't be the URL of a waiting flow: {error}. Give what listCallbackUrl() returns."
            raise BadRequest("InvalidCallbackUrl", message, target="callbackUrl") from None
        start = self._starts.start(
            Turn(request.arrived), self._asked(body), request.headers, callback_url=body.callbackUrl
        )
        return self._answer(request, start, HTTPStatus.CREATED)

    def get(self, request: Request) -> Answer:
        """The start as it stands: 200, whatever its status."""
        start, record = self._found(request)
        headers = {} if start.is_final else {"Retry-After": str(self._retry_after(start))}
        return Answer(HTTPStatus.OK, start_view(start, record, self._now(), page_url=self._links.page), headers)

    def result(self, request: Request) -> Answer:
        """A flow's poll: 202 until the outcome; 200; 422 failed.

        Raises:
            StartFailed: 422, which no flow retries.
        """
        start, record = self._found(request, is_keyed=False)
        if not start.is_final:
            return self._answer(request, start, HTTPStatus.ACCEPTED, record)
        view = start_view(start, record, self._now(), page_url=self._links.page)
        if view["status"] != StartStatus.FAILED:
            return Answer(HTTPStatus.OK, view)
        details = tuple(
            Fault(person["status"], person["reason"] or "Joined the call.", f"participants[{index}]")
            for index, person in enumerate(view["participants"])
        )
        result = view["resultInfo"] or {}
        inner = {"status": "failed", "startId": start.id}
        inner |= {name: str(result[name]) for name in ("code", "subcode") if result.get(name) is not None}
        message = reason_of(start, record, self._now()) or "The start failed."
        raise StartFailed("StartFailed", message, details=details, inner=inner)

    def stop(self, request: Request) -> Answer:
        """End an open start: 200, any number of times."""
        turn = Turn(request.arrived)
        if self._endings.stop(turn, start_id_in(request)) is None:
            raise _no_such_start()
        run_duties(turn)
        start, record = self._found(request)
        return Answer(HTTPStatus.OK, start_view(start, record, self._now(), page_url=self._links.page))

    def cancel_wait(self, request: Request) -> Answer:
        """The flow no longer waits: 204, any number of times."""
        start_id, token = start_id_in(request), token_in(request, _no_such_start)
        start = self._progress.read(start_id)
        if start is None or not any([token_matches(flow.token or "", token) for flow in start.flows]):  # noqa: C419
            raise _no_such_start()
        self._links.check_age(start.concluded, self._now())
        self._progress.save(Turn(request.arrived), start_id, lambda current, _: _without(current, token))
        return Answer(HTTPStatus.NO_CONTENT)

    def calls(self, _: Request) -> Answer:
        """Open calls, newest first."""
        return Answer(HTTPStatus.OK, {"value": [entry_view(one) for one in self._rows.open_calls(_MOST_LISTED)]})

    def hang_up(self, request: Request) -> Answer:
        """The app leaves the call: 204, also where it is over already."""
        turn = Turn(request.arrived)
        self._endings.hang_up(turn, call_id_in(request))
        run_duties(turn)
        return Answer(HTTPStatus.NO_CONTENT)

    def remove(self, request: Request) -> Answer:
        """Remove one person from a call: 204."""
        self._endings.remove(call_id_in(request), request.route.get("participantId", ""))
        return Answer(HTTPStatus.NO_CONTENT)

    def cancel_invitation(self, request: Request) -> Answer:
        """Stop calling the people of an invitation whose devices ring: 200 with the invitation."""
        turn = Turn(request.arrived)
        invitation = self._endings.cancel(turn, call_id_in(request), invitation_id_in(request))
        if invitation is None:
            raise no_such_invitation()
        run_duties(turn)
        return Answer(HTTPStatus.OK, invitation_view(invitation, None, self._now()))

    def _read(self, request: Request, model: Any) -> Any:
        if self._settings.faults:
            raise SettingsError(self._settings.faults, self._settings.warnings)
        return read_body(request, model, self._settings.cloud, self._settings.phone_prefixes)

    def _asked(self, body: StartBody) -> StartRequest:
        """Return what a body asks for.

        Raises:
            BadRequest: with every fault of the meeting and of who is called.
        """
        people = invitees(body.participants)
        faults: list[Fault] = []
        meeting = None
        if body.meeting is not None:
            try:
                meeting = self._meeting(body.meeting)
            except MeetingRefused as error:
                faults.append(Fault(error.code, error.message, error.target))
        elif not people:
            message = "Give a meeting to join, or one to five users to call."
            faults.append(Fault("NothingToStart", message, "meeting"))
        elif any(person.kind != "user" for person in people):
            message = "Without a meeting only users can be called. Join a meeting to call phones and others."
            faults.append(Fault("MeetingNeeded", message, "meeting"))
        elif len(people) > _MOST_TARGETS:
            message = "Without a meeting at most five users can be called. Join a meeting to call more people."
            faults.append(Fault("MeetingNeeded", message, "meeting"))
        if body.leaveAfterwards and body.meeting is None:
            message = (
                "A call without a meeting may end when the app leaves. Leave leaveAfterwards out, or join a meeting."
            )
            faults.append(Fault("MeetingNeeded", message, "leaveAfterwards"))
        elif body.leaveAfterwards and not people:
            message = (
                "There is nobody to invite before the app leaves. Name participants, or leave leaveAfterwards out."
            )
            faults.append(Fault("NobodyToInvite", message, "leaveAfterwards"))
        if faults:
            raise BadRequest.of(faults)
        return StartRequest(
            participants=people,
            meeting=meeting,
            separately=body.separately,
            leave_afterwards=body.leaveAfterwards,
            subject=body.subject,
            client_context=body.clientContext,
        )

    def _meeting(self, body: MeetingBody) -> Any:
        return parse_meeting(
            body.joinWebUrl,
            body.joinMeetingId,
            body.passcode,
            tenant_id=self._settings.tenant_id,
            cloud=self._settings.cloud,
        )

    def _answer(self, request: Request, start: Start, status: HTTPStatus, record: CallRecord | None = None) -> Answer:
        root = f"{self._links.root(request.headers)}/starts/{quote(start.id, safe='')}"
        record = record if record is not None else self._starts.record_of(start)
        headers = {"Operation-Location": root}
        if status is HTTPStatus.CREATED:
            flow = flow_in(start.flows, request.headers)
            headers["Location"] = f"{root}/callback?token={flow.token if flow is not None else start.token}"
        else:
            headers["Location"] = f"{root}/result?token={start.token}"
            headers["Retry-After"] = str(self._retry_after(start))
        return Answer(status, start_view(start, record, self._now(), page_url=self._links.page), headers)

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
