"""Servers that stand for what may answer in the place of Graph, Entra ID, storage or the app."""

from __future__ import annotations

import json
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Answer = tuple[int, dict[str, str], Any]  # status, headers, body
AUTHORITY = trustme.CA(organization_name="Tests of the doctor")
_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_CLIENT = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"


@contextmanager
def serving(answer: Callable[[str, str], Answer], *, tls: bool = False, host: str = "127.0.0.1") -> Iterator[str]:
    """Answer every request by its method and path, and give the root URL."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = answer(self.command, self.path.partition("?")[0])
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("localhost").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}" if tls else f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def entra(token: Answer) -> Iterator[str]:
    """Give the authority of an Entra ID whose token route always answers the same."""
    roots: list[str] = []

    def answer(method: str, path: str) -> Answer:
        if method == "POST":
            return token
        tenant = f"{roots[0]}/{path.split('/')[1]}"
        return 200, {}, {"token_endpoint": f"{tenant}/token", "authorization_endpoint": tenant, "issuer": tenant}

    with serving(answer, tls=True) as root:
        roots.append(root)
        yield f"{root}/{_TENANT}"


def refusal(code: int, error: str = "invalid_client") -> Answer:
    """Entra ID's refusal with this code."""
    return 401, {}, {"error": error, "error_codes": [code], "error_description": f"AADSTS{code}: no."}


def given(*, left: float = 3600, **claims: Any) -> Answer:
    """Entra ID's answer with a token; claims that are None are left out of it."""
    good = {
        "aud": "https://graph.microsoft.com",
        "tid": _TENANT,
        "appid": _CLIENT,
        "roles": ["Calls.InitiateGroupCall.All", "Calls.JoinGroupCall.All", "Calls.Initiate.All"],
        "exp": int(time.time() + left),
    }
    held = {name: value for name, value in {**good, **claims}.items() if value is not None}
    token = jwt.encode(held, "k" * 32)
    return 200, {}, {"token_type": "Bearer", "expires_in": 3600, "access_token": token}


def the_app(health: Answer, notifications: Answer = (404, {}, {})) -> Callable[[str, str], Answer]:
    """What answers at a public address."""
    answers: Mapping[tuple[str, str], Answer] = {
        ("GET", "/api/health"): health,
        ("POST", "/api/notifications"): notifications,
    }
    return lambda method, path: answers.get((method, path), (404, {}, {}))
