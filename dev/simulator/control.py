"""The control endpoint: the methods of ``Simulator`` as JSON over HTTPS, for other processes and for curl.

The properties of a request are the keywords of the method that handles it, in camelCase.
"""

from __future__ import annotations

import re
from inspect import signature
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pydantic import ValidationError, validate_call
from pydantic.alias_generators import to_camel, to_snake

from dev.simulator.options import OptionError, Reporting
from dev.simulator.rosters import roster_read
from dev.simulator.web import BodyError, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulator.calls import Call
    from dev.simulator.simulator import Simulator

_LONGEST_WAIT = 60


class Control:
    """Responds to requests under ``/simulator/``; an invalid request gets all its faults at once."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        # Method, path, handler, status, and the name that the result has in the response; None: the result is all.
        routes: list[tuple[str, str, Callable[..., object], int, str | None]] = [
            ("GET", "settings", simulator.settings, 200, None),
            ("GET", "calls", self._calls, 200, "value"),
            ("POST", "calls", self._create_call, 201, None),
            ("GET", "calls/([^/]+)", self._call, 200, None),
            ("POST", "calls/([^/]+)/end", simulator.end_call, 204, None),
            ("POST", "calls/([^/]+)/join", simulator.join, 204, None),
            ("POST", "calls/([^/]+)/leave", self._leave, 204, None),
            ("POST", "meetings", self._meeting, 201, None),
            ("POST", "incoming", simulator.incoming_call, 201, "id"),
            ("PUT", "limits", simulator.limits, 204, None),
            ("PUT", "reporting", simulator.report, 204, None),
            ("POST", "calls/([^/]+)/notifications", self._post_notification, 200, "status"),
            ("GET", "people", self._people, 200, "value"),
            ("PUT", "people/([^/]+)", simulator.person, 204, None),
            ("PUT", "everyone", simulator.everyone, 204, None),
            ("GET", "faults", self._faults, 200, "value"),
            ("POST", "faults", simulator.fault, 201, "number"),
            ("DELETE", "faults(?:/([0-9]+))?", simulator.faults.remove, 204, None),
            ("GET", "log", self._log, 200, None),
            ("GET", "idle", self._idle, 200, "idle"),
            ("POST", "reset", simulator.reset, 204, None),
            ("POST", "tokens", self._token, 201, "token"),
            ("POST", "tokens/revoke", simulator.revoke_tokens, 204, None),
            ("PUT", "roles", simulator.set_roles, 204, None),
            ("POST", "keys/rotate", simulator.rotate_keys, 200, "kid"),
            ("PUT", "keys", simulator.fail_keys, 204, None),
        ]
        self._routes = [
            (method, re.compile(f"/simulator/{path}"), validate_call(handler), status, name)
            for method, path, handler, status, name in routes
        ]

    def answer(self, request: Request) -> Response:
        """Respond to one request."""
        methods: list[str] = []
        for method, pattern, handler, status, name in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                parts = [unquote(part) for part in found.groups() if part is not None]
                return _handled(lambda: handler(*parts, **_members(request)), status, name)  # noqa: B023 - called at once
            methods += [method] if found else []
        if methods:
            response = _error(405, "MethodNotAllowed", f"This path accepts {', '.join(methods)}.")
            response.headers["Allow"] = ", ".join(methods)
            return response
        known = sorted({pattern.pattern for _, pattern, *_ in self._routes})
        return _error(404, "NotFound", f"No such control route. The routes are {', '.join(known)}.")

    def _calls(self) -> list[dict[str, object]]:
        with self._simulator.world.lock:
            return [_call_json(call) for call in self._simulator.world.calls.values()]

    def _call(self, call_id: str) -> dict[str, object]:
        with self._simulator.world.lock:
            return _call_json(self._simulator.call(call_id))

    def _create_call(self, callback_uri: str, **options: Any) -> dict[str, object]:
        return self._call(self._simulator.create_call(callback_uri, **options))

    def _meeting(self, **options: Any) -> dict[str, object]:
        meeting = self._simulator.meeting(**options)
        names = ("thread_id", "organizer", "join_meeting_id", "passcode", "token", "join_web_url", "short_url")
        return {to_camel(name): getattr(meeting, name) for name in names}

    def _leave(self, call_id: str, identity_id: str) -> None:
        if not self._simulator.leave(call_id, identity_id):
            raise OptionError(["identityId: is not in this call"])

    def _post_notification(
        self, call_id: str, items: list[Any] | None = None, body: dict[str, Any] | None = None, token: str | None = None
    ) -> int | None:
        if (items is None) == (body is None):
            raise OptionError(["give items (sent in the usual envelope) or body (sent as it is)"])
        return self._simulator.post_notification(call_id, items if body is None else body, token=token)

    def _people(self) -> list[dict[str, object]]:
        with self._simulator.world.lock:
            people = dict(self._simulator.world.people)
        return [{"id": key, **behaviour.model_dump(by_alias=True)} for key, behaviour in people.items()]

    def _faults(self) -> list[dict[str, object]]:
        return [
            {"number": number, "played": played, **fault.model_dump(by_alias=True, exclude_unset=True)}
            for number, fault, played in self._simulator.faults.all()
        ]

    def _log(self, kind: str | None = None, call_id: str | None = None, *, bodies: bool = True) -> dict[str, object]:
        log = {
            name: [entry for entry in entries if call_id in {None, entry.get("callId")}]
            for name, entries in self._simulator.log.as_json(bodies=bodies).items()
        }
        if kind is None:
            return {**log}
        if kind not in log:
            raise OptionError([f"kind: must be one of {', '.join(log)}"])
        return {"value": log[kind]}

    def _idle(self, timeout: float = 10) -> bool:
        return self._simulator.wait_idle(min(timeout, _LONGEST_WAIT))

    def _token(self, claims: dict[str, Any] | None = None, **options: Any) -> str:
        if clash := signature(self._simulator.token).parameters.keys() & (claims or {}).keys():
            raise OptionError([f"claims: {name} is an option" for name in sorted(clash)])
        return validate_call(self._simulator.token)(**options, **(claims or {}))


def _members(request: Request) -> dict[str, Any]:
    """Return the properties of a request's body, or of its query, by their Python names; raises OptionError."""
    try:
        members = request.json() if request.body else dict(request.query)
    except BodyError as error:
        raise OptionError([f"the body is not JSON: {error}"]) from error
    if not isinstance(members, dict):
        raise OptionError(["the body must be an object"])
    return {to_snake(name): value for name, value in members.items()}


