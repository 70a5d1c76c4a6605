"""The app's own token for Graph: whether Entra ID gives one, and whether it holds what Graph checks.

The token is decoded without its signature, which only Graph can judge, and is never shown.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import requests

from dev.doctor import connection, identity
from dev.doctor.findings import Finding, fault, not_checked, ok, warning
from graph import permissions
from graph.entra_errors import entra_error
from graph.errors import CredentialRefused, NothingSent

if TYPE_CHECKING:
    from graph.credentials import TokenSource
    from settings import Settings

INVITING = permissions.CALL_SEVERAL
# What the app does without these; it can't invite anybody without the one above.
_OTHERS = {
    permissions.JOIN_MEETING: "the actions that join a meeting",
    permissions.CALL_ONE: "a call to one user without a meeting",
}
# Graph's own application id, which is the same everywhere and can stand as a token's audience.
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
# As much as the app allows to the clocks of those that send it tokens.
_LEEWAY_SECONDS = 300
_NAME = "Look at GRAPH_CLOUD, and at GRAPH_AUTHORITY where it is set; docs/settings.md#which-graph"
_OUTSIDE = (
    "the credential is a managed identity, which gives tokens to the deployed app only: whether the registration "
    "trusts it can't be seen from here"
)
_INSTEAD = (
    "az ad app federated-credential list --id {client} shows what the registration trusts. To check consent and Graph, "
    'let another credential stand in for one run: GRAPH_MANAGED_IDENTITY_CLIENT_ID= GRAPH_CLIENT_SECRET="$(az ad app '
    'credential reset --id {client} --append --display-name doctor --query password -o tsv)" before the command, and '
    "az ad app credential delete --id {client} --key-id <its id> afterwards"
)


def check_token(settings: Settings, tokens: TokenSource) -> tuple[str | None, list[Finding]]:
    """Ask Entra ID for a token with the code that the app uses, and look into it.

    Returns:
        The token, None where there is none, and what was found.
    """
    if settings.credential.managed_identity_client_id is not None and not identity.is_within_reach():
        return None, [not_checked(_OUTSIDE, _INSTEAD.format(client=settings.client_id))]
    try:
        token = tokens.token()
    except NothingSent as error:
        return None, [_refused(error, settings)]
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return token, [warning("Entra ID gave a token that can't be read, so what is in it was not checked")]
    return token, _read(claims, settings)


def _refused(error: NothingSent, settings: Settings) -> Finding:
    cause = error.__cause__
    code = error.code if isinstance(error, CredentialRefused) else None
    if isinstance(cause, ValueError) and settings.credential.managed_identity_client_id is None:
        # MSAL looks for the tenant before it asks for a token, so Entra ID's code does not come through.
        code = "AADSTS90002"
    if code is not None:
        return _explained(code, settings)
    if isinstance(cause, requests.RequestException):
        return connection.explained(cause, settings.authority, fix_name=_NAME)
    host = connection.host_of(settings.authority)
    if isinstance(error, CredentialRefused) and settings.credential.managed_identity_client_id is not None:
        fix = (
            "az functionapp identity show -n <app> -g <group> must name the identity of "
            "GRAPH_MANAGED_IDENTITY_CLIENT_ID, else az functionapp identity assign -n <app> -g <group> --identities "
            "<its resource id>"
        )
        return fault("the managed identity gave no token: it is not assigned to the app", fix)
    return fault(f"{host} gives no token: {error}", f"Try again; if it stays: {connection.WAY_OUT}")


def _explained(code: str, settings: Settings) -> Finding:
    known = entra_error(code)
    command = known.command.format(
        client=settings.client_id,
        tenant=settings.tenant_id,
        host=settings.cloud.authority_host,
        audience=settings.cloud.identity_audience,
    )
    fix = f"{known.fix} {command}" if command else known.fix
    return fault(f"Entra ID gives no token ({code}): {known.meaning}", fix)


def _read(claims: dict[str, Any], settings: Settings) -> list[Finding]:
    findings = [*_audience(claims, settings), *_owner(claims, settings), *_roles(claims, settings)]
    left = claims.get("exp", 0) - time.time() if isinstance(claims.get("exp"), int | float) else 0.0
    begins = claims.get("nbf")
    if left <= 0 or (isinstance(begins, int | float) and begins > time.time() + _LEEWAY_SECONDS):
        fix = (
            "Set this machine's clock: the date in the response of curl -sI https://login.microsoftonline.com is right"
        )
        text = "has expired already" if left <= 0 else "is not valid yet"
        findings.append(fault(f"the token {text}: this machine's clock is wrong", fix))
    if not findings:
        text = f"Entra ID gave one to this app in this tenant, with {INVITING}, good for {left / 60:.0f} minutes"
        return [ok(text)]
    return findings


def _audience(claims: dict[str, Any], settings: Settings) -> list[Finding]:
    expected = settings.graph_scope.removesuffix("/.default").rstrip("/")
    given = str(claims.get("aud", "")).rstrip("/")
    if given.casefold() in (expected.casefold(), GRAPH_ID):
        return []
    return [fault("the token is not for the Graph that is asked", _NAME)]


def _owner(claims: dict[str, Any], settings: Settings) -> list[Finding]:
    findings = []
    tenant = str(claims.get("tid", ""))
    if tenant.casefold() != settings.tenant_id.casefold():
        where = "Entra ID > Overview > Tenant ID"
        if "." in settings.tenant_id:
            text = "GRAPH_TENANT_ID is a domain's name; callbacks name the tenant by its id and would be refused"
            findings.append(fault(text, f"Set GRAPH_TENANT_ID to the id: {where}"))
        else:
            text = "the token is of another tenant than GRAPH_TENANT_ID: calls of the tenant are refused (7505)"
            findings.append(fault(text, f"Remove GRAPH_AUTHORITY, or make the two fit: {where}"))
    client = str(claims.get("appid") or claims.get("azp") or "")
    if client.casefold() != settings.client_id.casefold():
        text = "the token is another app's than GRAPH_CLIENT_ID: Graph knows that one's calls only (8522)"
        findings.append(fault(text, "Entra ID > App registrations > Call Invites > Overview > Application (client) ID"))
    return findings


def _roles(claims: dict[str, Any], settings: Settings) -> list[Finding]:
    given = claims.get("roles")
    roles = given if isinstance(given, list) else []
    client = settings.client_id
    fix = (
        f"A tenant administrator: az ad app permission admin-consent --id {client}, or Entra ID > App registrations > "
        "Call Invites > API permissions > Grant admin consent. Where az ad app permission list --id "
        f"{client} doesn't show it, first docs/deploy.md#1-app-registration; a consent takes some minutes"
    )
    findings = []
    if INVITING not in roles:
        text = f"the token lacks {INVITING}: an administrator has not consented to it (Graph answers 7504)"
        findings.append(fault(text, fix))
    for name, action in _OTHERS.items():
        if name not in roles:
            text = f"the token lacks {name}: without it Graph refuses {action} (7504)"
            findings.append(warning(text, fix))
    return findings
