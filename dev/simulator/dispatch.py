"""Every URL of the simulator, and the way of a request through log and faults."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dev.simulator.callback_tokens import OLDER_ISSUER
from dev.simulator.errors import EntraRefusal, GraphRefusal, Refusal
from dev.simulator.invitations import glance
from dev.simulator.log import EventLog, RequestEntry
from dev.simulator.web import ConnectionCut, Request, Response

if TYPE_CHECKING:
    from dev.simulator.control import Control
    from dev.simulator.entra import Entra
    from dev.simulator.faults import Fault, Faults
    from dev.simulator.graph import GraphCalls
    from dev.simulator.keys import KeySet
    from dev.simulator.schedule import Schedule


@dataclass(slots=True)
class Visit:
    """One request on its way through."""

    request: Request
    parts: tuple[str, ...]
    """The variable segments of its path, as they were sent."""
    entry: RequestEntry
    fault: Fault | None = None


_Handler = Callable[[Visit], Response]
_CALL = "/v1.0/communications/calls/([^/]+)"


class Dispatcher:
    """Handles requests, and applies faults to them."""

    def __init__(
        self,
        log: EventLog,
        schedule: Schedule,
        faults: Faults,
        keys: KeySet,
        base_url: str,
        *,
        calls: GraphCalls,
        entra: Entra,
        control: Control,
    ) -> None:
        self._log = log
        self._schedule = schedule
        self._faults = faults
        self._keys = keys
        self._control = control
        self._base_url = base_url
        routes: list[tuple[str, str, str, _Handler]] = [
            ("create", "POST", "/v1.0/communications/calls", calls.create),
            ("keepAlive", "POST", f"{_CALL}/keepAlive", calls.keep_alive),
            ("hangUp", "DELETE", _CALL, calls.hang_up),
            ("answer", "POST", f"{_CALL}/answer", calls.answer),
            ("reject", "POST", f"{_CALL}/reject", calls.reject),
            ("removeParticipant", "DELETE", f"{_CALL}/participants/([^/]+)", calls.remove_participant),
            ("invite", "POST", f"{_CALL}/participants/invite", calls.invite),
            ("call", "GET", _CALL, calls.read_call),
            ("participants", "GET", f"{_CALL}/participants", calls.list_participants),
            ("participant", "GET", f"{_CALL}/participants/([^/]+)", calls.read_participant),
            ("operation", "GET", f"{_CALL}/operations/([^/]+)", calls.read_operation),
            ("discovery", "GET", r"(?:/([^/]+))?/v2\.0/\.well-known/openid-configuration", entra.discovery),
            ("signingKeys", "GET", r"(?:/([^/]+))?/discovery/v2\.0/keys", entra.signing_keys),
            ("token", "POST", r"/([^/]+)/oauth2/v2\.0/token", entra.give_token),
            ("configuration", "GET", r"/v1/\.well-known/OpenIdConfiguration", self._configuration),
            ("keys", "GET", "/v1/keys", self._published_keys),
        ]
        self._routes = [(name, method, re.compile(pattern), handler) for name, method, pattern, handler in routes]

    def answer(self, request: Request) -> Response:
        """Handle one request, or raise ConnectionCut."""
        if request.path.startswith("/simulator/"):
            return self._control.answer(request)
        with self._schedule.busy():
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        route, parts, handler = self._route(request)
        entry = self._entry(request, route, parts)
        self._log.add(entry, quietly=True)
        visit = Visit(request, parts, entry)
        code: str | None = None
        try:
            response = self._apply(visit, handler)
        except Refusal as refusal:
            code = refusal.aadsts if isinstance(refusal, EntraRefusal) else refusal.code
            response = refusal.response(entry.client_request_id)
        except ConnectionCut:
            self._log.change(entry, cut=True)
            raise
        request_id = response.headers.setdefault("request-id", str(uuid.uuid4()))
        response.headers.setdefault("client-request-id", entry.client_request_id or request_id)
        self._log.change(entry, status=response.status, error_code=code)
        return response

    def _apply(self, visit: Visit, handler: _Handler) -> Response:
        entry = visit.entry
        people = {person.casefold() for person in entry.people}
        found = self._faults.find(entry.route, entry.call_id, people)
        if found is None:
            return self._take(visit, handler)
        number, fault = found
        visit.fault = fault
        self._log.note(entry, fault=number)
        self._schedule.sleep(fault.delay_before)
        if fault.cut == "before":
            raise ConnectionCut
        if fault.status and not fault.taken:
            return fault.response(entry.client_request_id, self._schedule.time_scale)
        response = self._take(visit, handler)
        self._schedule.sleep(fault.delay_after)
        if fault.cut == "after":
            raise ConnectionCut
        return fault.response(entry.client_request_id, self._schedule.time_scale) if fault.status else response

    def _take(self, visit: Visit, handler: _Handler) -> Response:
        response = handler(visit)
        self._log.note(visit.entry, taken=response.status < 400)  # noqa: PLR2004 - the first error status
        return response

    def _route(self, request: Request) -> tuple[str, tuple[str, ...], _Handler]:
        known = False
        for name, method, pattern, handler in self._routes:
            if found := pattern.fullmatch(request.path):
                known = True
                if method == request.method:
                    return name, found.groups(), handler
        return "unknown", (), _refuse_method if known else _refuse_path

    def _entry(self, request: Request, route: str, parts: tuple[str, ...]) -> RequestEntry:
        about_call = request.path.startswith("/v1.0/") and bool(parts)
        body, people = glance(request) if about_call or route == "create" else (None, [])
        context = body.get("clientContext") if isinstance(body, dict) else None
        return RequestEntry(
            number=self._log.number(),
            method=request.method,
            path=request.path,
            route=route,
            call_id=unquote(parts[0]) if about_call else None,
            client_request_id=request.headers.get("client-request-id"),
            scenario_id=request.headers.get("Scenario-Id"),
            client_context=context if isinstance(context, str) else None,
            people=tuple(people),
            body=body,
        )

    def _configuration(self, _visit: Visit) -> Response:
        """Return the OpenID metadata of the older kind of callback token, with the real one's odd algorithm name."""
        return self._unless_failing(
            {
                "issuer": OLDER_ISSUER,
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{self._base_url}/v1/keys",
                "id_token_signing_alg_values_supported": ["RSA256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            }
        )

    def _published_keys(self, _visit: Visit) -> Response:
        return self._unless_failing(self._keys.published())

    def _unless_failing(self, body: dict[str, object]) -> Response:
        return Response(self._keys.failing) if self._keys.failing else Response(body=body)


def _refuse_path(visit: Visit) -> Response:
    raise GraphRefusal(404, "ResourceNotFound", f"Resource not found for '{visit.request.path}'.")


def _refuse_method(_visit: Visit) -> Response:
    raise GraphRefusal(405, "MethodNotAllowed", "Specified HTTP method is not allowed for the request target.")
