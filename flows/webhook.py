"""POSTing an outcome to a flow's URL: signed, without redirects, to public addresses only, and within a time limit.

Headers follow https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, ReadTimeoutError

from flows.addresses import is_public
from flows.urls import UrlRefused, check_url
from observability import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

_CONNECT_SECONDS = 3.0
_LEAST_SECONDS = 0.05
_RESOLVERS = ThreadPoolExecutor(16, thread_name_prefix="resolve")


class _PrivateAddress(OSError):
    """The name of an allowed host points into a network that is not public."""


@dataclass(frozen=True, slots=True)
class PostResponse:
    """What a flow's URL answered."""

    status: int | None
    """None where there was no response."""
    was_cut: bool = False
    """Whether the time limit ended it after it was sent."""


def signed_headers(message_id: str, now: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the Standard Webhooks headers of a message, signed with each secret.

    Args:
        message_id: the same over all tries of one outcome.
        now: becomes ``webhook-timestamp``, in whole seconds.
        body: exactly what is sent.
        secrets: each ``whsec_`` and Base64; several while one replaces another.
    """
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
    }
    if secrets:
        signed = b".".join((message_id.encode(), timestamp.encode(), body))
        headers["webhook-signature"] = " ".join(_signature(secret, signed) for secret in secrets)
    return headers


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class FlowClient:
    """POSTs to flows; its TLS settings are loaded once.

    Args:
        suffixes: allowed host suffixes, each with its leading dot.
        local_hosts: exact ``host:port`` that are allowed too, for one machine only.
        ca_bundle: path of a CA bundle; the system's where None.
    """

    def __init__(self, suffixes: Sequence[str], local_hosts: AbstractSet[str], *, ca_bundle: str | None = None) -> None:
        self._suffixes = suffixes
        self._local_hosts = local_hosts
        context = ssl.create_default_context(cafile=ca_bundle)
        self._local = urllib3.PoolManager(ssl_context=context)
        self._local.pool_classes_by_scheme = {"http": _LocalPool, "https": _LocalSecurePool}
        self._public = urllib3.PoolManager(ssl_context=context)
        self._public.pool_classes_by_scheme = {"https": _PublicPool}

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        """POST a body, and return what the flow's URL answered within a number of seconds in all.

        Raises:
            UrlRefused: it may not be a flow's URL; nothing was sent.
        """
        check_url(url, self._suffixes, self._local_hosts)
        parts = urlsplit(url)
        is_local = f"{(parts.hostname or '').casefold()}:{parts.port}" in self._local_hosts
        seconds = max(seconds, _LEAST_SECONDS)
        cut = _Cut(seconds)
        try:
            with tracing.span("flow callback", "flow") as span, _cut_in_time(cut):
                response = (self._local if is_local else self._public).request(
                    "POST",
                    url,
                    body=body,
                    headers=dict(headers),
                    redirect=False,
                    retries=False,
                    timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, seconds), read=seconds),
                    preload_content=False,
                )
                status = int(response.status)
                # The status line is all that is needed; what follows it is neither read nor waited for.
                response.close()
                span.note({"status": status})
                return PostResponse(status)
        except (LocationParseError, _PrivateAddress) as error:
            message = "its host is not on the public internet"
            raise UrlRefused(message) from error
        except (HTTPError, OSError) as error:
            if _has_private_cause(error):
                message = "its host is not on the public internet"
                raise UrlRefused(message) from error
            was_cut = cut.is_connected and (cut.is_over or isinstance(error, ReadTimeoutError))
            return PostResponse(None, was_cut=was_cut)


class _Cut:
    """Ends a connection at a time, however slowly the other side drips."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self.socket: socket.socket | None = None
        self.is_over = False
        self.is_connected = False
        """Whether the request may have been sent."""

    def seconds(self) -> float:
        """Return the seconds that are left."""
        return max(self._ends - time.monotonic(), _LEAST_SECONDS)

    def end(self) -> None:
        """Shut the connection down, so that a read from it ends."""
        self.is_over = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


_current: ContextVar[_Cut | None] = ContextVar("flow_connection", default=None)


@contextmanager
def _cut_in_time(cut: _Cut) -> Iterator[None]:
    timer = threading.Timer(cut.seconds(), cut.end)
    timer.daemon = True
    timer.start()
    token = _current.set(cut)
    try:
        yield
    finally:
        timer.cancel()
        _current.reset(token)


def _watch(connection: socket.socket) -> None:
    """Let a connection be cut in time; one that came about too late is not used."""
    cut = _current.get()
    if cut is None:
        return
    cut.socket = connection
    if cut.is_over:
        message = "the time was over before the request"
        raise TimeoutError(message)
    cut.is_connected = True


class _WatchedConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self.sock)


class _WatchedSecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        _limit_handshake(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        _watch(self.sock)


def _limit_handshake(connection: socket.socket) -> None:
    """Give a handshake what is left; a socket's timeout is for all of it (``SSLSocket.do_handshake``)."""
    cut = _current.get()
    if cut is not None:
        connection.settimeout(min(_CONNECT_SECONDS, cut.seconds()))


class _LocalPool(urllib3.HTTPConnectionPool):
    ConnectionCls: Any = _WatchedConnection


class _LocalSecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = _WatchedSecureConnection


class _PublicConnection(_WatchedSecureConnection):
    """Connects to addresses of the public internet only, and to the very address that was checked."""

    def _new_conn(self) -> socket.socket:
        limits = _current.get() or _Cut(_CONNECT_SECONDS)
        address = _public_address(self.host, self.port or 443, limits)
        timeout = min(_CONNECT_SECONDS, limits.seconds())
        try:
            connection = urllib3.util.connection.create_connection((address, self.port or 443), timeout)
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, "no connection") from error
        _limit_handshake(connection)
        return connection


class _PublicPool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = _PublicConnection


def _public_address(host: str, port: int, limits: _Cut) -> str:
    try:
        # A look-up has no time limit of its own, and can't be cut.
        look_up = _RESOLVERS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = look_up.result(min(_CONNECT_SECONDS, limits.seconds()))
    except OSError as error:  # there is no such name, or the time is over
        raise urllib3.exceptions.NameResolutionError(host, HTTPConnection(host), socket.gaierror()) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not all(is_public(address) for address in addresses):
        raise _PrivateAddress
    return addresses[0]


def _has_private_cause(error: BaseException) -> bool:
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return False
        if isinstance(seen, _PrivateAddress):
            return True
        seen = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
    return False
