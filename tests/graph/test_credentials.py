"""Real MSAL against the simulated Entra ID, over real TLS."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from dev.simulator.simulator import Simulator
from domain.clouds import CLOUDS
from graph.credentials import TokenSource
from graph.errors import CredentialRefused, NothingSent, TokenUnavailable
from graph.transport import new_session
from settings import GraphCredential
from tests.graph.servers import AUTHORITY, answer, closed_port, drip, listening, read_request, tls

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from settings import Settings
    from tests.graph.servers import Serve


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


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
    """A certificate that is not registered is told apart from an Entra ID that can't be reached."""
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
    """A place where nobody listens: nothing was sent to Graph, and trying later may help."""
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


def _odd_entra(discovery: object, token: object, status: int = 200) -> Serve:
    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            is_token = request.startswith(b"POST")
            answer(connection, status if is_token else 200, token if is_token else discovery)

    return tls(serve)


_ODD_TOKENS: list[tuple[int, object]] = [
    (200, {}),
    (200, []),
    (200, b"<html>"),
    (200, b""),
    (200, {"access_token": None, "expires_in": 3600}),
    (200, {"access_token": "", "expires_in": 3600}),
    (200, {"access_token": "t", "expires_in": "soon"}),
    (400, b"<html>"),
    (400, {"error": {"code": "busy"}}),
    (400, {"error": ["x"]}),
    (400, {"error": "temporarily_unavailable", "error_codes": "none"}),
    (400, {"error": "temporarily_unavailable", "error_codes": {"x": 1}}),
    (403, {"error": None}),
]


