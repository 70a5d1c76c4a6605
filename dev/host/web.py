"""HTTP/1.1 with kept-alive connections, each on a thread, as far as an app can see the real host's web server.

Werkzeug's own server would do but for one thing: it closes every connection after one request.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_log = logging.getLogger("dev.host.command")
LARGEST_BODY = 100 * 1024 * 1024
"""https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits"""
_IDLE_SECONDS = 130
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request as it came over the wire; ``target`` is the undecoded path with its query."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value, repeated ones joined by a comma, None where it is not there."""
        values = [value for each, value in self.headers if each.lower() == name]
        return ",".join(values) if values else None


@dataclass(frozen=True, slots=True)
class WebResponse:
    """A response before it goes out; its length is added then."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Answer = Callable[[WebRequest], WebResponse]


class _Refused(Exception):
    """The request cannot be read; it is answered with ``status`` and the connection is closed."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "local"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    # Head and body leave in one packet.
    wbufsize = -1
    server: WebServer

    def __getattr__(self, name: str) -> Any:
        """Take every method, also unknown ones: whether there is a function for it is not decided here."""
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def _handle(self) -> None:
        try:
            response = self.server.answer(self._read())
        except _Refused as refused:
            self.close_connection = True
            response = WebResponse(refused.status)
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _read(self) -> WebRequest:
        # The line itself: the base class shortens a path that begins with two slashes.
        target = self.requestline.split()[1]
        if not target.isascii() or not target.isprintable():
            raise _Refused(HTTPStatus.BAD_REQUEST)
        try:
            headers = tuple((name, value.strip().encode("latin-1").decode()) for name, value in self.headers.items())
        except UnicodeDecodeError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST) from error
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            # The real host hands over nothing of a body whose length was not announced.
            self._drop_chunks()
            return WebRequest(self.command, target, headers, b"")
        lengths = set(self.headers.get_all("Content-Length") or ["0"])
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.BAD_REQUEST)
        if int(length) > LARGEST_BODY:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError
        return WebRequest(self.command, target, headers, body)

    def _drop_chunks(self) -> None:
        dropped = 0
        while True:
            try:
                size = int(self.rfile.readline(_PIECE).split(b";")[0], 16)
            except ValueError as error:
                raise _Refused(HTTPStatus.BAD_REQUEST) from error
            dropped += size
            if dropped > LARGEST_BODY:
                raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            if size == 0:
                while self.rfile.readline(_PIECE).strip():
                    pass
                return
            self.rfile.read(size + 2)

    def log_message(self, *_: object) -> None:
        """Say nothing: what was asked and answered is logged where it is understood."""


class WebServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 from the moment it is made, and answers between ``start`` and ``stop``."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int) -> None:
        """Take a port; 0 takes a free one.

        Raises:
            OSError: The port is in use.
        """
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer: Answer = lambda _: WebResponse(HTTPStatus.SERVICE_UNAVAILABLE)
        self.port = int(self.server_address[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, answer: Answer) -> None:
        """Answer requests on a thread of its own."""
        self.answer = answer
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="web-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and close the connections that are still open."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that it can be closed at the end."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class has it
        """Log what went wrong, unless the client went away."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            _log.exception("A request could not be handled")
