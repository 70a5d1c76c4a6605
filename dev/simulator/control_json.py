"""JSON in and out of the control routes: camelCase outside, snake_case inside, faults named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.simulator import entities
from dev.simulator.options import OptionError, Reporting, to_camel_case, to_snake_case
from dev.simulator.web import BodyError, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.simulator.calls import Call

Members = dict[str, Any]


def members_of(request: Request) -> Members:
    """Return the members of a request's body, in snake_case; raises OptionError."""
    if not request.body:
        return {}
    try:
        body = request.json()
    except BodyError as error:
        raise OptionError([f"the body is not JSON: {error}"]) from error
    if not isinstance(body, dict):
        raise OptionError(["the body must be an object"])
    return snake_cased(body)


def snake_cased(members: Mapping[str, object]) -> Members:
    """Rename members as Python does."""
    return {to_snake_case(name): value for name, value in members.items()}


def camel_cased(members: Mapping[str, object]) -> dict[str, object]:
    """Rename members as JSON does."""
    return {to_camel_case(name): value for name, value in members.items()}


def check(members: Members, allowed: Mapping[str, Any], needed: frozenset[str] | set[str] = frozenset()) -> None:
    """Raise OptionError unless all ``needed`` members are there, and all others ``allowed`` and of that type."""
    faults = [f"{to_camel_case(name)}: is missing" for name in needed - members.keys()]
    for name, value in members.items():
        if name not in allowed:
            faults.append(f"{to_camel_case(name)}: not an option")
        elif not isinstance(value, allowed[name]):
            faults.append(f"{to_camel_case(name)}: has the wrong type")
    if faults:
        raise OptionError(faults)


def call_json(call: Call) -> dict[str, object]:
    """Return a call with its roster and its operations."""
    return {
        "id": call.id,
        "kind": call.kind,
        "state": call.state,
        "callbackUri": call.callback_uri,
        "tenantId": call.tenant_id,
        "participants": [entities.participant_read(someone, Reporting()) for someone in call.present],
        "operations": [
            {"id": operation.id, "status": operation.status, "clientContext": operation.client_context}
            for operation in call.operations.values()
        ],
    }


def error(status: int, code: str, message: str, faults: list[str] | None = None) -> Response:
    """Return an error, with its faults one by one."""
    body: dict[str, object] = {"code": code, "message": message}
    if faults:
        body["details"] = [{"code": code, "message": fault} for fault in faults]
    return Response(status, {"error": body})
