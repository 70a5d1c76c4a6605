"""The control routes: what ``Simulator`` offers, as JSON over HTTPS, for other processes and for curl."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dev.simulator.control_json import Members, call_json, camel_cased, check, error, members_of, snake_cased
from dev.simulator.faults import new_fault
from dev.simulator.options import OptionError
from dev.simulator.scripts import new_behaviour
from dev.simulator.web import Request, Response

if TYPE_CHECKING:
    from dev.simulator.simulator import Simulator

_Handler = Callable[..., Response]
_LONGEST_WAIT = 60


class Control:
    """Answers requests under ``/simulator/``; faults in them are named, all at once."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        routes: list[tuple[str, str, _Handler]] = [
            ("GET", "settings", self._settings),
            ("GET", "calls", self._calls),
            ("POST", "calls", self._create_call),
            ("GET", "calls/([^/]+)", self._call),
            ("POST", "calls/([^/]+)/end", self._end_call),
            ("POST", "calls/([^/]+)/leave", self._leave),
            ("POST", "calls/([^/]+)/notifications", self._post_notification),
            ("GET", "people", self._people),
            ("PUT", "people/([^/]+)", self._person),
            ("PUT", "everyone", self._everyone),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._fault),
            ("DELETE", "faults(?:/([0-9]+))?", self._remove_faults),
            ("GET", "log", self._log),
            ("GET", "idle", self._idle),
            ("POST", "reset", self._reset),
            ("POST", "tokens", self._token),
            ("POST", "tokens/revoke", self._revoke_tokens),
            ("PUT", "roles", self._roles),
            ("POST", "keys/rotate", self._rotate_keys),
            ("PUT", "keys", self._fail_keys),
        ]
        self._routes = [(method, re.compile(f"/simulator/{path}"), handler) for method, path, handler in routes]

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        methods: list[str] = []
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return self._handle(handler, request, [part and unquote(part) for part in found.groups()])
            methods += [method] if found else []
        if methods:
            response = error(405, "MethodNotAllowed", f"This address takes {', '.join(methods)}.")
            response.headers["Allow"] = ", ".join(methods)
            return response
        known = sorted({pattern.pattern for _, pattern, _ in self._routes})
        return error(404, "NotFound", f"No such control route; there are {', '.join(known)}.")

    @staticmethod
    def _handle(handler: _Handler, request: Request, parts: list[str]) -> Response:
        try:
            if request.method in {"POST", "PUT"}:
                return handler(*parts, members=members_of(request))
            return handler(*parts, query=request.query) if request.method == "GET" else handler(*parts)
        except OptionError as refused:
            return error(400, "BadRequest", str(refused), refused.faults)
        except KeyError as refused:
            return error(404, "NotFound", f"There is no call {refused.args[0]}.")
        except ValueError as refused:
            return error(409, "Conflict", str(refused))

    def _settings(self, query: Mapping[str, str]) -> Response:
        del query
        return Response(body=self._simulator.settings())

    def _calls(self, query: Mapping[str, str]) -> Response:
        del query
        with self._simulator.world.lock:
            calls = list(self._simulator.world.calls.values())
            return Response(body={"value": [call_json(call) for call in calls]})

    def _call(self, call_id: str, query: Mapping[str, str]) -> Response:
        del query
        with self._simulator.world.lock:
            return Response(body=call_json(self._simulator.call(call_id)))

    def _create_call(self, members: Members) -> Response:
        if isinstance(members.get("behaviour"), dict):
            members["behaviour"] = snake_cased(members["behaviour"])
        return Response(201, call_json(self._simulator.begin_call(members)))

    def _end_call(self, call_id: str, members: Members) -> Response:
        check(members, {"announce": bool, "forget": bool, "report_pending": bool})
        self._simulator.end_call(call_id, **members)
        return Response(204)

    def _leave(self, call_id: str, members: Members) -> Response:
        check(members, {"person": str}, needed={"person"})
        if not self._simulator.leave(call_id, members["person"]):
            raise OptionError(["person: is not in this call"])
        return Response(204)

    def _post_notification(self, call_id: str, members: Members) -> Response:
        check(members, {"items": list, "body": dict, "token": str})
        if ("items" in members) == ("body" in members):
            raise OptionError(["give items (sent in the usual envelope) or body (sent as it is)"])
        sent = members.get("items", members.get("body"))
        status = self._simulator.post_notification(call_id, sent, token=members.get("token"))
        return Response(body={"status": status})

    def _people(self, query: Mapping[str, str]) -> Response:
        del query
        with self._simulator.world.lock:
            people = dict(self._simulator.world.people)
        return Response(
            body={"value": [{"id": key, **camel_cased(asdict(someone))} for key, someone in people.items()]}
        )

    def _person(self, identity_id: str, members: Members) -> Response:
        behaviour = new_behaviour(members)
        with self._simulator.world.lock:
            self._simulator.world.people[identity_id.casefold()] = behaviour
        return Response(204)

    def _everyone(self, members: Members) -> Response:
        behaviour = new_behaviour(members)
        with self._simulator.world.lock:
            self._simulator.world.behaviour = behaviour
        return Response(204)

    def _faults(self, query: Mapping[str, str]) -> Response:
        del query
        faults = self._simulator.faults.all()
        value = [{"number": number, "played": played, **camel_cased(asdict(fault))} for number, fault, played in faults]
        return Response(body={"value": value})

    def _fault(self, members: Members) -> Response:
        return Response(201, {"number": self._simulator.faults.add(new_fault(members))})

    def _remove_faults(self, number: str | None) -> Response:
        self._simulator.faults.remove(int(number) if number else None)
        return Response(204)

    def _log(self, query: Mapping[str, str]) -> Response:
        log = self._simulator.log.as_json(bodies=query.get("bodies", "true") != "false")
        if "callId" in query:
            log = {
                kind: [entry for entry in entries if entry.get("callId") == query["callId"]]
                for kind, entries in log.items()
            }
        if "kind" not in query:
            return Response(body=log)
        if query["kind"] not in log:
            raise OptionError([f"kind: must be one of {', '.join(log)}"])
        return Response(body={"value": log[query["kind"]]})

    def _idle(self, query: Mapping[str, str]) -> Response:
        try:
            timeout = min(float(query.get("timeout", "10")), _LONGEST_WAIT)
        except ValueError as unreadable:
            raise OptionError(["timeout: must be a number of seconds"]) from unreadable
        return Response(body={"idle": self._simulator.wait_idle(timeout)})

    def _reset(self, members: Members) -> Response:
        check(members, {})
        self._simulator.reset()
        return Response(204)

    def _token(self, members: Members) -> Response:
        check(members, {"claims": dict, "headers": dict, "algorithm": str, "unknown_key": bool})
        claims = members.pop("claims", {})
        if set(claims) & {"headers", "algorithm", "unknown_key"}:
            raise OptionError(["claims: cannot have these names"])
        return Response(201, {"token": self._simulator.token(**members, **claims)})

    def _revoke_tokens(self, members: Members) -> Response:
        check(members, {})
        self._simulator.revoke_tokens()
        return Response(204)

    def _roles(self, members: Members) -> Response:
        check(members, {"roles": list}, needed={"roles"})
        self._simulator.entra.roles = tuple(map(str, members["roles"]))
        return Response(204)

    def _rotate_keys(self, members: Members) -> Response:
        check(members, {"keep_old": bool})
        return Response(body={"kid": self._simulator.rotate_keys(**members)})

    def _fail_keys(self, members: Members) -> Response:
        check(members, {"failing": int | None}, needed={"failing"})
        self._simulator.keys.failing = members["failing"]
        return Response(204)
