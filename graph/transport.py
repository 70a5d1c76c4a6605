"""One HTTP session for all that the app asks of Graph, Entra ID and the key announcement."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from urllib3 import PoolManager

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
_POOL_SIZE = 64
# Azure's load balancers drop idle connections after four minutes without telling; a request on such a connection
# would time out with an unknown outcome. One minute stays well below.
_IDLE_SECONDS = 60.0
_CONNECTING = "nothing was sent: this happened before the request"


class _Connection(HTTPConnection):
    """Notes on what fails while it connects that nothing was sent, and ends when it was idle for long."""

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
    """Gives every request a time limit, and never reuses a connection that was idle for long."""

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


def new_session(addresses: Iterable[str]) -> requests.Session:
    """Return a session for the given addresses.

    The process environment is read here, once: ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` or ``SSL_CERT_FILE`` names
    the authorities to trust, ``HTTPS_PROXY`` and ``NO_PROXY`` the way out. ``.netrc`` is never read, since an entry
    there would replace the app's token.
    """
    session = requests.Session()
    for address in addresses:
        parts = urlsplit(address)
        proxy = get_environ_proxies(address).get(parts.scheme)
        if proxy:
            session.proxies[f"{parts.scheme}://{parts.hostname}"] = proxy  # the form in which requests looks it up
    session.trust_env = False
    bundles = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
    session.verify = next((bundle for bundle in bundles if bundle), True)
    adapter = _TimeLimitedAdapter(pool_maxsize=_POOL_SIZE)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def nothing_was_sent(error: requests.RequestException) -> bool:
    """Tell whether a failed request surely never reached the server: no name, no connection, no proxy, no handshake.

    The kind of error does not tell: TLS can break after the request too, and urllib3 calls what a reset connection
    behind a proxy raises a failure to reach the proxy. So each error is marked where it happens.
    """
    return any(_CONNECTING in getattr(cause, "__notes__", ()) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that it was made of; what was being handled when it was raised is no part of it."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            pending += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
            yield cause
