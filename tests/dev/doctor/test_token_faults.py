"""Tokens that are not given, or that Graph would not take: for each reason its sentence and its command."""

from __future__ import annotations

import base64
import datetime as dt
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.simulator import Simulator
from tests.dev.doctor.standins import entra, given, refusal, serving
from tests.graph.servers import closed_port

if TYPE_CHECKING:
    from tests.dev.doctor.conftest import Doctor
    from tests.dev.doctor.standins import Answer

ANOTHER = "00000000-1111-2222-3333-444444444444"
GRAPH = "https://graph.microsoft.com"


def _pem() -> tuple[str, str]:
    """A private key, and its self-signed certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = builder.not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_a_wrong_secret(doctor: Doctor) -> None:
    """The commonest of all: the secret's id was copied instead of its value."""
    said = doctor(only="token graph", GRAPH_CLIENT_SECRET="not~the~secret")
    assert said.status == 1
    assert "AADSTS7000215" in said.of("token")
    assert "the client secret is wrong" in said.of("token")
    assert "az ad app credential reset --id 1b7fbd6c" in said.of("token")
    assert said.of("graph").startswith("not checked")


def test_a_tenant_that_is_unknown(doctor: Doctor, graph: Simulator) -> None:
    """MSAL asks for the tenant first, and the doctor says so in Entra ID's terms."""
    authority = f"{graph.base_url}/{ANOTHER}"
    said = doctor(only="token", GRAPH_TENANT_ID=ANOTHER, GRAPH_AUTHORITY=authority, CALLBACK_TENANT_IDS=None)
    assert said.status == 1
    assert "AADSTS90002" in said.of("token")
    assert "there is no such tenant" in said.of("token")


def test_an_app_that_is_not_in_the_tenant(doctor: Doctor) -> None:
    """The client id is another's."""
    said = doctor(only="token", GRAPH_CLIENT_ID=ANOTHER)
    assert said.status == 1
    assert "AADSTS700016" in said.of("token")
    assert f"az ad app show --id {ANOTHER}" in said.of("token")


@pytest.mark.parametrize("registered", [False, True], ids=["not registered", "registered"])
def test_a_certificate(doctor: Doctor, *, registered: bool) -> None:
    """A certificate that the registration has opens Entra ID; any other is said to be unknown there."""
    key, certificate = _pem()
    _, other = _pem()
    with Simulator(certificate_pem=certificate if registered else other) as graph:
        said = doctor(
            only="token",
            GRAPH_ENDPOINT=graph.base_url,
            GRAPH_AUTHORITY=graph.authority,
            REQUESTS_CA_BUNDLE=graph.ca_file,
            GRAPH_CLIENT_SECRET=None,
            GRAPH_CLIENT_CERTIFICATE=key + certificate,
        )
    assert said.status == int(not registered)
    assert ("AADSTS700027" in said.of("token")) is not registered
    assert ("--append --cert @" in said.of("token")) is not registered


def test_a_certificate_whose_key_can_not_be_read(doctor: Doctor) -> None:
    """A damaged key is a fault of the settings: Entra ID is not asked."""
    _, certificate = _pem()
    damaged = f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(b'damaged' * 9).decode()}\n-----END PRIVATE KEY-----\n"
    said = doctor(only="token", GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=damaged + certificate)
    assert said.status == 1
    assert "GRAPH_CLIENT_CERTIFICATE has a private key that is damaged" in said.of("settings")
    assert said.of("token").startswith("not checked")


@pytest.mark.parametrize("roles", [(), ("Calls.JoinGroupCall.All",)], ids=["no permission", "another one"])
def test_a_permission_that_nobody_consented_to(doctor: Doctor, graph: Simulator, roles: tuple[str, ...]) -> None:
    """Entra ID gives a token all the same: its roles show it, and Graph is asked nevertheless."""
    graph.entra.roles = roles
    said = doctor(only="token graph")
    assert said.status == 1
    assert "the token lacks Calls.InitiateGroupCall.All" in said.of("token")
    assert "az ad app permission admin-consent --id 1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10" in said.of("token")
    assert said.of("graph").startswith("ok")


