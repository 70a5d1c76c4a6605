"""The app's own token for Graph: whether Entra ID gives one, and whether it says what Graph will ask for.

The token is decoded without its signature, which only Graph can judge, and is never shown.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import jwt
import requests

from dev.doctor import connection, entra_codes, identity
from dev.doctor.findings import Finding, fault, not_checked, ok, warning
from graph.errors import CredentialRefused, NothingSent

if TYPE_CHECKING:
    from graph.credentials import TokenSource
    from settings import Settings

INVITING = "Calls.InitiateGroupCall.All"
# Graph's own application id, which is the same everywhere and can stand as a token's audience.
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
_CODE = re.compile(r"AADSTS\d+")
_NAME = "Look at GRAPH_CLOUD, and at GRAPH_AUTHORITY where it is set; docs/settings.md#which-graph"
_OUTSIDE = (
    "the credential is a managed identity, which gives tokens to the deployed app only: whether the registration "
    "trusts it can't be seen from here"
)
_INSTEAD = (
    "az ad app federated-credential list --id {client} shows whom the registration trusts. To check consent and Graph, "
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
    code = _CODE.search(str(error))
    if code is not None:
        return entra_codes.explained(code[0], settings)
    cause = error.__cause__
    if isinstance(cause, requests.RequestException):
        return connection.explained(cause, settings.authority, mend_name=_NAME)
    if isinstance(cause, ValueError) and "authority configuration" in str(cause):
        # MSAL looks for the tenant before it asks for a token, so Entra's code does not come through.
        return entra_codes.explained("AADSTS90002", settings)
    host = connection.host_of(settings.authority)
    if isinstance(error, CredentialRefused) and settings.credential.managed_identity_client_id is not None:
        mend = (
            "az functionapp identity show -n <app> -g <group> must name the identity of "
            "GRAPH_MANAGED_IDENTITY_CLIENT_ID, else az functionapp identity assign -n <app> -g <group> --identities "
            "<its resource id>"
        )
        return fault("the managed identity gave no token: it is not assigned to the app", mend)
    if isinstance(error, CredentialRefused) and settings.credential.certificate_pem is not None:
        mend = "openssl pkey -in <file> -noout and openssl x509 -in <file> -noout must both be content with it"
        return fault("the certificate, or its private key, can't be used", mend)
    return fault(f"{host} gives no token: {error}", f"Try again; if it stays: {connection.WAY_OUT}")


def _read(claims: dict[str, Any], settings: Settings) -> list[Finding]:
    findings = [*_audience(claims, settings), *_owner(claims, settings), *_roles(claims, settings)]
    left = claims.get("exp", 0) - time.time() if isinstance(claims.get("exp"), int | float) else 0.0
    if left <= 0:
        mend = "Set this machine's clock: the date in the answer of curl -sI https://login.microsoftonline.com is right"
        findings.append(fault("the token has ended already: this machine's clock is wrong", mend))
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
    roles = claims.get("roles")
    if isinstance(roles, list) and INVITING in roles:
        return []
    client = settings.client_id
    mend = (
        f"A tenant administrator: az ad app permission admin-consent --id {client}, or Entra ID > App registrations > "
        "Call Invites > API permissions > Grant admin consent. Where az ad app permission list --id "
        f"{client} shows nothing, first docs/deploy.md#1-app-registration; a consent takes some minutes"
    )
    return [fault(f"the token lacks {INVITING}: nobody has consented to it (Graph answers 7504)", mend)]