@pytest.mark.parametrize(("status", "token"), _ODD_TOKENS)
def test_an_odd_answer_is_no_token(
    status: int, token: object, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a gateway in between may answer: nothing was sent to Graph, and nothing unforeseen is raised."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    discovery: dict[str, str] = {}
    with listening(_odd_entra(discovery, token, status)) as port, new_session(()) as session:
        root = f"https://localhost:{port}"
        discovery |= {name: f"{root}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        discovery["issuer"] = f"{root}/{settings.tenant_id}/v2.0"
        source = TokenSource(replace(settings, authority=f"{root}/{settings.tenant_id}"), session)
        with pytest.raises(NothingSent):
            source.token()


@pytest.mark.parametrize("discovery", [{}, [], b"<html>", b"", {"issuer": None}])
def test_an_odd_discovery_is_no_token(
    discovery: object, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for the tenant's own announcement."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with listening(_odd_entra(discovery, {})) as port, new_session(()) as session:
        source = TokenSource(replace(settings, authority=f"https://localhost:{port}/{settings.tenant_id}"), session)
        with pytest.raises(NothingSent):
            source.token()


def _at_once(count: int, work: Any) -> list[Any]:
    results: list[Any] = []
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait(10)
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(results) == count
    return results


def test_fifty_at_once_share_one_token(settings: Settings, session: requests.Session, simulator: Simulator) -> None:
    """A burst of invitations costs one token request, not fifty."""
    source = TokenSource(settings, session)
    tokens = _at_once(50, source.token)
    assert len(set(tokens)) == 1
    assert len(simulator.log.tokens) == 1


def test_a_refused_token_is_replaced_once_for_all(
    settings: Settings, session: requests.Session, simulator: Simulator
) -> None:
    """Fifty requests whose token was revoked ask for one new one, and all get it."""
    source = TokenSource(settings, session)
    refused = source.token()
    fresh = _at_once(50, lambda: source.fresh_token(refused))
    assert len(set(fresh)) == 1
    assert refused not in fresh
    assert len(simulator.log.tokens) == 2
    assert source.fresh_token("another") == fresh[0]


@pytest.fixture
def clock() -> _Clock:
    """A clock that a test advances."""
    return _Clock()


@pytest.fixture
def source(settings: Settings, session: requests.Session, clock: _Clock) -> TokenSource:
    """A source that holds no token yet."""
    return TokenSource(settings, session, clock=clock)


def test_a_token_is_renewed_at_half_of_its_lifetime(source: TokenSource, simulator: Simulator, clock: _Clock) -> None:
    """And not before; MSAL, which still holds a good one, is made to ask for another."""
    first = source.token()
    clock.now += 3599 / 2 - 1
    assert source.token() == first
    assert len(simulator.log.tokens) == 1
    clock.now += 2
    second = source.token()
    assert second != first
    assert source.token() == second
    assert len(simulator.log.tokens) == 2


def test_a_token_of_a_minute_is_used_for_half_of_it(source: TokenSource, simulator: Simulator, clock: _Clock) -> None:
    """Short-lived tokens are not requested again for every request."""
    simulator.entra.token_seconds = 60
    try:
        first = source.token()
        clock.now += 29
        assert source.token() == first
        clock.now += 2
        assert source.token() != first
    finally:
        simulator.entra.token_seconds = 3599


_OUTAGES: dict[str, dict[str, Any]] = {
    "busy": {"status": 429},
    "in error": {"status": 500},
    "behind a broken gateway": {"status": 502},
    "unavailable": {"status": 503},
    "cut off": {"cut": "before"},
}


@pytest.mark.parametrize("outage", _OUTAGES.values(), ids=_OUTAGES.keys())
def test_a_token_is_used_to_its_end_while_entra_is_down(
    outage: dict[str, Any],
    source: TokenSource,
    simulator: Simulator,
    clock: _Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until half a minute before its end; after that nobody can be called."""
    first, issued = source.token(), clock.now
    simulator.fault(route="token", times=100, **outage)
    for age in (1800, 2500, 3300, 3568):
        clock.now = issued + age
        assert source.token() == first, age
    assert "no token" in caplog.text
    clock.now = issued + 3570
    with pytest.raises(TokenUnavailable):
        source.token()


def test_renewal_that_fails_is_not_repeated_for_every_request(
    source: TokenSource, simulator: Simulator, clock: _Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With a good token in hand there is no hurry: every half minute is enough."""
    source.token()
    clock.now += 2000
    simulator.fault(route="token", cut="before", times=100)
    for _ in range(60):
        clock.now += 1
        source.token()
    assert len(caplog.records) == 2


def test_others_use_the_token_in_hand_while_one_renews(
    source: TokenSource, simulator: Simulator, clock: _Clock
) -> None:
    """A slow Entra ID delays one request, not all."""
    first = source.token()
    clock.now += 2000
    simulator.fault(route="token", delay_before=150)
    renewing = threading.Thread(target=source.token)
    renewing.start()
    deadline = time.monotonic() + 5
    while not source._lock.locked() and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    assert [source.token() for _ in range(10)] == [first] * 10
    assert time.monotonic() - started < 1
    renewing.join(10)
    assert source.token() != first


def test_a_refused_credential_does_not_throw_a_good_token_away(
    settings: Settings, session: requests.Session, clock: _Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so at once; requests fail when the token ends."""
    source = TokenSource(settings, session, clock=clock)
    first = source.token()
    source._settings = replace(settings, credential=GraphCredential(client_secret="wr0ng~secret"))
    source._application = None
    clock.now += 2000
    assert source.token() == first
    assert "AADSTS7000215" in caplog.text
    clock.now += 1600
    with pytest.raises(CredentialRefused):
        source.token()


def test_a_refused_token_is_not_used_while_renewal_fails(source: TokenSource, simulator: Simulator) -> None:
    """Graph said that it no longer counts."""
    refused = source.token()
    simulator.fault(route="token", status=503)
    with pytest.raises(TokenUnavailable):
        source.fresh_token(refused)


def test_those_who_waited_for_a_failed_renewal_share_it(source: TokenSource, simulator: Simulator) -> None:
    """Fifty requests wait once for an Entra ID that hangs, not one after the other."""
    simulator.fault(route="token", status=503, delay_before=30, times=100)

    def failure() -> str:
        try:
            return source.token()
        except TokenUnavailable:
            return "unavailable"

    started = time.monotonic()
    assert _at_once(50, failure) == ["unavailable"] * 50
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("part", ["discovery", "token"])
@pytest.mark.parametrize("headers_too", [False, True])
def test_a_dripping_entra_has_a_time_limit(
    part: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, headers_too: bool
) -> None:
    """MSAL sets no limit of its own; the session's is for the whole response."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr("graph.transport.READ_SECONDS", 0.5)
    discovery: dict[str, str] = {}

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            if request.startswith(b"POST") == (part == "token"):
                drip(connection, b" " * 200, every=0.05, headers_too=headers_too)
            else:
                answer(connection, 200, discovery)

    with listening(tls(serve)) as port, new_session(()) as session:
        root = f"https://localhost:{port}"
        discovery |= {name: f"{root}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        discovery["issuer"] = f"{root}/{settings.tenant_id}/v2.0"
        source = TokenSource(replace(settings, authority=f"{root}/{settings.tenant_id}"), session)
        started = time.monotonic()
        with pytest.raises(TokenUnavailable):
            source.token()
        assert time.monotonic() - started < 3


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
