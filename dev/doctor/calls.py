"""Whether Graph answers the app: it is asked for a call that can't exist, and must not find it."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests

from dev.doctor import connection
from dev.doctor.findings import Finding, fault, ok, warning
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled

if TYPE_CHECKING:
    from graph.client import GraphClient
    from settings import Settings

_MOST_CHARACTERS = 60
_NAME = "Look at GRAPH_CLOUD, and at GRAPH_ENDPOINT where it is set; docs/settings.md#which-graph"
_BOT = "az bot msteams create -n <bot> -g <group> --enable-calling true"
# Graph's codes for what a deployer must mend: docs/operate.md, "Every invitation is 422 or 404".
_CODES: dict[str, tuple[str, str]] = {
    "7503": (
        "there is no Azure Bot for this registration, or its Teams channel lacks calling",
        f"{_BOT} --calling-web-hook <PUBLIC_BASE_URL>/api/notifications; docs/deploy.md#8-azure-bot-and-calling",
    ),
    "7504": (
        "nobody has consented to the app's permissions, or they changed since",
        "A tenant administrator: az ad app permission admin-consent --id {client}",
    ),
    "7505": (
        "the token is not of the tenant in which the calls are",
        "Set GRAPH_TENANT_ID to the calls' own tenant: Entra ID > Overview > Tenant ID",
    ),
}


def check_graph(settings: Settings, graph: GraphClient) -> list[Finding]:
    """Read a call that can't exist.

    What Graph answers then is not documented for a call id of nobody; public reports of calls that are over have 404
    with 8522.
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
            return [connection.explained(cause, settings.graph_endpoint, mend_name=_NAME)]
        return [warning(f"{host} is out of order: {error}", "https://status.cloud.microsoft; try again later")]
    except NothingSent as error:
        return [connection.explained(error.__cause__ or error, settings.graph_endpoint, mend_name=_NAME)]
    except GraphError as error:
        return [warning(f"{host}: {error}")]
    return [warning(f"{host} says that it has a call whose id was made up a moment ago: it may not be Graph", _NAME)]


def _refused(error: Refused, host: str, settings: Settings) -> Finding:
    quoted = f"status {error.status}{_code(error.code)}"
    if error.status == HTTPStatus.NOT_FOUND:
        return ok(f"{host} takes the token and answers that there is no such call ({quoted})")
    if error.code in _CODES:
        meaning, mend = _CODES[error.code]
        return fault(f"{host} refuses the app ({quoted}): {meaning}", mend.format(client=settings.client_id))
    if error.status == HTTPStatus.UNAUTHORIZED:
        mend = f"Token and Graph must be of one cloud. {_NAME}"
        return fault(f"{host} does not take the token ({quoted})", mend)
    if error.status == HTTPStatus.FORBIDDEN:
        mend = (
            f"Compare az ad app permission list --id {settings.client_id} with docs/deploy.md#1-app-registration, then "
            f"az ad app permission admin-consent --id {settings.client_id}"
        )
        return fault(f"{host} forbids the app to read calls ({quoted})", mend)
    mend = "What Graph answers to this is not documented; if invitations work, please report it"
    return warning(f"{host} answered otherwise than expected ({quoted})", mend)


def _code(code: str | None) -> str:
    return f", code {code[:_MOST_CHARACTERS]}" if code else ""
