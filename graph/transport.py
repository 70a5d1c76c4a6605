"""One HTTP session for all requests to Graph, to Entra ID, and for the keys of callbacks."""

from __future__ import annotations

import io
import os
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from domain.configuration.trust import ca_bundle

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from urllib3 import PoolManager

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
"""For a whole response, from its request to its last byte, where the caller sets no limit (MSAL never does)."""
_USER_AGENT = "CallInvites"
_POOL_SIZE = 64
# Azure's load balancers drop idle connections after four minutes without notice; a request on such a connection
# would time out with an unknown outcome. One minute stays well below.
_IDLE_SECONDS = 60.0
_CONNECTING = "nothing was sent: this happened before the request"


class _TimedReader(io.RawIOBase):
    """Reads a socket until a deadline, however slowly the bytes arrive; a socket's own timeout is for each read."""

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
    """Adds to each error while connecting the note that nothing was sent, and is not reused after a long idle time."""

    response_class = _TimedResponse
    used_at = float("-inf")

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            error.add_note(_CONNECTING)
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


class _TimeLimitedAdapter(HTTPAdapter):
    """Gives every request a time limit, and uses the connections above."""

    _POOLS: ClassVar = {"http": _Pool, "https": _TlsPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        return super().send(request, *args, **kwargs)


def new_session(urls: Iterable[str]) -> requests.Session:
    """Return a session for the given URLs.

    The process environment is read here, once: ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` or ``SSL_CERT_FILE`` names
    the CA bundle, ``HTTPS_PROXY`` and ``NO_PROXY`` the proxy. ``.netrc`` is never read, since an entry there would
    replace the app's token.
    """
    session = requests.Session()
    session.headers["User-Agent"] = _USER_AGENT
    for url in urls:
        parts = urlsplit(url)
        proxy = get_environ_proxies(url).get(parts.scheme)
        if proxy:
            session.proxies[f"{parts.scheme}://{parts.hostname}"] = proxy  # the form in which requests looks it up
    session.trust_env = False
    session.verify = ca_bundle(os.environ) or True
    adapter = _TimeLimitedAdapter(pool_maxsize=_POOL_SIZE)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class StatusKeeper:
    """Passes MSAL's requests on to a session and keeps the last response's status, which MSAL does not return."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session
        self.status: int | None = None

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        """Send a GET."""
        return self._keep(self._session.get(url, **kwargs))

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        """Send a POST."""
        return self._keep(self._session.post(url, **kwargs))

    def close(self) -> None:
        """Leave the session open, which belongs to the app."""

    def _keep(self, response: requests.Response) -> requests.Response:
        self.status = response.status_code
        return response


def nothing_was_sent(error: requests.RequestException) -> bool:
    """Return whether a failed request certainly never reached the server: DNS, connection, proxy or handshake failed.

    The class of the error does not show it: TLS can break after the request too, and urllib3 reports a connection
    that is reset behind a proxy as a failure to reach the proxy. So each error is marked where it happens.
    """
    return any(_CONNECTING in getattr(cause, "__notes__", ()) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it was made of; what was being handled when it was raised is no part of it."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            pending += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
            yield cause
