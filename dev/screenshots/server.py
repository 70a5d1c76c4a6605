"""Serves the page and one call's ``live``, as the app does, from an answer that can be changed at any time."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from calls.page.policy import PAGE_HEADERS, content_security_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = (Path(__file__).resolve().parents[2] / "calls" / "page" / "page.html").read_text(encoding="utf-8")
_HEADERS = PAGE_HEADERS | {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": content_security_policy(PAGE),
}
TOKEN = "cGFnZS10b2tlbi1vZi1hbi1leGFtcGxl"  # noqa: S105 - it opens an example


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived, its headers in lower case, and the status it was answered with."""

    target: str
    headers: Mapping[str, str]
    status: int


@dataclass
class PageServer:
    """A server on a free port of this machine, for as long as it is entered.

    Attributes:
        live: the answer of ``live``.
        refusal: answers ``live`` with this status instead.
        asked: all requests so far, oldest first.
    """

    live: dict[str, Any]
    token: str = TOKEN
    refusal: int | None = None
    retry_after: int | None = None
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.switch_off()

    def switch_on(self) -> None:
        """Listen, on the same port as before."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                received = {name.lower(): value for name, value in self.headers.items()}
                status, headers, body = server.answer(self.path, received)
                server.asked.append(Asked(self.path, received, status))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: ``asked`` is the log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def switch_off(self) -> None:
        """Refuse all connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """The link that a person opens."""
        return self.url_with(f"call={quote(self.live['call']['id'], safe='')}&token={self.token}")

    def url_with(self, fragment: str) -> str:
        """Return the page's URL with another fragment."""
        return f"http://127.0.0.1:{self.port}/api/page#{fragment}"

    @property
    def polls(self) -> list[Asked]:
        """The requests for ``live``."""
        return [one for one in self.asked if one.target.endswith("/live")]

    def answer(self, target: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Answer a request."""
        path = urlsplit(target).path
        if path == "/api/page":
            return HTTPStatus.OK, _HEADERS, PAGE.encode()
        if path != f"/api/calls/{quote(self.live['call']['id'], safe='')}/live":
            return HTTPStatus.NOT_FOUND, {}, b""
        if self.refusal is not None:
            return self.refusal, {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}, b"{}"
        if headers.get("x-page-token") != self.token:
            return HTTPStatus.NOT_FOUND, {}, b"{}"
        body = json.dumps(self.live).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        stamps = {"ETag": etag, "Cache-Control": "no-store"}
        if headers.get("if-none-match") == etag:
            return HTTPStatus.NOT_MODIFIED, stamps, b""
        return HTTPStatus.OK, stamps | {"Content-Type": "application/json"}, body
