"""Whether Graph answers the app: a request for a call that can't exist must find nothing."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests

from dev.doctor import connection
from dev.doctor.findings import Finding, fault, ok, warning
from flows.advice import advice_for_refusal
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled

if TYPE_CHECKING:
    from graph.client import GraphClient
    from settings import Settings

_MOST_CHARACTERS = 60
_NAME = "Look at GRAPH_CLOUD, and at GRAPH_ENDPOINT where it is set; docs/settings.md#which-graph"
_BOT = "az bot msteams create -n <bot> -g <group> --enable-calling true"
# What helps with the codes that a deployer can do something about; what they mean is in flows/advice.py.
_COMMANDS = {
    "7503": f"{_BOT} --calling-web-hook <PUBLIC_BASE_URL>/api/notifications; docs/deploy.md#8-azure-bot-and-calling",
    "7504": "A tenant administrator: az ad app permission admin-consent --id {client}",
    "7505": "Set GRAPH_TENANT_ID to the calls' own tenant (Entra ID > Overview > Tenant ID); where it is right, the "
    "call or the person is of another organization",
}


def check_graph(settings: Settings, graph: GraphClient) -> list[Finding]:
    """Read a call that can't exist.

    Graph's response to an unknown call id is not documented; public reports of calls that are over have 404 with 8522.
    """
    host = connection.host_of(settings.graph_endpoint)
    try:
        graph.call(str(uuid.uuid4()), scenario_id=str(uuid.uuid4()))
    except Refused as error:
        return [_refused(error, host, settings)]
    except Throttled as error:
        return [warning(f"{host} is busy (status {error.status}{_code(error.code)})", "Try again later")]
    except OutcomeUnknown as error:
        cause = error.__cause__
        if isinstance(cause, requests.RequestException):
            return [connection.explained(cause, settings.graph_endpoint, fix_name=_NAME)]
        return [warning(f"{host} is out of order: {error}", "https://status.cloud.microsoft; try again later")]
    except NothingSent as error:
        return [connection.explained(error.__cause__ or error, settings.graph_endpoint, fix_name=_NAME)]
    except GraphError as error:
        return [warning(f"{host}: {error}")]
    return [warning(f"{host} returns a call whose id was made up: it may not be Graph", _NAME)]


def _refused(error: Refused, host: str, settings: Settings) -> Finding:
    quoted = f"status {error.status}{_code(error.code)}"
    if error.status == HTTPStatus.NOT_FOUND:
        return ok(f"{host} accepts the token and answers that there is no such call ({quoted})")
    if error.code in _COMMANDS:
        command = _COMMANDS[error.code].format(client=settings.client_id)
        return fault(f"{host} refuses the app ({quoted}): {advice_for_refusal(error)}", command)
    if error.status == HTTPStatus.UNAUTHORIZED:
        fix = f"Token and Graph must be of one cloud. {_NAME}"
        return fault(f"{host} does not accept the token ({quoted})", fix)
    if error.status == HTTPStatus.FORBIDDEN:
        fix = (
            f"Compare az ad app permission list --id {settings.client_id} with docs/deploy.md#1-app-registration, then "
            f"az ad app permission admin-consent --id {settings.client_id}"
        )
        return fault(f"{host} forbids the app to read calls ({quoted})", fix)
    fix = "What Graph answers to this is not documented; if invitations work, please report it"
    return warning(f"{host} answered otherwise than expected ({quoted})", fix)


def _code(code: str | None) -> str:
    return f", code {code[:_MOST_CHARACTERS]}" if code else ""