def _handled(handle: Callable[[], object], status: int, name: str | None) -> Response:
    try:
        result = handle()
    except ValidationError as invalid:
        return _invalid(OptionError.of(invalid))
    except OptionError as invalid:
        return _invalid(invalid)
    except KeyError as unknown:
        return _error(404, "NotFound", f"The call {unknown.args[0]} does not exist.")
    except ValueError as conflict:
        return _error(409, "Conflict", str(conflict))
    return Response(status, {name: result} if name else result)


def _call_json(call: Call) -> dict[str, object]:
    """Return a call with its roster and its operations."""
    return {
        "id": call.id,
        "kind": call.kind,
        "state": call.state,
        "direction": call.direction,
        "callbackUri": call.callback_uri,
        "tenantId": call.tenant_id,
        "participants": roster_read(call, Reporting()),
        "operations": [
            {"id": operation.id, "status": operation.status, "clientContext": operation.client_context}
            for operation in call.operations.values()
        ],
    }


def _invalid(error: OptionError) -> Response:
    return _error(400, "BadRequest", str(error), error.faults)


def _error(status: int, code: str, message: str, faults: list[str] | None = None) -> Response:
    body: dict[str, object] = {"code": code, "message": message}
    if faults:
        body["details"] = [{"code": code, "message": fault} for fault in faults]
    return Response(status, {"error": body})
