"""An Entra ID, or a gateway in front of it, that responds otherwise than documented."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from graph.credentials import TokenSource
from graph.errors import CredentialRefused, NothingSent, TokenUnavailable
from graph.transport import new_session
from tests.graph.servers import AUTHORITY, answer, drip, listening, read_request, tls

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    import requests

    from settings import Settings
    from tests.graph.servers import Serve


def _odd_entra(discovery: object, token: object, status: int = 200) -> Serve:
    def serve(connection: socket.socket) -> None:
        is_token = read_request(connection).startswith(b"POST")
        content = token if is_token else discovery
        answer(connection, status if is_token else 200, content, "Connection: close\r\n")

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
    """The same for the tenant's own metadata."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with listening(_odd_entra(discovery, {})) as port, new_session(()) as session:
        source = TokenSource(replace(settings, authority=f"https://localhost:{port}/{settings.tenant_id}"), session)
        with pytest.raises(NothingSent):
            source.token()


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"error": "invalid_grant", "error_codes": [53003]}, CredentialRefused),
        (400, {"error": "unauthorized_client", "error_codes": [700016]}, CredentialRefused),
        (400, {"error": "invalid_request", "error_codes": [90002]}, CredentialRefused),
        (400, {"error": "temporarily_unavailable", "error_codes": [90033]}, TokenUnavailable),
        (401, {"error": "invalid_client", "error_codes": [1000502]}, CredentialRefused),
        (403, {"error": "access_denied"}, CredentialRefused),
        (408, {"error": "timeout"}, TokenUnavailable),
        (429, {"error": "invalid_request", "error_codes": [50196]}, TokenUnavailable),
    ],
)
def test_the_status_shows_what_lasts(
    status: int, error: dict[str, Any], kind: type[Exception], settings: Settings, trusting: requests.Session
) -> None:
    """A 4xx stays until the deployer acts, except where Entra ID asks for patience."""
    discovery: dict[str, str] = {}
    with listening(_odd_entra(discovery, error, status)) as port:
        root = f"https://localhost:{port}"
        discovery |= {name: f"{root}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        discovery["issuer"] = f"{root}/{settings.tenant_id}/v2.0"
        with pytest.raises(kind):
            TokenSource(replace(settings, authority=f"{root}/{settings.tenant_id}"), trusting).token()


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
