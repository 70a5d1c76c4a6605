"""The HTTP transport of the storage libraries, within the time that the request in progress has left.

A time limit of the library is for each read of the socket, so that a response that stalls twice, or arrives byte by
byte, has no limit. Here it is for the whole response.
"""

from __future__ import annotations

import io
import os
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import RequestsTransport
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from domain.configuration.trust import ca_bundle
from storage.budget import time_limits
from storage.outcomes import NOTHING_SENT

if TYPE_CHECKING:
    import socket

# One for each request that a busy instance works on; the libraries keep ten, and open all others anew.
_KEPT_CONNECTIONS = 64
# Azure drops idle connections after four minutes without notice; a request on one would stall.
_IDLE_SECONDS = 60.0


class _TimedReader(io.RawIOBase):
    """Reads a socket until a deadline, however slowly the bytes arrive."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        super().__init__()
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            message = "the whole response took too long"
            raise TimeoutError(message)
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """Status line, headers and body together have the time that the socket's timeout would give each read."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_TimedReader(sock, seconds))


class _Connection(HTTPConnection):
    """Marks each error while connecting, and is not used again after a long idle time."""

    response_class = _TimedResponse
    used_at = float("-inf")

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            error.add_note(NOTHING_SENT)
            raise
        self.used_at = time.monotonic()

    def getresponse(self) -> Any:
        response = super().getresponse()
        self.used_at = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self.used_at < _IDLE_SECONDS and super().is_connected


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class StorageTransport(RequestsTransport):  # type: ignore[misc]  # azure.core has no types here
    """The library's transport, within the time that the request in progress has left.

    The proxy of each host and the CA bundle are read from the process environment once: requests would read them, and
    ``.netrc``, with every request, and an entry there would replace the app's token.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, use_env_settings=False)
        self.open()
        self._environment = type(self.session)()
        """A session that reads the environment; nothing is sent with it."""
        self._bundle = ca_bundle(os.environ) or True
        self._proxies: dict[str, dict[str, str]] = {}
        for adapter in self.session.adapters.values() if self.session is not None else ():
            adapter.init_poolmanager(_KEPT_CONNECTIONS, _KEPT_CONNECTIONS)
            adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        proxies = self._proxies.get(origin)
        if proxies is None:
            proxies = self._proxies[origin] = self._proxies_from_environment(origin)
        connecting, response = time_limits()
        fixed = {"connection_timeout": connecting, "read_timeout": response, "connection_verify": self._bundle}
        return super().send(request, **{**options, **fixed, "proxies": proxies})

    def _proxies_from_environment(self, origin: str) -> dict[str, str]:
        settings = self._environment.merge_environment_settings(origin, {}, None, None, None)
        return dict(settings["proxies"])
