"""What the app does over HTTP when people are called step by step: body in, state out."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from domain.escalation import Escalation, EscalationStatus
from domain.waiting import cancelled
from escalation.request import EscalateAndWaitBody, EscalateBody, asked_for
from escalation.views import escalation_view, reason_of
from flows.duties import run_duties
from flows.links import token_in, token_matches
from flows.reasons import IN_LOBBY, JOINED
from flows.turn import Turn, utc_now
from flows.urls import UrlRefused, check_url
from invite.reading import read_body
from invite.subscription import flow_in
from settings import Settings, SettingsError
from web.answers import Answer
from web.errors import BadRequest, EscalationFailed, Fault, NotFound
from web.identifiers import call_id_in, escalation_id_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.record import CallRecord
    from escalation.progress import EscalationProgress
    from escalation.service import EscalationService
    from flows.links import Links
    from web.answers import Request


class EscalationRoutes:
    """The routes of escalations."""

    def __init__(
        self,
        service: EscalationService,
        progress: EscalationProgress,
        links: Links,
        settings: Settings,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._service = service
        self._progress = progress
        self._links = links
        self._settings = settings
        self._now = now

    def escalate(self, request: Request) -> Answer:
        """Call people step by step until somebody joins: 202, to be polled."""
        call_id = call_id_in(request)
        body = self._read(request, EscalateBody)
        escalation, record = self._service.escalate(Turn(request.arrived), call_id, asked_for(body), request.headers)
        return self._answer(request, escalation, record, HTTPStatus.ACCEPTED)

    def escalate_and_wait(self, request: Request) -> Answer:
        """Call people step by step: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
        call_id = call_id_in(request)
        body = self._read(request, EscalateAndWaitBody)
        settings = self._settings
        try:
            check_url(body.callbackUrl, settings.flow_callback_hosts, settings.flow_callback_local_hosts)
        except UrlRefused as error:
            message = f"This can't be the URL of a waiting flow: {error}. Give what listCallbackUrl() returns."
            raise BadRequest("InvalidCallbackUrl", message, target="callbackUrl") from None
        escalation, record = self._service.escalate(
            Turn(request.arrived), call_id, asked_for(body), request.headers, callback_url=body.callbackUrl
        )
        return self._answer(request, escalation, record, HTTPStatus.CREATED)

    def get(self, request: Request) -> Answer:
        """The escalation as it stands: 200, whatever its status."""
        escalation, record = self._found(request)
        headers = {} if escalation.is_final else {"Retry-After": str(self._retry_after(escalation))}
        return Answer(
            HTTPStatus.OK, escalation_view(escalation, record, self._now(), page_url=self._links.page), headers
        )

    def result(self, request: Request) -> Answer:
        """A flow's poll: 202 until the outcome; 200; 422 failed.

        Raises:
            EscalationFailed: 422, which no flow retries.
        """
        escalation, record = self._found(request, is_keyed=False)
        if not escalation.is_final:
            return self._answer(request, escalation, record, HTTPStatus.ACCEPTED)
        view = escalation_view(escalation, record, self._now(), page_url=self._links.page)
        if escalation.status is not EscalationStatus.FAILED:
            return Answer(HTTPStatus.OK, view)
        details = tuple(
            Fault(person["status"], person["reason"] or _message(person), f"steps[{step}].participants[{place}]")
            for step, one in enumerate(view["steps"])
            for place, person in enumerate(one["participants"])
        )
        message = reason_of(escalation) or "No one joined."
        inner = {"status": "failed", "escalationId": escalation.id}
        raise EscalationFailed("EscalationFailed", message, details=details, inner=inner)

    def stop(self, request: Request) -> Answer:
        """Stop an escalation: 200, any number of times."""
        if self._service.stop(Turn(request.arrived), call_id_in(request), escalation_id_in(request)) is None:
            raise _no_such_escalation()
        escalation, record = self._found(request)
        return Answer(HTTPStatus.OK, escalation_view(escalation, record, self._now(), page_url=self._links.page))

    def cancel_wait(self, request: Request) -> Answer:
        """The flow no longer waits: 204, any number of times."""
        call_id, name = call_id_in(request), escalation_id_in(request)
        token = token_in(request, _no_such_escalation)
        escalation = self._progress.read(call_id, name).escalations.get(name)
        flows = () if escalation is None else escalation.flows
        is_one = any([token_matches(flow.token or "", token) for flow in flows])  # noqa: C419 - every token is compared
        if escalation is None or not is_one:
            raise _no_such_escalation()
        self._links.check_age(escalation.concluded, self._now())
        turn = Turn(request.arrived)
        self._progress.save(turn, call_id, name, lambda record, _: _without(record, name, token))
        run_duties(turn)  # other flows may be due
        return Answer(HTTPStatus.NO_CONTENT)

    def _read(self, request: Request, model: Any) -> Any:
        if self._settings.faults:
            raise SettingsError(self._settings.faults, self._settings.warnings)
        return read_body(request, model, self._settings.cloud, self._settings.phone_prefixes)

    def _answer(self, request: Request, escalation: Escalation, record: CallRecord, status: HTTPStatus) -> Answer:
        call = quote(escalation.call_id, safe="")
        root = f"{self._links.root(request.headers)}/calls/{call}/escalations/{escalation.id}"
        headers = {"Operation-Location": root}
        if status is HTTPStatus.CREATED:
            flow = flow_in(escalation.flows, request.headers)
            headers["Location"] = f"{root}/callback?token={flow.token if flow is not None else escalation.token}"
        else:
            headers["Location"] = f"{root}/result?token={escalation.token}"
            headers["Retry-After"] = str(self._retry_after(escalation))
        return Answer(status, escalation_view(escalation, record, self._now(), page_url=self._links.page), headers)

    def _retry_after(self, escalation: Escalation) -> int:
        return self._links.seconds_between_polls(escalation.created, self._now())

    def _found(self, request: Request, *, is_keyed: bool = True) -> tuple[Escalation, CallRecord]:
        call_id, name = call_id_in(request), escalation_id_in(request)
        token = None if is_keyed else token_in(request, _no_such_escalation)
        escalation, record = self._service.read(call_id, name)
        if escalation is None or (token is not None and not token_matches(escalation.token, token)):
            raise _no_such_escalation()
        if token is not None:
            self._links.check_age(escalation.concluded, self._now())
        self._progress.nudge(escalation, record)
        return escalation, record


def _without(record: CallRecord, name: str, token: str) -> CallRecord:
    escalation = record.escalations.get(name)
    if escalation is None:
        return record
    flows = tuple(cancelled(flow) if token_matches(flow.token or "", token) else flow for flow in escalation.flows)
    return record if flows == escalation.flows else record.with_escalation(replace(escalation, flows=flows))


def _message(person: dict[str, Any]) -> str:
    return IN_LOBBY if person["presence"] == "inLobby" else JOINED


def _no_such_escalation() -> NotFound:
    message = "There is no such escalation. Use the URL that the app returned when it accepted it."
    return NotFound("EscalationNotFound", message)
