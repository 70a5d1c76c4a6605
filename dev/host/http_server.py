"""HTTP over waitress: hands over whole requests and sends whole responses."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, create_server

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BODY = 100 * 1024 * 1024
"""https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits"""
_REQUESTS_AT_ONCE = 128
_CONNECTIONS = 1024
_WAKE_SECONDS = 1.0
# A response's connection is the server's business.
_NOT_THE_FUNCTIONS = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request as it came: ``target`` is the undecoded path with its query, header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response before it goes out; its length is added then."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class _Parser(HTTPRequestParser):
    def parse_header(self, header_plus: bytes) -> None:
        """Keep the header that waitress removes, since the real host hands over nothing of a chunked body."""
        super().parse_header(header_plus)
        if self.chunked:
            self.headers["TRANSFER_ENCODING"] = "chunked"  # type: ignore[index] # the stubs call a dict a Mapping


class _Channel(HTTPChannel):
    parser_class = _Parser


class HttpServer:
    """Has a port of 127.0.0.1 from the moment it is made, and responds between ``start`` and ``stop``."""

    def __init__(self, port: int) -> None:
        """Take a port; 0 takes a free one.

        Raises:
            OSError: The port is in use.
            OverflowError: There is no such port.
        """
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._sockets: Any = {}
        self._server: BaseWSGIServer | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self, answer: Callable[[HttpMessage], HttpAnswer]) -> None:
        """Respond to requests, each on a thread."""
        logging.getLogger("waitress").setLevel(logging.ERROR)  # it warns of each request that waits for a thread

        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            try:
                response = answer(_message(environ))
            except UnicodeDecodeError:
                response = HttpAnswer(HTTPStatus.BAD_REQUEST)
            headers = [(name, value) for name, value in response.headers if name.lower() not in _NOT_THE_FUNCTIONS]
            headers.append(("Content-Length", str(len(response.body))))
            start_response(f"{response.status} {_phrase(response.status)}", headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

        options: dict[str, Any] = {
            "sockets": [self._socket],
            "threads": _REQUESTS_AT_ONCE,
            "connection_limit": _CONNECTIONS,
            "max_request_body_size": LARGEST_BODY + 1,
            "clear_untrusted_proxy_headers": False,
            "asyncore_use_poll": True,
            "ident": None,
        }
        server = create_server(application, self._sockets, **options)
        assert isinstance(server, BaseWSGIServer)  # noqa: S101 - it has one socket
        server.channel_class = _Channel
        self._server = server
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and close the connections that are still open."""
        if self._server is None:
            self._socket.close()
        elif self._thread.is_alive():
            trigger: Any = self._server.trigger  # the stubs say int
            with suppress(OSError):  # the loop took the function before it was woken, and has ended
                trigger.pull_trigger(self._stopped.set)  # run by the loop itself, which then ends
            self._thread.join()
            self._server.task_dispatcher.set_thread_count(0)

    def _serve(self) -> None:
        while not self._stopped.is_set():
            wasyncore.loop(_WAKE_SECONDS, use_poll=True, map=self._sockets, count=1)
        wasyncore.close_all(self._sockets)


def _message(environ: dict[str, Any]) -> HttpMessage:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value.encode("latin-1").decode()
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    body = b"" if "transfer-encoding" in headers else environ["wsgi.input"].read()
    return HttpMessage(environ["REQUEST_METHOD"], environ["REQUEST_URI"], headers, body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
