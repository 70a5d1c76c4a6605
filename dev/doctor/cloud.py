"""Which Microsoft cloud the settings lead to, and whether ids and addresses in them fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev.doctor.connection import host_of
from dev.doctor.findings import Finding, ok, warning

if TYPE_CHECKING:
    from settings import Settings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_simulated(settings: Settings) -> bool:
    """Tell whether Graph is on this very machine, as the simulator is."""
    return urlsplit(settings.graph_endpoint).hostname in _LOOPBACK


def check_cloud(settings: Settings) -> list[Finding]:
    """Compare the settings with the cloud that they name; nothing is asked of the network."""
    cloud = settings.cloud
    findings = []
    own_authority = f"{cloud.authority_host}/{settings.tenant_id}"
    others = [
        name
        for name, differs in (
            ("GRAPH_ENDPOINT", settings.graph_endpoint != cloud.endpoint),
            ("GRAPH_AUTHORITY", settings.authority.casefold() != own_authority.casefold()),
        )
        if differs
    ]
    where = f"Graph at {host_of(settings.graph_endpoint)}, Entra ID at {host_of(settings.authority)}"
    if not others:
        findings.append(ok(f"{cloud.name}: {where}"))
    elif is_simulated(settings):
        findings.append(ok(f"{cloud.name}, simulated on this machine ({' and '.join(others)} say so): {where}"))
    else:
        text = f"{' and '.join(others)} lead elsewhere than GRAPH_CLOUD ({cloud.name}) does: {where}"
        findings.append(
            warning(
                text,
                "Unless that is meant: az functionapp config appsettings delete -n <app> -g <group> --setting-names "
                + " ".join(others),
            )
        )
    return findings
