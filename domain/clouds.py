"""The national clouds of Microsoft Graph, each as one record.

Hosts and scopes: https://learn.microsoft.com/graph/deployments. What a cloud's schema lacks is read from the
published v1.0 metadata (microsoftgraph/msgraph-metadata, ``schemas/v1.0-Fairfax.csdl`` for US Government).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cloud:
    """One deployment of Microsoft Graph and what an app must know to call it."""

    name: str
    endpoint: str
    """Root of Graph, without version."""
    authority_host: str
    """Root of Entra ID; the tenant is appended."""
    identity_audience: str
    """The audience that a managed identity's token needs to be accepted as a federated credential."""
    openid_configuration: str
    """OpenID metadata of Graph's callback tokens."""
    authority_aliases: frozenset[str] = field(default_factory=frozenset)
    """Further hosts of the same Entra ID."""
    token_issuers: tuple[str, ...] = ()
    """Issuers of Entra ID's tokens of version 2 and 1, as far as they are known, with ``{tenantid}`` for the tenant."""
    lacking_members: frozenset[str] = field(default_factory=frozenset)
    """Members of ``invitationParticipantInfo`` that this cloud's schema does not declare."""
    lacking_identity_types: frozenset[str] = field(default_factory=frozenset)
    """Identity types that this cloud's schema does not declare."""
    teams_hosts: frozenset[str] = field(default_factory=frozenset)
    """The exact hosts of this cloud's meeting links."""
    thread_prefix: str = ""
    """What the ids of this cloud's threads begin with, after ``19:``."""

    @property
    def scope(self) -> str:
        """The client-credentials scope; its host must be the cloud's own."""
        return f"{self.endpoint}/.default"

    @property
    def authority_hosts(self) -> frozenset[str]:
        """Hosts of this cloud's Entra ID, as MSAL lists them (``msal/authority.py``)."""
        return self.authority_aliases | {self.authority_host.removeprefix("https://")}


# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
_US_GOV_AUDIENCE = "api://AzureADTokenExchangeUSGov"
# The issuer of version 1 is not documented there; Entra's metadata, which is read, names version 2 only.
_US_GOV_ISSUERS = ("https://login.microsoftonline.us/{tenantid}/v2.0",)
_US_GOV_LACKS_MEMBERS = frozenset({"participantId", "hidden", "removeFromDefaultAudioRoutingGroup"})
_US_GOV_LACKS_IDENTITIES = frozenset(
    {
        "azureCommunicationServicesUserIdentity",
        "communicationsApplicationIdentity",
        "communicationsApplicationInstanceIdentity",
        "communicationsEncryptedIdentity",
        "communicationsGuestIdentity",
        "communicationsPhoneIdentity",
        "communicationsUserIdentity",
    }
)
# Graph's calling documentation names this URL for all clouds; for US Government no page confirms it
# (docs/limits.md), so CALLBACK_OPENID_CONFIGURATION and CALLBACK_ISSUERS can say otherwise.
OPENID_DOMAINS = frozenset({"skype.com", "botframework.com", "botframework.azure.us"})
"""Microsoft's own domains for OpenID metadata of callbacks; the last is the Bot Framework's for US Government."""
_GLOBAL_TEAMS_HOSTS = frozenset({"teams.microsoft.com", "teams.cloud.microsoft"})  # .mcas.ms: Defender for Cloud Apps
_CALLING_OPENID_CONFIGURATION = "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"

CLOUDS: dict[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            name="global",
            endpoint="https://graph.microsoft.com",
            authority_host="https://login.microsoftonline.com",
            authority_aliases=frozenset({"login.microsoft.com", "login.windows.net", "sts.windows.net"}),
            identity_audience="api://AzureADTokenExchange",
            openid_configuration=_CALLING_OPENID_CONFIGURATION,
            token_issuers=(
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "https://sts.windows.net/{tenantid}/",
            ),
            teams_hosts=_GLOBAL_TEAMS_HOSTS | {f"{host}.mcas.ms" for host in _GLOBAL_TEAMS_HOSTS},
        ),
        Cloud(
            name="us-gov-l4",
            endpoint="https://graph.microsoft.us",
            authority_host="https://login.microsoftonline.us",
            identity_audience=_US_GOV_AUDIENCE,
            openid_configuration=_CALLING_OPENID_CONFIGURATION,
            token_issuers=_US_GOV_ISSUERS,
            lacking_members=_US_GOV_LACKS_MEMBERS,
            lacking_identity_types=_US_GOV_LACKS_IDENTITIES,
            teams_hosts=frozenset({"gov.teams.microsoft.us", "teams.microsoft.us"}),
            thread_prefix="gcch:",
        ),
        Cloud(
            name="us-gov-l5",
            endpoint="https://dod-graph.microsoft.us",
            authority_host="https://login.microsoftonline.us",
            identity_audience=_US_GOV_AUDIENCE,
            openid_configuration=_CALLING_OPENID_CONFIGURATION,
            token_issuers=_US_GOV_ISSUERS,
            lacking_members=_US_GOV_LACKS_MEMBERS,
            lacking_identity_types=_US_GOV_LACKS_IDENTITIES,
            teams_hosts=frozenset({"dod.teams.microsoft.us", "teams.microsoft.us"}),
            thread_prefix="dod:",
        ),
    )
}

UNSUPPORTED_CLOUDS: dict[str, str] = {
    "china": "Microsoft Graph operated by 21Vianet has no calls, so people can't be invited there",
}
