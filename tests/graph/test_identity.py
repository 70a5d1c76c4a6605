"""A managed identity in place of a secret, with real MSAL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jwt
import pytest

from domain.clouds import CLOUDS
from graph.credentials import TokenSource
from graph.errors import CredentialRefused, TokenUnavailable
from settings import GraphCredential
from tests.graph.servers import answer, closed_port, listening, read_request

if TYPE_CHECKING:
    import socket

    import requests

    from dev.simulator.simulator import Simulator
    from settings import Settings


def test_a_managed_identity_stands_in_for_a_secret(
    settings: Settings, session: requests.Session, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity's own token is exchanged for one of the app; no secret exists anywhere."""
    asked: list[bytes] = []
    assertion = jwt.encode({"iss": "the platform", "aud": "api://AzureADTokenExchange"}, "k" * 32)

    def serve(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        answer(connection, 200, {"access_token": assertion, "expires_on": "4102444800", "token_type": "Bearer"})

    with listening(serve) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-platform")
        for client_id in ("system", "00000000-0000-0000-0000-00000000000a"):
            credential = GraphCredential(managed_identity_client_id=client_id)
            assert TokenSource(replace(settings, credential=credential), session).token()
    assert [entry.proof for entry in simulator.log.tokens] == ["federated", "federated"]
    by_system, by_user = asked
    assert b"client_id" not in by_system
    assert b"00000000-0000-0000-0000-00000000000a" in by_user
    assert b"AzureADTokenExchange" in by_user


@pytest.mark.parametrize(
    ("cloud", "audience"), [("us-gov-l4", "AzureADTokenExchangeUSGov"), ("us-gov-l5", "AzureADTokenExchangeUSGov")]
)
def test_in_us_government_the_identity_is_asked_for_its_clouds_token(
    cloud: str, audience: str, settings: Settings, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entra ID there takes no token that is meant for the public cloud's."""
    asked: list[bytes] = []
    assertion = jwt.encode({"iss": "the platform", "aud": f"api://{audience}"}, "k" * 32)

    def serve(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        answer(connection, 200, {"access_token": assertion, "expires_on": "4102444800", "token_type": "Bearer"})

    with listening(serve) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-platform")
        there = replace(settings, cloud=CLOUDS[cloud], credential=GraphCredential(managed_identity_client_id="system"))
        TokenSource(there, session).token()
    assert f"%2F%2F{audience}&".encode() in asked[0].replace(b" ", b"&")


def _with_identity(settings: Settings) -> Settings:
    return replace(settings, credential=GraphCredential(managed_identity_client_id="system"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"statusCode": 429, "message": "Too many requests"}),
        (500, {"statusCode": 500, "message": "Internal error"}),
        (503, b"<html>"),
        (404, {"statusCode": 404, "message": "Not there yet"}),
        (200, {}),
        (200, b"<html>"),
        (200, []),
    ],
)
def test_a_managed_identity_that_fails_for_a_moment_is_tried_later(
    status: int, body: object, settings: Settings, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MSAL reports it like one that is not assigned; the status shows the difference."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, status, body)

    with listening(serve) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-platform")
        with pytest.raises(TokenUnavailable):
            TokenSource(_with_identity(settings), session).token()


@pytest.mark.parametrize("body", [{"statusCode": 400, "message": "No managed identity found"}, b"No identity"])
def test_a_missing_identity_is_the_deployers_to_fix(
    body: object, settings: Settings, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform answers 400, with or without JSON."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 400, body)

    with listening(serve) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-platform")
        with pytest.raises(CredentialRefused):
            TokenSource(_with_identity(settings), session).token()


def test_an_identity_endpoint_that_cannot_be_reached_is_tried_later(
    settings: Settings, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform has one, so there is an identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{closed_port()}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-platform")
    with pytest.raises(TokenUnavailable):
        TokenSource(_with_identity(settings), session).token()


def test_an_app_without_any_identity_is_the_deployers_to_fix(
    settings: Settings, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform then has no endpoint for identities, and MSAL looks for that of a virtual machine."""
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(CredentialRefused):
        TokenSource(_with_identity(settings), session).token()
