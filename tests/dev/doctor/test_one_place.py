"""Health, the log and the doctor report the same sentence about the same setting."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING

import pytest

import app

if TYPE_CHECKING:
    from tests.dev.doctor.conftest import Doctor

GUID = "0f0c1a4e-6d2b-4c7e-9a51-3f1f6b0d9c22"
STORAGE: dict[str, str | None] = {"AzureWebJobsStorage": None}


@pytest.mark.parametrize(
    ("setting", "changes"),
    [
        ("GRAPH_TENANT_ID", {"GRAPH_TENANT_ID": None}),
        ("GRAPH_CLOUD", {"GRAPH_CLOUD": "mars"}),
        ("AzureWebJobsStorage", {"AzureWebJobsStorage": "AccountName=stinvites"}),
        (
            "AzureWebJobsStorage__queueServiceUri",
            {
                **STORAGE,
                "AzureWebJobsStorage__accountName": "stone",
                "AzureWebJobsStorage__queueServiceUri": "https://sttwo.queue.core.windows.net",
            },
        ),
        (
            "AzureWebJobsStorage__clientId",
            {**STORAGE, "AzureWebJobsStorage__accountName": "stone", "AzureWebJobsStorage__clientId": GUID},
        ),
        ("GRAPH_CLIENT_CERTIFICATE", {"GRAPH_CLIENT_SECRET": None, "GRAPH_CLIENT_CERTIFICATE": "garbage"}),
        ("FLOW_CALLBACK_LOCAL_HOSTS", {"FLOW_CALLBACK_LOCAL_HOSTS": "localhost:1", "WEBSITE_SKU": "FlexConsumption"}),
        ("FLOW_CALLBACK_HOSTS", {"FLOW_CALLBACK_HOSTS": "azurewebsites.net", "WEBSITE_INSTANCE_ID": "1"}),
        ("GRAPH_ENDPOINT", {"GRAPH_ENDPOINT": "https://graph.example.org", "WEBSITE_POD_NAME": "p"}),
        ("STATE_TABLE", {"STATE_TABLE": "1"}),
        ("INVITATION_GIVE_UP_AFTER_SECONDS", {"INVITATION_GIVE_UP_AFTER_SECONDS": "1"}),
        ("PUBLIC_BASE_URL", {"PUBLIC_BASE_URL": "invites.contoso.com"}),
    ],
)
def test_one_sentence(
    doctor: Doctor,
    well: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    setting: str,
    changes: dict[str, str | None],
) -> None:
    """A deployer finds it wherever they look first."""
    values = {name: value for name, value in {**well, **changes}.items() if value is not None}
    for name in os.environ:
        if name.startswith(("GRAPH_", "CALLBACK_", "STATE_", "AzureWebJobs", "WEBSITE_")):
            monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.INFO):
        answer = app.edge.health(None, lambda built: built.health.answer())
    health = json.loads(answer.get_body())
    sentences = health["checks"][0]["faults"]
    assert answer.status_code == 503
    assert any(sentence.startswith(f"{setting} ") for sentence in sentences)
    said = doctor(only="none", environment=None, **changes)
    assert said.status == 1
    for sentence in sentences:
        assert f"setting: {sentence}" in caplog.text
        assert sentence in said.of("settings")
