"""An environment that is good, and what comes of changes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graph.certificates import open_certificate
from settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from domain.configuration.faults import Fault

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
CONNECTION = "DefaultEndpointsProtocol=https;AccountName=stinvites;AccountKey=a2V5;EndpointSuffix=core.windows.net"
SOUND = {
    "GRAPH_TENANT_ID": TENANT,
    "GRAPH_CLIENT_ID": CLIENT,
    "GRAPH_CLIENT_SECRET": "letmein",
    "AzureWebJobsStorage": CONNECTION,
    "WEBSITE_HOSTNAME": "app.azurewebsites.net",
}


def environment(**changes: str | None) -> dict[str, str]:
    """Return the good environment with changes; None takes a setting away."""
    return {name: value for name, value in {**SOUND, **changes}.items() if value is not None}


def loaded(**changes: str | None) -> Settings:
    """Return the settings of the good environment with changes."""
    return load(environment(**changes), open_certificate=open_certificate)


def faults(**changes: str | None) -> tuple[Fault, ...]:
    """Return every fault of the good environment with changes."""
    with pytest.raises(SettingsError) as caught:
        load(environment(**changes), open_certificate=open_certificate)
    for fault in caught.value.faults:
        assert str(fault) == fault.text
        assert fault.setting in fault.text or "credential" in fault.text
    return caught.value.faults