@pytest.mark.parametrize(
    ("missing", "action"),
    [("Calls.JoinGroupCall.All", "the actions that join a meeting"), ("Calls.Initiate.All", "a call to one user")],
)
def test_a_permission_of_some_actions(doctor: Doctor, graph: Simulator, missing: str, action: str) -> None:
    """Which action does not work without it; the others do, so it is a warning."""
    graph.entra.roles = tuple(role for role in graph.entra.roles if role != missing)
    said = doctor(only="token")
    assert said.status == 0
    assert f"the token lacks {missing}: without it Graph refuses {action}" in said.of("token")
    assert "az ad app permission admin-consent" in said.of("token")


@pytest.mark.parametrize(
    ("code", "error", "sentence", "fix"),
    [
        (7000222, "invalid_client", "has expired", "az ad app credential reset"),
        (50034, "invalid_grant", "has no such account", "GRAPH_TENANT_ID"),
        (65001, "invalid_grant", "has not consented", "az ad app permission admin-consent"),
        (1000502, "invalid_client", "or is not valid yet", "--append --cert"),
        (7000229, "invalid_client", "no service principal", "az ad sp create --id"),
        (7000112, "unauthorized_client", "disabled", "accountEnabled=true"),
        (700024, "invalid_client", "a clock is wrong", "clock"),
        (70021, "invalid_request", "does not trust the managed identity", "az ad app federated-credential list"),
        (700211, "invalid_client", "has this issuer", "https://login.microsoftonline.com/72f988bf"),
        (700212, "invalid_client", "has this audience", "api://AzureADTokenExchange"),
        (700213, "invalid_client", "has this subject", "az identity show"),
        (7002138, "invalid_client", "upper and lower case", "az identity show"),
        (500011, "invalid_resource", "knows no Graph", "GRAPH_CLOUD"),
        (53003, "access_denied", "Conditional Access", "Sign-in logs"),
        (900382, "invalid_request", "not of one cloud", "GRAPH_CLOUD"),
        (1234567, "invalid_client", "no advice", "https://login.microsoftonline.com/error?code=1234567"),
    ],
)
def test_entra_s_codes(doctor: Doctor, trusted: str, code: int, error: str, *, sentence: str, fix: str) -> None:
    """What Entra ID may answer to an app of its own, each with its fix."""
    with entra(refusal(code, error)) as authority:
        said = doctor(only="token", GRAPH_AUTHORITY=authority, REQUESTS_CA_BUNDLE=trusted)
    assert said.status == 1
    assert f"(AADSTS{code})" in said.of("token")
    assert sentence in said.of("token")
    assert fix in said.of("token")


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (given(aud="https://graph.microsoft.us"), "not for the Graph that is asked"),
        (given(tid=ANOTHER), "another tenant than GRAPH_TENANT_ID"),
        (given(appid=ANOTHER), "another app's than GRAPH_CLIENT_ID"),
        (given(roles=None), "lacks Calls.InitiateGroupCall.All"),
        (given(left=-60), "has expired already"),
        (given(nbf=time.time() + 900), "is not valid yet"),
    ],
    ids=["audience", "tenant", "app", "permission", "end", "begin"],
)
def test_what_is_in_the_token(doctor: Doctor, trusted: str, token: Answer, sentence: str) -> None:
    """A token that Graph would refuse, or take for somebody else's, is not called good."""
    with entra(token) as authority:
        said = doctor(only="token", GRAPH_AUTHORITY=authority, GRAPH_ENDPOINT=GRAPH, REQUESTS_CA_BUNDLE=trusted)
    assert said.status == 1
    assert sentence in said.of("token")


@pytest.mark.parametrize(
    "token",
    [
        given(),
        given(aud="00000003-0000-0000-c000-000000000000"),
        given(aud=f"{GRAPH}/"),
        given(appid=None, azp="1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"),
    ],
    ids=["as Graph's are", "for Graph's id", "with a slash", "of version 2"],
)
def test_the_forms_of_a_good_token(doctor: Doctor, trusted: str, token: Answer) -> None:
    """Graph's tokens name their audience in more than one way."""
    with entra(token) as authority:
        said = doctor(only="token", GRAPH_AUTHORITY=authority, GRAPH_ENDPOINT=GRAPH, REQUESTS_CA_BUNDLE=trusted)
    assert said.of("token").startswith("ok"), said.text


