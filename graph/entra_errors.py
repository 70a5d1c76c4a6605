"""What Entra ID's error codes mean for this app, in one table: for its answers, its log and the doctor.

Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, which is not complete. Not on that
page but in public reports: 7000229 (the Teams SDK's page on authentication), 70021 and 700211
(Azure/azure-workload-identity#340, #1200), 700212 (the neighbours' text, with *audience*), 700213 and 7002138
(Azure/login#482, #517), 7002137 (microsoft/Agents#202), 700024 (Azure/login#372), 1000502
(AzureAD/microsoft-identity-web#2834), 500014 (Teams' page about polls that are disabled), 501051 (the page about
restricting an app to a set of users).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class EntraError:
    """What a code means, and what a deployer does about it."""

    meaning: str
    fix: str
    """One sentence."""
    command: str = ""
    """A command or page that helps, with ``{client}``, ``{tenant}``, ``{host}`` and ``{audience}`` to be filled in."""


_SET = "az functionapp config appsettings set -n <app> -g <group> --settings"
_NEW_SECRET = (
    "az ad app credential reset --id {client} --append --display-name call-invites --query password -o tsv; then "
    f'{_SET} GRAPH_CLIENT_SECRET="<it>"'
)
_NEW_CERTIFICATE = (
    "az ad app credential reset --id {client} --append --cert @<its public part>.pem, or App registrations > Call "
    "Invites > Certificates & secrets > Certificates > Upload certificate"
)
_TENANT = (
    "az account show --query tenantId -o tsv, after a login to the calls' own tenant, prints the value for "
    "GRAPH_TENANT_ID"
)
_BOTH = "az login --tenant {tenant}, then az ad app show --id {client}"
_PRINCIPAL = "az login --tenant {tenant}, then az ad sp create --id {client}"
_SIGN_INS = "Entra ID > Monitoring & health > Sign-in logs > Service principal sign-ins names the policy"
_TRUST = (
    "az ad app federated-credential list --id {client} must list issuer {host}/{tenant}/v2.0, as subject the "
    "identity's principal id (az identity show -n <identity> -g <group> --query principalId -o tsv), and audience "
    "{audience}; docs/deploy.md#6-settings makes it"
)
_CLOCK = "the date in the response of curl -sI https://login.microsoftonline.com is right"


def _policy(what: str) -> EntraError:
    return EntraError(what, "Exclude the app from that policy.", _SIGN_INS)


def _federated(what: str) -> EntraError:
    text = f"the registration does not trust the managed identity: {what}"
    return EntraError(text, "Compare issuer, subject and audience of its federated credential.", _TRUST)


def _other_cloud(meaning: str) -> EntraError:
    fix = "Set GRAPH_CLOUD to the tenant's cloud and remove GRAPH_ENDPOINT and GRAPH_AUTHORITY."
    return EntraError(meaning, fix, "docs/settings.md#which-graph")


_RESTRICTED = EntraError(
    "a proxy restricts the tenants that can be signed in to, and this one is not allowed",
    "Let the proxy allow the tenant GRAPH_TENANT_ID, or the app's requests pass it by.",
    "https://learn.microsoft.com/entra/identity/enterprise-apps/tenant-restrictions",
)
_NO_TENANT = EntraError(
    "the request named no tenant", "Check GRAPH_TENANT_ID, and GRAPH_AUTHORITY where it is set.", _TENANT
)
_CLOUDS_DIFFER = _other_cloud("tenant, registration and GRAPH_CLOUD are not of one cloud")

ENTRA_ERRORS: dict[str, EntraError] = {
    "AADSTS50001": _other_cloud("there is no such Graph, or it is disabled in this tenant"),
    "AADSTS50012": EntraError(
        "the credential was not accepted", "Upload the certificate's public part again.", _NEW_CERTIFICATE
    ),
    "AADSTS50027": EntraError(
        "the client assertion was not accepted: a clock is wrong, or it is meant for another authority",
        "Set the clock of the machine that runs the app, and check GRAPH_AUTHORITY.",
        _CLOCK,
    ),
    "AADSTS50034": EntraError(
        "the tenant GRAPH_TENANT_ID has no such account", "Check GRAPH_TENANT_ID and GRAPH_CLIENT_ID.", _BOTH
    ),
    "AADSTS50059": _NO_TENANT,
    "AADSTS50076": _policy("a Conditional Access policy wants multifactor authentication, which an app can't do"),
    "AADSTS50128": _NO_TENANT,
    "AADSTS50196": EntraError(
        "the app asked for the same token too often in a short time",
        "Wait some minutes, and find out what restarts the app or what else uses its credential.",
    ),
    "AADSTS53003": _policy("a Conditional Access policy for workload identities blocks the app"),
    "AADSTS65001": EntraError(
        "an administrator has not consented to the app's permissions",
        "Let a tenant administrator consent.",
        "az ad app permission admin-consent --id {client}",
    ),
    "AADSTS70011": _other_cloud("GRAPH_ENDPOINT is not a Graph for which there are tokens"),
    "AADSTS70021": _federated("no federated credential fits"),
    "AADSTS90002": EntraError(
        "there is no such tenant as GRAPH_TENANT_ID in this cloud", "Check GRAPH_TENANT_ID and GRAPH_CLOUD.", _TENANT
    ),
    "AADSTS90038": _CLOUDS_DIFFER,
    "AADSTS500011": _other_cloud("this tenant knows no Graph at the URL for which a token was asked"),
    "AADSTS500014": EntraError(
        "Graph is disabled in this tenant, or the tenant's subscription has lapsed",
        "Let a tenant administrator enable it.",
        "Entra ID > Enterprise applications > Microsoft Graph > Properties > Enabled for users to sign-in",
    ),
    "AADSTS500021": _RESTRICTED,
    "AADSTS500022": _RESTRICTED,
    "AADSTS501051": EntraError(
        "Graph gives tokens to assigned apps only, and this one has no role",
        "Let a tenant administrator consent to the app's permissions.",
        "az ad app permission admin-consent --id {client}",
    ),
    "AADSTS700016": EntraError(
        "there is no app GRAPH_CLIENT_ID in the tenant GRAPH_TENANT_ID",
        "Check both ids.",
        f"{_BOTH}; where the app is there, az ad sp create --id {{client}}",
    ),
    "AADSTS700023": _other_cloud("the client assertion is meant for another tenant or cloud"),
    "AADSTS700024": EntraError(
        "the time for which the credential is valid is not now: a clock is wrong",
        "Set the clock of the machine that runs the app.",
        _CLOCK,
    ),
    "AADSTS700025": EntraError(
        "the registration is a public client, which has no secret",
        "Set GRAPH_CLIENT_ID to the id of a confidential client, or turn public client flows off.",
        "az ad app update --id {client} --is-fallback-public-client false",
    ),
    "AADSTS700027": EntraError(
        "the certificate is not registered for this app, or it has expired",
        "Upload the certificate's public part.",
        _NEW_CERTIFICATE,
    ),
    "AADSTS700211": _federated("no federated credential has this issuer"),
    "AADSTS700212": _federated("no federated credential has this audience"),
    "AADSTS700213": _federated("no federated credential has this subject"),
    "AADSTS900023": EntraError("GRAPH_TENANT_ID is not a tenant's id", "Check GRAPH_TENANT_ID.", _TENANT),
    "AADSTS900382": _CLOUDS_DIFFER,
    "AADSTS900432": _CLOUDS_DIFFER,
    "AADSTS1000502": EntraError(
        "the certificate has expired, or is not valid yet", "Make a new certificate and upload it.", _NEW_CERTIFICATE
    ),
    "AADSTS7000112": EntraError(
        "the app is disabled in this tenant",
        "Enable it.",
        "az ad sp update --id {client} --set accountEnabled=true, or Entra ID > Enterprise applications > Call Invites "
        "> Properties > Enabled for users to sign-in",
    ),
    "AADSTS7000215": EntraError(
        "the client secret is wrong; mostly it is the secret's id instead of its value, or another registration's",
        "Make a new client secret.",
        _NEW_SECRET,
    ),
    "AADSTS7000218": EntraError(
        "the request held no credential", "Set GRAPH_CLIENT_SECRET or another credential.", _NEW_SECRET
    ),
    "AADSTS7000222": EntraError("the client secret, or the certificate, has expired", "Make a new one.", _NEW_SECRET),
    "AADSTS7000229": EntraError("the registration has no service principal in this tenant", "Create it.", _PRINCIPAL),
    "AADSTS7002137": _federated("no federated credential has this subject"),
    "AADSTS7002138": _federated("a federated credential's subject differs in upper and lower case"),
}


def entra_error(code: str | None) -> EntraError:
    """Return what a code such as ``AADSTS7000215`` means; an unknown one has advice too."""
    known = ENTRA_ERRORS.get(code or "")
    if known is not None:
        return known
    fix = "Open the page that explains the code."
    number = (code or "").removeprefix("AADSTS")
    page = f"https://login.microsoftonline.com/error?code={number}" if number.isdigit() else ""
    return EntraError("this code has no advice here", fix, page or "docs/operate.md#every-invitation-is-503")


def is_lasting(status: int) -> bool:
    """Return whether a refusal of Entra ID with this HTTP status stays until a deployer acts.

    408 and 429 pass, and so does every 5xx; any other 4xx is about the request, which does not change by itself.
    """
    return 400 <= status < 500 and status not in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)  # noqa: PLR2004
