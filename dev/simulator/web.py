"""HTTP/1.1 over TLS with kept-alive connections, one thread each, on the standard library's server.

The one thing a web framework would not give: a connection can be cut at will (:class:`ConnectionCut`).
"""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl
    from email.message import Message
    from socketserver import BaseServer

# https://learn.microsoft.com/graph/use-the-api: write requests are limited to 4 MB.
_LARGEST_BODY = 4 * 1024 * 1024
_HANDSHAKE_SECONDS = 10
_log = logging.getLogger(__name__)


class ConnectionCut(Exception):
    """Close the connection without an answer."""


class BodyError(ValueError):
    """The body is not JSON."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as received."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    """Names are compared without case."""
    body: bytes

    def json(self) -> object:
        """Return the body; raises BodyError where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BodyError(str(error)) from error

    def form(self) -> dict[str, str]:
        """Return the body of a form; unreadable ones are empty."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))


@dataclass(slots=True)
class Response:
    """One answer; ``body`` is sent as JSON unless it is None."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Application = Callable[[Request], Response]


class Server(ThreadingHTTPServer):
    """Serves an application at ``https://localhost:<port>`` until closed."""

    daemon_threads = True
    # Bursts of 100 new connections must fit into the queue.
    request_queue_size = 256

    application: Application

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="simulator-server", daemon=True)

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self.server_address[1])

    def start(self, application: Application) -> None:
        """Serve ``application`` on a thread."""
        self.application = application
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every connection."""
        self.shutdown()
        self.server_close()
        self._thread.join(timeout=1)
        with self._lock:
            left = list(self._open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its handshake waits for the thread that serves it."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secured = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(secured)
        return secured, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection for good."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: clients may go away, or not trust the authority."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: BaseServer
    connection: ssl.SSLSocket

    def setup(self) -> None:
        self.request.settimeout(_HANDSHAKE_SECONDS)
        self.request.do_handshake()
        self.request.settimeout(None)
        super().setup()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        assert isinstance(self.server, Server)  # noqa: S101 - narrows the type
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self._answer(Response(HTTPStatus.LENGTH_REQUIRED), close=True)
            return
        if int(length) > _LARGEST_BODY:
            self._answer(Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), close=True)
            return
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            headers=self.headers,
            body=self.rfile.read(int(length)),
        )
        try:
            response = self.server.application(request)
        except ConnectionCut:
            # A reset rather than an orderly end: no lingering, and nothing is flushed.
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        except Exception:  # noqa: BLE001 - as any server does
            _log.exception("%s %s failed", request.method, request.path)
            response = Response(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._answer(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815 - names of the base class

    def _answer(self, response: Response, *, close: bool = False) -> None:
        content = b"" if response.body is None else json.dumps(response.body).encode()
        self.close_connection = self.close_connection or close
        self.send_response(response.status)
        if content:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def version_string(self) -> str:
        """Name the server."""
        return "GraphSimulator"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Print nothing: the event log has it all."""
