"""The requests that the app makes of Microsoft Graph, v1.0 only, each tried once.

Whether a request may be tried again is for the caller to decide; this module tells it what is known
(see the tree in ``graph.errors``).
"""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from graph import wire
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled
from graph.transport import CONNECT_SECONDS, nothing_was_sent
from observability import telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.results import OperationState, ResultInfo
    from graph.credentials import TokenSource

_events = telemetry.Events("graph")
_THROTTLING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_CLIENT_ERRORS = range(400, 500)
# Reads are asked while a flow's poll may be waiting, and can be asked again at no risk.
_READ_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class CallRead:
    """What Graph says of a call when it is asked: its ``state`` in small letters, and how it ended."""

    state: str | None
    result: ResultInfo | None


class GraphClient:
    """Microsoft Graph's cloud communications, as the calling app."""

    def __init__(self, endpoint: str, tokens: TokenSource, session: requests.Session) -> None:
        self._root = f"{endpoint}/v1.0/communications/calls"
        self._tokens = tokens
        self._session = session

    def invite(
        self,
        call_id: str,
        body: Mapping[str, Any],
        *,
        scenario_id: str,
        read_seconds: float,
    ) -> OperationState:
        """Ask Graph once to invite people into a call.

        Args:
            call_id: the call, as Graph knows it.
            body: ``participants`` and ``clientContext`` in Graph's documented form.
            scenario_id: GUID that Microsoft's support can follow over several requests.
            read_seconds: how long to wait for the answer.

        Raises:
            NothingSent, Throttled, Refused, OutcomeUnknown: see ``graph.errors``.
        """
        question = _Question("invite", call_id, "/participants/invite", scenario_id, read_seconds, body)
        response = self._ask(question)
        return wire.operation_state(_json(response), location=response.headers.get("Location"))

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read a call.

        Raises:
            GraphError: any of the tree; ``Refused`` with status 404 where the call is gone or was never this app's.
        """
        body = _json(self._ask(_Question("read call", call_id, "", scenario_id)))
        entity = body if isinstance(body, dict) else {}
        state = wire.text(entity.get("state"))
        return CallRead(state.casefold() if state else None, wire.result_info(entity.get("resultInfo")))

    def participants(self, call_id: str, *, scenario_id: str) -> list[dict[str, Any]]:
        """Read who is in a call; Graph does not offer this for peer-to-peer calls.

        Raises:
            GraphError: any of the tree.
        """
        body = _json(self._ask(_Question("read participants", call_id, "/participants", scenario_id)))
        value = body.get("value") if isinstance(body, dict) else None
        return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        """Read an operation; whether Graph answers this for an invitation is not documented.

        Raises:
            GraphError: any of the tree; a 404 proves nothing.
        """
        path = f"/operations/{_quoted(operation_id)}"
        return wire.operation_state(_json(self._ask(_Question("read operation", call_id, path, scenario_id))))

    def _ask(self, question: _Question) -> requests.Response:
        token = self._tokens.token()
        response = self._send(question, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            # Revoked or rotated under us: one fresh token, once. Graph took nothing, so sending again is safe.
            response = self._send(question, self._tokens.fresh_token(token))
        if response.status_code < 300:  # noqa: PLR2004 - the end of 2xx
            return response
        raise _error(response)

    def _send(self, question: _Question, token: str) -> requests.Response:
        client_request_id = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {token}",
            "client-request-id": client_request_id,
            "Scenario-Id": question.scenario_id,
            "Accept": "application/json",
        }
        call = short_hash(question.call_id)
        started = time.monotonic()
        status: int | None = None
        request_id = None
        with telemetry.span(f"graph {question.what}", "microsoft.graph", call=call) as span:
            try:
                # Prepared without the session, which would merge its empty settings seven times: half of the cost.
                request = requests.Request(
                    "GET" if question.body is None else "POST",
                    f"{self._root}/{_quoted(question.call_id)}{question.path}",
                    headers=headers,
                    json=question.body,
                ).prepare()
                response = self._session.send(
                    request, timeout=(CONNECT_SECONDS, question.read_seconds), allow_redirects=False
                )
                status = response.status_code
                request_id = wire.text(response.headers.get("request-id"))
            except requests.RequestException as error:
                if nothing_was_sent(error):
                    message = "Microsoft Graph could not be reached"
                    raise NothingSent(message) from error
                message = "Microsoft Graph did not answer"
                raise OutcomeUnknown(message) from error
            finally:
                milliseconds = round((time.monotonic() - started) * 1000)
                _events.info(
                    f"graph {question.what}",
                    call=call,
                    status="none" if status is None else status,
                    request_id=request_id,
                    client_request_id=client_request_id,
                    scenario_id=question.scenario_id,
                    milliseconds=milliseconds,
                )
                span.note(
                    {
                        "status": status,
                        "request-id": request_id,
                        "client-request-id": client_request_id,
                        "scenario-id": question.scenario_id,
                    }
                )
            if status >= HTTPStatus.BAD_REQUEST:
                span.failed(str(status))
        return response


@dataclass(frozen=True, slots=True)
class _Question:
    """One request to Graph about a call; with a body it is a POST."""

    what: str
    call_id: str
    path: str
    scenario_id: str
    read_seconds: float = _READ_SECONDS
    body: Mapping[str, Any] | None = None


def short_hash(call_id: str) -> str:
    """Return what stands for a call in logs: enough to follow one, not enough to name one."""
    return hashlib.sha256(call_id.lower().encode()).hexdigest()[:12]


def _error(response: requests.Response) -> GraphError:
    status = response.status_code
    code, message, request_id, client_request_id = wire.error_body(_json(response))
    kind = Throttled if status in _THROTTLING else Refused
    # 408 may come from behind the service that rings, so it is no refusal.
    if status not in _THROTTLING and (status not in _CLIENT_ERRORS or status == HTTPStatus.REQUEST_TIMEOUT):
        return OutcomeUnknown(f"Microsoft Graph answered {status}")
    return kind(
        status,
        code=code,
        message=message,
        request_id=request_id or response.headers.get("request-id"),
        client_request_id=client_request_id or response.headers.get("client-request-id"),
        retry_after=wire.retry_after(response.headers.get("Retry-After")),
    )


def _json(response: requests.Response) -> object:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _quoted(segment: str) -> str:
    return quote(segment, safe="")
