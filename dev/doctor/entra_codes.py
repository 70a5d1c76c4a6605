"""What Entra ID's error codes mean for this app, and what mends each.

Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, which is not complete. Not on that
page but seen in public: 7000229 (the Teams SDK's page on authentication), 70021 and 700211
(Azure/azure-workload-identity#340, #1200), 700212 (its neighbours' text, with *audience*), 700213 and 7002138
(Azure/login#482, #517), 7002137 (microsoft/Agents#202), 700024 (Azure/login#372).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.doctor.findings import Finding, fault

if TYPE_CHECKING:
    from settings import Settings

_SET = "az functionapp config appsettings set -n <app> -g <group> --settings"
_NEW_SECRET = (
    "Make a new one: az ad app credential reset --id {client} --append --display-name call-invites --query password "
    f'-o tsv; then {_SET} GRAPH_CLIENT_SECRET="<it>"'
)
_TENANT = (
    "Compare GRAPH_TENANT_ID with what az account show --query tenantId -o tsv prints after a login to the calls' own "
    "tenant, and GRAPH_CLOUD with that tenant's cloud"
)
_TRUST = (
    "Compare issuer, subject and audiences of az ad app federated-credential list --id {client}: issuer "
    "{host}/{tenant}/v2.0, subject the identity's principal id (az identity show -n <identity> -g <group> --query "
    "principalId -o tsv), audience {audience}; docs/deploy.md#6-settings makes it"
)
_FEDERATED = ("the registration does not trust the managed identity: {what}", _TRUST)
_OTHER_CLOUD = (
    "tenant, registration and GRAPH_CLOUD are not of one cloud",
    "Set GRAPH_CLOUD to the tenant's cloud and remove GRAPH_ENDPOINT and GRAPH_AUTHORITY; docs/settings.md#which-graph",
)

_HERE = "az login --tenant {tenant}, then az ad app show --id {client}: one of the two ids is another's"
_ENABLED = "Entra ID > Enterprise applications > Call Invites > Properties > Enabled for users to sign-in"
_CERTIFICATE = "App registrations > Call Invites > Certificates & secrets > Certificates > Upload certificate"
_MEANINGS: dict[str, tuple[str, str]] = {
    "AADSTS7000215": (
        "the client secret is wrong; mostly it is the secret's id instead of its value, or another registration's",
        _NEW_SECRET,
    ),
    "AADSTS7000222": ("the client secret, or the certificate, has expired", _NEW_SECRET),
    "AADSTS700016": (
        "there is no app GRAPH_CLIENT_ID in the tenant GRAPH_TENANT_ID",
        f"{_HERE}; where the app is there, az ad sp create --id {{client}}",
    ),
    "AADSTS7000229": (
        "the registration has no service principal in this tenant",
        "az login --tenant {tenant}, then az ad sp create --id {client}",
    ),
    "AADSTS7000112": (
        "the app is disabled in this tenant",
        f"az ad sp update --id {{client}} --set accountEnabled=true, or {_ENABLED}",
    ),
    "AADSTS90002": ("there is no such tenant as GRAPH_TENANT_ID in this cloud", _TENANT),
    "AADSTS700027": (
        "the certificate is not registered for this app, or it has expired",
        f"az ad app credential reset --id {{client}} --append --cert @<its public part>.pem, or {_CERTIFICATE}",
    ),
    "AADSTS700024": (
        "the time that the credential is good for is not now: a clock is wrong",
        "Set this machine's clock: the date in the answer of curl -sI https://login.microsoftonline.com is right",
    ),
    "AADSTS70021": (_FEDERATED[0].format(what="no federated credential fits"), _TRUST),
    "AADSTS700211": (_FEDERATED[0].format(what="no federated credential has this issuer"), _TRUST),
    "AADSTS700212": (_FEDERATED[0].format(what="no federated credential has this audience"), _TRUST),
    "AADSTS700213": (_FEDERATED[0].format(what="no federated credential has this subject"), _TRUST),
    "AADSTS7002137": (_FEDERATED[0].format(what="no federated credential has this subject"), _TRUST),
    "AADSTS7002138": (
        _FEDERATED[0].format(what="a federated credential's subject differs in the case of its letters"),
        _TRUST,
    ),
    "AADSTS500011": (
        "this tenant knows no Graph at the address for which a token was asked",
        _OTHER_CLOUD[1],
    ),
    "AADSTS70011": ("GRAPH_ENDPOINT is not a Graph for which there are tokens", _OTHER_CLOUD[1]),
    "AADSTS53003": (
        "a Conditional Access policy for workload identities blocks the app",
        "Entra ID > Monitoring & health > Sign-in logs > Service principal sign-ins names the policy",
    ),
    "AADSTS90038": _OTHER_CLOUD,
    "AADSTS900382": _OTHER_CLOUD,
    "AADSTS900432": _OTHER_CLOUD,
}


def explained(code: str, settings: Settings) -> Finding:
    """Say what a refusal with this code means."""
    meaning, mend = _MEANINGS.get(
        code,
        (
            "this code has no advice here",
            f"https://login.microsoftonline.com/error?code={code.removeprefix('AADSTS')} explains it",
        ),
    )
    words = {
        "client": settings.client_id,
        "tenant": settings.tenant_id,
        "host": settings.cloud.authority_host,
        "audience": settings.cloud.identity_audience,
    }
    return fault(f"Entra ID gives no token ({code}): {meaning}", mend.format(**words))
