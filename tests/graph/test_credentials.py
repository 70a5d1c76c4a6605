"""Real MSAL against the simulated Entra ID, over real TLS."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from dev.simulator.simulator import Simulator
from graph.credentials import TokenSource
from graph.errors import CredentialRefused, NothingSent, TokenUnavailable
from graph.transport import new_session
from settings import GraphCredential
from tests.graph.servers import closed_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from settings import Settings


def _certificate() -> tuple[str, str]:
    """Return a certificate with its key, and the certificate alone, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "call-invites")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return private + public, public


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_secret_gives_a_token_for_graph(settings: Settings, session: requests.Session, simulator: Simulator) -> None:
    """The token is for the configured Graph and carries the app's permissions."""
    claims = _claims(TokenSource(settings, session).token())
    assert claims["aud"] == settings.graph_endpoint
    assert claims["tid"] == settings.tenant_id
    assert "Calls.InitiateGroupCall.All" in claims["roles"]
    assert [entry.proof for entry in simulator.log.tokens] == ["secret"]


@pytest.fixture
def with_certificate(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Simulator, str]]:
    """An Entra ID that verifies the assertions of one certificate, and that certificate with its key."""
    pem, public = _certificate()
    with Simulator(certificate_pem=public) as simulator:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)
        yield simulator, pem


def _at(simulator: Simulator, settings: Settings, credential: GraphCredential) -> Settings:
    return replace(
        settings, graph_scope=f"{simulator.base_url}/.default", authority=simulator.authority, credential=credential
    )


def test_a_certificate_gives_a_token(settings: Settings, with_certificate: tuple[Simulator, str]) -> None:
    """The app proves itself with the private key, which never leaves it."""
    simulator, pem = with_certificate
    with new_session(()) as session:
        credential = GraphCredential(certificate_pem=pem)
        assert _claims(TokenSource(_at(simulator, settings, credential), session).token())["appid"]
    assert [(entry.status, entry.proof) for entry in simulator.log.tokens] == [(200, "certificate")]


def test_a_foreign_certificate_is_the_deployers_to_fix(
    settings: Settings, with_certificate: tuple[Simulator, str]
) -> None:
    """A certificate that is not registered is distinguished from an Entra ID that can't be reached."""
    simulator, _ = with_certificate
    foreign, _ = _certificate()
    with new_session(()) as session:
        source = TokenSource(_at(simulator, settings, GraphCredential(certificate_pem=foreign)), session)
        with pytest.raises(CredentialRefused) as caught:
            source.token()
    assert caught.value.code == "AADSTS700027"


@pytest.mark.parametrize("pem", ["", "no PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_certificate_that_cannot_be_read_is_the_deployers_to_fix(
    pem: str, settings: Settings, session: requests.Session
) -> None:
    """A broken file says so, and is no reason to try again."""
    source = TokenSource(replace(settings, credential=GraphCredential(certificate_pem=pem)), session)
    with pytest.raises(CredentialRefused):
        source.token()


def test_a_damaged_key_is_the_deployers_to_fix(settings: Settings, session: requests.Session) -> None:
    """A key that lost its middle beside a good certificate says so, and is no reason to try again."""
    pem, _ = _certificate()
    key, between, certificate = pem.partition("-----BEGIN CERTIFICATE-----")
    damaged = key[:80] + key[-60:] + between + certificate
    with pytest.raises(CredentialRefused):
        TokenSource(replace(settings, credential=GraphCredential(certificate_pem=damaged)), session).token()


def test_a_wrong_secret_is_the_deployers_to_fix(settings: Settings, session: requests.Session) -> None:
    """Entra ID's own code is kept, and the secret is in no message."""
    source = TokenSource(replace(settings, credential=GraphCredential(client_secret="wr0ng~secret")), session)
    with pytest.raises(CredentialRefused) as caught:
        source.token()
    assert caught.value.code == "AADSTS7000215"
    assert "wr0ng" not in str(caught.value)


def test_an_unknown_app_is_the_deployers_to_fix(settings: Settings, session: requests.Session) -> None:
    """A client id that the tenant does not know."""
    with pytest.raises(CredentialRefused) as caught:
        TokenSource(replace(settings, client_id="00000000-0000-0000-0000-000000000001"), session).token()
    assert caught.value.code == "AADSTS700016"


def test_an_unknown_tenant_is_the_deployers_to_fix(
    settings: Settings, session: requests.Session, simulator: Simulator
) -> None:
    """MSAL finds no such authority, and waiting will not make one."""
    authority = f"{simulator.base_url}/00000000-0000-0000-0000-000000000001"
    with pytest.raises(CredentialRefused):
        TokenSource(replace(settings, authority=authority), session).token()


def test_without_entra_there_is_no_token_for_now(settings: Settings, session: requests.Session) -> None:
    """A port without a server: nothing was sent to Graph, and trying later may help."""
    authority = f"https://localhost:{closed_port()}/{settings.tenant_id}"
    with pytest.raises(TokenUnavailable):
        TokenSource(replace(settings, authority=authority), session).token()


def test_a_missing_authority_file_is_no_riddle(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A bundle that is not there ends like any Entra ID that can't be reached, not in an unforeseen error."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with new_session(()) as session, pytest.raises(NothingSent):
        TokenSource(settings, session).token()


@pytest.mark.parametrize("route", ["discovery", "token"])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_entra_that_is_out_of_order_is_tried_later(
    route: Any, status: int, settings: Settings, session: requests.Session, simulator: Simulator
) -> None:
    """Busy or broken, it says nothing about the app's credential, and the next request may succeed."""
    simulator.fault(route=route, status=status)
    source = TokenSource(settings, session)
    with pytest.raises(TokenUnavailable):
        source.token()


@pytest.mark.parametrize("route", ["discovery", "token"])
def test_an_entra_that_cuts_the_connection_is_tried_later(
    route: Any, settings: Settings, session: requests.Session, simulator: Simulator
) -> None:
    """And the same source gives a token as soon as it can."""
    simulator.fault(route=route, cut="before")
    source = TokenSource(settings, session)
    with pytest.raises(TokenUnavailable):
        source.token()
    assert source.token()