def test_a_tenant_given_by_name(doctor: Doctor, trusted: str) -> None:
    """Entra ID takes a domain's name, but the app would refuse each of Graph's reports."""
    with entra(given()) as authority:
        said = doctor(
            only="token",
            GRAPH_TENANT_ID="contoso.onmicrosoft.com",
            GRAPH_AUTHORITY=authority,
            GRAPH_ENDPOINT=GRAPH,
            REQUESTS_CA_BUNDLE=trusted,
        )
    assert said.status == 1
    assert "GRAPH_TENANT_ID is a domain's name" in said.of("token")


def test_a_token_that_can_not_be_read(doctor: Doctor, trusted: str) -> None:
    """Microsoft promises no form; what can't be read is not called a fault."""
    opaque: Answer = (200, {}, {"token_type": "Bearer", "expires_in": 3600, "access_token": "opaque"})
    with entra(opaque) as authority:
        said = doctor(only="token", GRAPH_AUTHORITY=authority, REQUESTS_CA_BUNDLE=trusted)
    assert said.status == 0
    assert said.of("token").startswith("warning")


def test_entra_id_that_can_not_be_reached(doctor: Doctor) -> None:
    """No such host and no listener: each has its own finding."""
    said = doctor(only="token", GRAPH_AUTHORITY=f"https://localhost:{closed_port()}/{ANOTHER}")
    assert "nothing listens at localhost" in said.of("token")
    said = doctor(only="token", GRAPH_AUTHORITY=f"https://login.invalid/{ANOTHER}")
    assert "there is no host login.invalid" in said.of("token")


def test_entra_id_that_is_not_trusted(doctor: Doctor, trusted: str) -> None:
    """A CA bundle that lacks the right CA is named as the cause."""
    said = doctor(only="token", REQUESTS_CA_BUNDLE=trusted)
    assert said.status == 1
    assert "can't be trusted over TLS" in said.of("token")
    assert "REQUESTS_CA_BUNDLE" in said.of("token")


def test_something_else_in_the_place_of_entra_id(doctor: Doctor, trusted: str) -> None:
    """A gateway's page is no token."""
    with serving(lambda *_: (200, {}, "<html>Welcome to the network"), tls=True) as root:
        said = doctor(only="token", GRAPH_AUTHORITY=f"{root}/{ANOTHER}", REQUESTS_CA_BUNDLE=trusted)
    assert said.status == 1
    assert "gives no token" in said.of("token")


def test_a_managed_identity_outside_azure(doctor: Doctor) -> None:
    """It is not tried, since it can't work; what to do instead is said, and it is no fault of the app."""
    said = doctor(only="token graph", GRAPH_CLIENT_SECRET=None, GRAPH_MANAGED_IDENTITY_CLIENT_ID="system")
    assert said.status == 0
    assert said.of("token").startswith("not checked")
    assert "gives tokens to the deployed app only" in said.of("token")
    assert "az ad app federated-credential list" in said.of("token")
    assert said.of("graph").startswith("not checked")


def test_a_managed_identity_where_there_is_one(doctor: Doctor) -> None:
    """Where the platform offers one, the token is had through it, as the app has it."""
    token = {"access_token": given()[2]["access_token"], "expires_on": "9999999999", "resource": "r"}
    with serving(lambda *_: (200, {}, token)) as identity:
        said = doctor(
            only="token graph",
            environment={"IDENTITY_ENDPOINT": f"{identity}/msi/token", "IDENTITY_HEADER": "header"},
            GRAPH_CLIENT_SECRET=None,
            GRAPH_MANAGED_IDENTITY_CLIENT_ID="system",
        )
    assert said.status == 0
    assert said.of("token").startswith("ok")
    assert said.of("graph").startswith("ok")


def test_a_managed_identity_that_is_not_the_app_s(doctor: Doctor) -> None:
    """An identity that is not assigned gives no token, and the command that assigns it is given."""
    with serving(lambda *_: (400, {}, {"statusCode": 400, "message": "No such identity"})) as identity:
        said = doctor(
            only="token",
            environment={"IDENTITY_ENDPOINT": f"{identity}/msi/token", "IDENTITY_HEADER": "header"},
            GRAPH_CLIENT_SECRET=None,
            GRAPH_MANAGED_IDENTITY_CLIENT_ID=ANOTHER,
        )
    assert said.status == 1
    assert "it is not assigned to the app" in said.of("token")
    assert "az functionapp identity assign" in said.of("token")
