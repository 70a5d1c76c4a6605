"""A Graph that does not answer as it should, and keys of its callbacks that can't be had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import settings
from dev.doctor.findings import Status
from dev.doctor.keys import check_keys
from graph.transport import new_session
from tests.dev.doctor.standins import entra, given, serving
from tests.graph.servers import closed_port

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.doctor.conftest import Doctor

KEYS = "callback-keys"


def test_a_graph_that_can_not_be_reached(doctor: Doctor, trusted: str) -> None:
    """The token is good, and nothing listens where Graph should be."""
    endpoint = f"http://127.0.0.1:{closed_port()}"
    with entra(given(aud=endpoint)) as authority:
        said = doctor(
            only="token graph", GRAPH_AUTHORITY=authority, GRAPH_ENDPOINT=endpoint, REQUESTS_CA_BUNDLE=trusted
        )
    assert said.status == 1
    assert said.of("token").startswith("ok")
    assert "nothing listens at 127.0.0.1" in said.of("graph")
    assert "GRAPH_ENDPOINT" in said.of("graph")


@pytest.mark.parametrize(
    ("status", "code", "sentence", "fix"),
    [
        (401, "InvalidAuthenticationToken", "does not accept the token", "GRAPH_CLOUD"),
        (403, "7503", "not registered for Teams calls", "docs/deploy.md#8-azure-bot-and-calling"),
        (403, "7504", "no permission to invite people in this tenant", "az ad app permission admin-consent"),
        (403, "7505", "another tenant than the app", "GRAPH_TENANT_ID"),
        (403, "Forbidden", "forbids the app to read calls", "az ad app permission list"),
    ],
)
def test_graph_s_refusals(doctor: Doctor, graph: Simulator, status: int, *, code: str, sentence: str, fix: str) -> None:
    """What Graph is known to answer to an app that may not invite."""
    graph.fault(route="call", status=status, code=code, times=0)
    said = doctor(only="token graph")
    assert said.status == 1
    assert f"status {status}, code {code}" in said.of("graph")
    assert sentence in said.of("graph")
    assert fix in said.of("graph")


@pytest.mark.parametrize("status", [400, 410, 429, 500, 503])
def test_what_graph_is_not_known_to_answer(doctor: Doctor, graph: Simulator, status: int) -> None:
    """The response for an unknown call is not documented: what is not understood is quoted, and no fault."""
    graph.fault(route="call", status=status, code="Strange", times=0)
    said = doctor(only="token graph")
    assert said.status == 0
    assert said.of("graph").startswith("warning")
    assert str(status) in said.of("graph")


def test_a_graph_that_hangs_up(doctor: Doctor, graph: Simulator) -> None:
    """A connection that is cut is a fault of the way there."""
    graph.fault(route="call", cut="before", times=0)
    said = doctor(only="token graph")
    assert said.status == 1
    assert "can't be reached" in said.of("graph")


def test_keys_that_can_not_be_reached(doctor: Doctor) -> None:
    """Nothing listens there, or the host does not exist."""
    said = doctor(only=KEYS, CALLBACK_OPENID_CONFIGURATION=f"http://127.0.0.1:{closed_port()}/v1")
    assert said.status == 1
    assert "nothing listens" in said.of(KEYS)
    said = doctor(only=KEYS, CALLBACK_OPENID_CONFIGURATION="https://keys.invalid/v1")
    assert "there is no host keys.invalid" in said.of(KEYS)


def test_keys_that_are_out_of_order(doctor: Doctor, graph: Simulator) -> None:
    """The status is quoted."""
    graph.keys.failing = 503
    said = doctor(only=KEYS)
    assert said.status == 1
    assert "answers 503" in said.of(KEYS)


def test_keys_of_entra_that_can_not_be_read(doctor: Doctor, graph: Simulator) -> None:
    """Although the older kind's are there; the sentence says whose they are."""
    graph.fail_keys(503, kind="entra")
    said = doctor(only=KEYS)
    assert said.status == 1
    assert "Entra ID" in said.of(KEYS)
    assert "answers 503" in said.of(KEYS)
    assert "GRAPH_AUTHORITY" in said.of(KEYS)


@pytest.mark.parametrize(
    ("metadata", "keys", "sentence"),
    [
        ("<html>", None, "not a JSON object"),
        ({}, None, "has no jwks_uri"),
        ({"jwks_uri": "http://keys.example.org/"}, None, "is not an https URL"),
        ("own", {"keys": []}, "is empty"),
        ("own", {}, "is empty"),
        ("own", "nothing", "not a JSON object"),
        ("own", {"keys": [{"kty": "EC", "kid": "1", "crv": "P-256"}]}, "has 1 entries, but no RSA key that signs"),
        ("own", {"keys": [{"kty": "RSA", "use": "enc", "kid": "1", "n": "AQAB", "e": "AQAB"}]}, "no RSA key"),
        ("own", {"keys": [{"kty": "RSA"}, {"kty": "RSA", "kid": "2"}]}, "has 2 entries"),
    ],
)
def test_an_metadata_without_usable_keys(doctor: Doctor, metadata: Any, keys: Any, sentence: str) -> None:
    """The metadata can be read and has no key that a callback could be checked with."""
    roots: list[str] = []

    def answer(_: str, path: str) -> tuple[int, dict[str, str], Any]:
        if path == "/keys":
            return 200, {}, keys
        return 200, {}, {"jwks_uri": f"{roots[0]}/keys"} if metadata == "own" else metadata

    with serving(answer) as root:
        roots.append(root)
        said = doctor(only=KEYS, CALLBACK_OPENID_CONFIGURATION=f"{root}/configuration")
    assert said.status == 1
    assert sentence in said.of(KEYS)
    assert "Remove CALLBACK_OPENID_CONFIGURATION" in said.of(KEYS)


@pytest.mark.parametrize(("cloud", "status"), [("global", Status.OK), ("us-gov-l4", Status.WARNING)])
def test_keys_of_us_government_are_not_called_confirmed(
    graph: Simulator, monkeypatch: pytest.MonkeyPatch, cloud: str, status: Status
) -> None:
    """Where no page says that these are the keys with which Graph signs, the doctor does not either."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", graph.ca_file)
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "PUBLIC_BASE_URL": "https://app.example"}
    known = settings.load({**graph.settings(), **storage, "GRAPH_CLOUD": cloud})
    own = replace(known, cloud=replace(known.cloud, openid_configuration=graph.openid_configuration))
    with new_session((graph.openid_configuration,)) as session:
        (found,) = check_keys(own, session)
    assert found.status is status
    assert ("unconfirmed" in found.text) is (cloud != "global")
