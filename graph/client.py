"""The requests that the app makes to Microsoft Graph, v1.0 only, each sent once.

Whether a request may be repeated is for the caller to decide; the errors carry what is known (see the tree in
``graph.errors``).
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from domain.contexts import call_hash
from graph import wire
from graph.calls import read_call
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled
from graph.participants import read_roster
from graph.permissions import CALL_SEVERAL, lacks, needed_to_create
from graph.tracing import mark_failed, request_span
from graph.transport import CONNECT_SECONDS, nothing_was_sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.results import OperationState
    from domain.sightings import Roster
    from graph.calls import CallRead
    from graph.credentials import TokenSource

_log = logging.getLogger("call_invites.graph")
_THROTTLING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_CLIENT_ERRORS = range(400, 500)
# A caller may be waiting meanwhile, and everything that has this limit can be repeated without risk.
_READ_SECONDS = 5.0


class GraphClient:
    """Microsoft Graph's cloud communications, as the calling app.

    Every method raises any error of the tree in ``graph.errors``; ``Refused`` with status 404 where the call is over
    or was never this app's. ``scenario_id`` is a GUID by which Microsoft's support follows several requests.
    """

    def __init__(self, endpoint: str, tokens: TokenSource, session: requests.Session) -> None:
        self._root = f"{endpoint}/v1.0/communications/calls"
        self._tokens = tokens
        self._session = session

    def create(self, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> CallRead:
        """Start or join a call, with a body of ``graph.calls.create_body``; nothing at Graph recognises a repeat."""
        needs = needed_to_create(body)
        response = self._request(_Request("create", "POST", None, "", scenario_id, read_seconds, body, needs))
        return read_call(_json(response), location=response.headers.get("Location"))

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read a call."""
        return read_call(_json(self._request(_Request("read call", "GET", call_id, "", scenario_id))))

    def keep_alive(self, call_id: str, *, scenario_id: str) -> None:
        """Keep a call for another 45 minutes."""
        self._request(_Request("keep alive", "POST", call_id, "/keepAlive", scenario_id))

    def hang_up(self, call_id: str, *, scenario_id: str) -> None:
        """Leave a call; it goes on for the others."""
        self._request(_Request("hang up", "DELETE", call_id, "", scenario_id))

    def reject(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str) -> None:
        """Reject an incoming call, with a body of ``graph.calls.reject_body``."""
        self._request(_Request("reject", "POST", call_id, "/reject", scenario_id, body=body))

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> OperationState:
        """Invite people into a call.

        Args:
            call_id: the call, as Graph names it.
            body: ``participants`` and ``clientContext`` in Graph's documented form.
            scenario_id: see the class.
            read_seconds: how long to wait for the response.
        """
        request = _Request(
            "invite", "POST", call_id, "/participants/invite", scenario_id, read_seconds, body, CALL_SEVERAL
        )
        response = self._request(request)
        return wire.operation_state(_json(response), location=response.headers.get("Location"))

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person from a call, or cancel the call to a person who has not answered."""
        path = f"/participants/{_segment(participant_id)}"
        self._request(_Request("remove participant", "DELETE", call_id, path, scenario_id))

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call; a one-to-one call has no readable roster."""
        body = _json(self._request(_Request("read participants", "GET", call_id, "/participants", scenario_id)))
        return read_roster(body.get("value") if isinstance(body, dict) else None)

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        """Read an operation; no page documents that Graph allows this for an invite, so a 404 proves nothing."""
        path = f"/operations/{_segment(operation_id)}"
        return wire.operation_state(_json(self._request(_Request("read operation", "GET", call_id, path, scenario_id))))

    def _request(self, request: _Request) -> requests.Response:
        token = self._tokens.token()
        response = self._send(request, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            # Revoked or rotated meanwhile: one fresh token, once. Graph took nothing, so sending again is safe.
            token = self._tokens.fresh_token(token)
            response = self._send(request, token)
        if response.status_code < 300:  # noqa: PLR2004 - the end of 2xx
            return response
        is_forbidden = response.status_code == HTTPStatus.FORBIDDEN
        raise _error(response, lacks(token, request.needs) if is_forbidden else None)

    def _send(self, request: _Request, token: str) -> requests.Response:
        client_request_id = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {token}",
            "client-request-id": client_request_id,
            "Scenario-Id": request.scenario_id,
            "Accept": "application/json",
        }
        call = call_hash(request.call_id) if request.call_id is not None else "-"
        known = {"client-request-id": client_request_id, "scenario-id": request.scenario_id}
        started = time.monotonic()
        with request_span(f"graph {request.name}", "microsoft.graph", call=call, **known) as span:
            try:
                response = self._session.request(
                    request.method,
                    f"{self._root}{request.path_of_call}{request.path}",
                    headers=headers,
                    json=request.body,
                    timeout=(CONNECT_SECONDS, request.read_seconds),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                _log_request(request, call, started, known)
                if nothing_was_sent(error):
                    message = "Microsoft Graph could not be reached"
                    raise NothingSent(message) from error
                message = "Microsoft Graph did not respond"
                raise OutcomeUnknown(message) from error
            status = response.status_code
            request_id = wire.text(response.headers.get("request-id")) or "-"
            _log_request(request, call, started, known, status=status, request_id=request_id)
            span.set_attributes({"status": status, "request-id": request_id})
            if status >= HTTPStatus.BAD_REQUEST:
                mark_failed(span, str(status))
        return response


@dataclass(frozen=True, slots=True)
class _Request:
    """One request about a call, or about a call to be made."""

    name: str
    method: str
    call_id: str | None
    path: str
    """What follows the call's own path."""
    scenario_id: str
    read_seconds: float = _READ_SECONDS
    body: Mapping[str, Any] | None = None
    needs: str | None = None
    """The permission that Graph wants for it, where that is known."""

    @property
    def path_of_call(self) -> str:
        return "" if self.call_id is None else f"/{_segment(self.call_id)}"


def _log_request(
    request: _Request,
    call: str,
    started: float,
    known: Mapping[str, str],
    *,
    status: int | str = "none",
    request_id: str = "-",
) -> None:
    _log.info(
        "graph %(request)s call=%(call)s status=%(status)s request-id=%(request-id)s"
        " client-request-id=%(client-request-id)s scenario-id=%(scenario-id)s milliseconds=%(milliseconds)s",
        {
            "request": request.name,
            "call": call,
            "status": status,
            "request-id": request_id,
            **known,
            "milliseconds": round((time.monotonic() - started) * 1000),
        },
    )


def _error(response: requests.Response, lacking: str | None) -> GraphError:
    status = response.status_code
    code, message, request_id, client_request_id = wire.error_body(_json(response))
    kind = Throttled if status in _THROTTLING else Refused
    # 408 may come from behind the service that calls people, so it is no refusal.
    if status not in _THROTTLING and (status not in _CLIENT_ERRORS or status == HTTPStatus.REQUEST_TIMEOUT):
        return OutcomeUnknown(f"Microsoft Graph responded {status}", status=status, code=code)
    return kind(
        status,
        code=code,
        message=message,
        request_id=request_id or response.headers.get("request-id"),
        client_request_id=client_request_id or response.headers.get("client-request-id"),
        retry_after=wire.retry_after(response.headers.get("Retry-After")),
        lacks=lacking,
    )


def _json(response: requests.Response) -> object:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _segment(name: str) -> str:
    """Return an id as one segment of a path.

    Raises:
        Refused: 404, no such thing exists: the id would lead to another path, where a DELETE may end the call.
    """
    if name in {"", ".", ".."}:
        raise Refused(HTTPStatus.NOT_FOUND)
    return quote(name, safe="")
