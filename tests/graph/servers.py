"""Servers that record or behave badly on purpose, on real sockets of this machine."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

Serve = Callable[[socket.socket], None]
AUTHORITY = trustme.CA(organization_name="Tests of transport")


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """Serve every connection on a thread of its own, and give the port; ``serve`` may raise whatever it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        opened: list[socket.socket] = []
        threads: list[threading.Thread] = []

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    opened.append(connection)
                    thread = threading.Thread(target=one, args=(connection,), daemon=True)
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in opened:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(5)


def tls(serve: Serve, *, authority: trustme.CA = AUTHORITY) -> Serve:
    """Do the handshake first, as ``localhost``, and serve what is inside."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            serve(inside)

    return secured


def read_request(connection: socket.socket) -> bytes:
    """Read one request whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
        received += piece
    return received


@dataclass(frozen=True)
class Recorded:
    """One request as a server received it; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Recorder:
    """Records every request and answers all alike."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: str = ""
    requests: list[Recorded] = field(default_factory=list)

    def __call__(self, connection: socket.socket) -> None:
        head, _, content = read_request(connection).partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.requests.append(Recorded(method, path, headers, json.loads(content) if content else None))
        answer(connection, self.status, self.body, f"Connection: close\r\n{self.headers}")


def reset(connection: socket.socket) -> None:
    """Close with a reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(connection: socket.socket, status: int, body: object, headers: str = "") -> None:
    """Answer a request with JSON, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    connection.sendall(head.encode() + content)


def drip(connection: socket.socket, body: bytes, *, every: float, headers_too: bool = False) -> None:
    """Answer byte by byte, so that each read succeeds and the whole takes forever."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    if not headers_too:
        connection.sendall(head)
    for byte in head + body if headers_too else body:
        connection.sendall(bytes([byte]))
        time.sleep(every)


def closed_port() -> int:
    """Return a port without a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
