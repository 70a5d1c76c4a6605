from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msal.exceptions import MsalServiceError

from dev.simulator import Simulator
from tests.dev.simulator.caller import ALICE, Caller, error_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(autouse=True)
def _trusted(graph: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL trusts the simulator by the setting with which the app does."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", graph.settings()["REQUESTS_CA_BUNDLE"])


def _app(graph: Simulator, credential: str | Mapping[str, Any], **changes: Any) -> Any:
    return msal.ConfidentialClientApplication(
        changes.get("client_id", graph.client_id),
        client_credential=credential,
        authority=changes.get("authority", graph.authority),
        instance_discovery=False,
    )


def _token(graph: Simulator, credential: str | Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    scope = changes.pop("scope", f"{graph.base_url}/.default")
    token: dict[str, Any] = _app(graph, credential, **changes).acquire_token_for_client([scope])
    return token


def _certificate() -> tuple[str, str]:
    """A private key and its self-signed certificate, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app")])
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
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_msal_gets_a_token_for_the_secret_and_graph_accepts_it(graph: Simulator, caller: Caller, call_id: str) -> None:
    """MSAL's confidential client, with discovery and all, gets a token that opens Graph."""
    token = _token(graph, graph.client_secret)
    assert token["token_type"] == "Bearer"
    caller.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert caller.invite(call_id, ALICE).status_code == 200
    assert [(entry.status, entry.proof) for entry in graph.log.tokens] == [(200, "secret")]


def test_a_token_has_entras_claims(graph: Simulator) -> None:
    """Audience, tenant, app and roles are in the token, and it lasts for the returned lifetime."""
    token = _token(graph, graph.client_secret)
    claims = jwt.decode(token["access_token"], options={"verify_signature": False})
    assert claims["aud"] == graph.base_url
    assert claims["tid"] == graph.tenant_id
    assert claims["appid"] == graph.client_id
    assert "Calls.InitiateGroupCall.All" in claims["roles"]
    assert claims["exp"] - claims["iat"] == token["expires_in"]


@pytest.mark.parametrize(
    ("host", "accepted"), [("graph.microsoft.com", True), ("graph.microsoft.us", True), ("example.org", False)]
)
def test_the_scope_must_be_a_graph(graph: Simulator, host: str, *, accepted: bool) -> None:
    """Every cloud's Graph is known, nothing else is: AADSTS70011."""
    token = _token(graph, graph.client_secret, scope=f"https://{host}/.default")
    assert ("access_token" in token) is accepted
    if not accepted:
        assert "AADSTS70011" in token["error_description"]


def test_a_scope_without_default_is_refused(graph: Simulator) -> None:
    """Client credentials take only /.default scopes: AADSTS1002012."""
    token = _token(graph, graph.client_secret, scope="https://graph.microsoft.com/Calls.Initiate.All")
    assert token["error"] == "invalid_scope"
    assert token["error_codes"] == [1002012]


def test_a_wrong_secret_is_refused(graph: Simulator) -> None:
    """A wrong secret is AADSTS7000215 with 401, and is in the log."""
    token = _token(graph, "not the secret")
    assert token["error"] == "invalid_client"
    assert token["error_description"].startswith("AADSTS7000215: Invalid client secret")
    assert [(entry.status, entry.error) for entry in graph.log.tokens] == [(401, "AADSTS7000215")]


def test_an_unknown_client_is_refused(graph: Simulator) -> None:
    """A client id without registration is AADSTS700016."""
    token = _token(graph, graph.client_secret, client_id="00000000-0000-0000-0000-000000000001")
    assert token["error_codes"] == [700016]


def test_an_unknown_tenant_is_refused(graph: Simulator) -> None:
    """MSAL's discovery fails for a tenant that does not exist, and the token endpoint returns AADSTS90002."""
    with pytest.raises(ValueError, match="check your tenant name"):
        _token(graph, graph.client_secret, authority=f"{graph.base_url}/unknown")
    answer = requests.post(f"{graph.base_url}/unknown/oauth2/v2.0/token", verify=graph.ca_file, timeout=5)
    assert answer.status_code == 400
    assert "AADSTS90002" in answer.json()["error_description"]


def test_a_registered_certificate_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL's certificate assertion is accepted for the registered certificate, and only for that one."""
    private_key, certificate = _certificate()
    other_key, other_certificate = _certificate()
    with Simulator(certificate_pem=certificate) as graph:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", graph.ca_file)
        token = _token(graph, {"private_key": private_key, "public_certificate": certificate})
        assert "access_token" in token
        refused = _token(graph, {"private_key": other_key, "public_certificate": other_certificate})
        assert refused["error_codes"] == [700027]
        assert [entry.proof for entry in graph.log.tokens] == ["certificate", "certificate"]


def test_a_federated_assertion_is_accepted(graph: Simulator) -> None:
    """An assertion with another issuer, such as a managed identity's token, proves the app too."""
    issued = jwt.encode({"iss": "https://issuer", "sub": "identity", "aud": "api://AzureADTokenExchange"}, "k" * 32)
    token = _token(graph, {"client_assertion": lambda: issued})
    assert "access_token" in token
    assert [entry.proof for entry in graph.log.tokens] == ["federated"]


def test_a_revoked_token_is_refused_and_a_fresh_one_is_not(graph: Simulator, caller: Caller, call_id: str) -> None:
    """After a revocation Graph answers 401 until the app asks Entra for a new token."""
    graph.revoke_tokens()
    assert error_of(caller.invite(call_id, ALICE)) == (401, "InvalidAuthenticationToken")
    assert graph.log.rings == []
    fresh = _token(graph, graph.client_secret)["access_token"]
    caller.session.headers["Authorization"] = f"Bearer {fresh}"
    assert caller.invite(call_id, ALICE).status_code == 200


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"aud": "https://example.org"}, {"generation": -1}], ids=["expired", "audience", "revoked"]
)
def test_a_token_that_is_not_good_is_refused(
    graph: Simulator, caller: Caller, call_id: str, claims: dict[str, Any]
) -> None:
    """Expired tokens, and tokens for something else, are 401."""
    caller.session.headers["Authorization"] = f"Bearer {graph.entra.access_token(**claims)}"
    assert error_of(caller.invite(call_id, ALICE)) == (401, "InvalidAuthenticationToken")


def test_no_token_and_nonsense_are_refused(graph: Simulator, caller: Caller, call_id: str) -> None:
    """A request without a token, or with something else in its place, is 401."""
    for header in ("", "Bearer", "Bearer nonsense", "Basic eDp5"):
        caller.session.headers["Authorization"] = header
        assert error_of(caller.get(call_id)) == (401, "InvalidAuthenticationToken")


def test_entra_can_be_out_of_order(graph: Simulator) -> None:
    """A fault on the token route is what MSAL gets when Entra is down, and it passes."""
    graph.fault(route="token", status=503)
    with pytest.raises(MsalServiceError, match="503"):
        _token(graph, graph.client_secret)
    # A new application: the old one remembers the failure for a while.
    assert "access_token" in _token(graph, graph.client_secret)
