"""POSTing to a flow's address: which addresses may be one, and how they are reached without being fooled.

A caller with a function key chooses the address, so it is held to known hosts of the flow engine, and the host's
own addresses are checked at the moment of connecting: a name that points into a private network, then or by then,
is not connected to. Headers follow https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError

from observability import telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

LONGEST_URL = 2_000
_TIMEOUT = urllib3.Timeout(connect=3, read=20)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_FORBIDDEN = frozenset("\\ \"'<>^`{|}")


class AddressRefused(Exception):
    """An address may not be a flow's; the text says why and holds nothing of the address."""


class _PrivateAddress(OSError):
    """A name of an allowed host points into a network that is not public."""


def check_url(url: str, suffixes: Sequence[str], local_hosts: AbstractSet[str]) -> None:
    """Return if the address may be a flow's.

    Args:
        url: as the caller gave it.
        suffixes: allowed host suffixes, each with its leading dot.
        local_hosts: exact ``host:port`` that are allowed besides, also over plain http; for one machine only.

    Raises:
        AddressRefused: it may not.
    """
    if len(url) > LONGEST_URL:
        message = "it is longer than 2,000 characters"
        raise AddressRefused(message)
    if not url.isascii() or not url.isprintable() or _FORBIDDEN & set(url):
        message = "it holds characters that an address may not have"
        raise AddressRefused(message)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").casefold(), parts.port
    except ValueError:
        message = "it is not an address"
        raise AddressRefused(message) from None
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        message = "it names a user"
        raise AddressRefused(message)
    if f"{host}:{port}" in local_hosts and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https":
        message = "it does not begin with https"
        raise AddressRefused(message)
    if parts.fragment or port not in (None, 443):
        message = "it has a port or a fragment that a flow's address does not have"
        raise AddressRefused(message)
    if not host.endswith(tuple(suffixes)) or not is_host_name(host):
        message = "its host is not one of Power Automate or Logic Apps"
        raise AddressRefused(message)


def is_host_name(host: str) -> bool:
    """Tell whether a host's name could exist at all; an IP address of figures is one, too."""
    return all(_is_label(label) for label in host.split("."))


def _is_label(label: str) -> bool:
    plain = label.replace("-", "").replace("_", "")
    return 0 < len(label) < 64 and plain.isalnum() and not label.startswith("-")  # noqa: PLR2004 - RFC 1035


def signed_headers(message_id: str, now: datetime, body: bytes, secret: str | None) -> dict[str, str]:
    """Return the Standard Webhooks headers of a message, with a signature where a secret is set.

    Args:
        message_id: the same over all tries of one outcome.
        now: becomes ``webhook-timestamp``, in whole seconds.
        body: exactly what is sent.
        secret: ``whsec_`` and Base64, or any text.
    """
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
    }
    if secret:
        signed = b".".join((message_id.encode(), timestamp.encode(), body))
        signature = hmac.new(_key_bytes(secret), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(signature).decode()
    return headers


def _key_bytes(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


class FlowClient:
    """POSTs to flows: no redirects, no private addresses, no answer of any length read."""

    def __init__(self, suffixes: Sequence[str], local_hosts: AbstractSet[str]) -> None:
        self._suffixes = suffixes
        self._local_hosts = local_hosts
        bundles = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
        self._bundle = next((bundle for bundle in bundles if bundle), None)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Return the status that the flow's address answered, or None where there was no answer.

        Raises:
            AddressRefused: it may not be a flow's address; nothing was sent.
        """
        check_url(url, self._suffixes, self._local_hosts)
        parts = urlsplit(url)
        is_local = f"{(parts.hostname or '').casefold()}:{parts.port}" in self._local_hosts
        try:
            with telemetry.span("flow callback", "flow") as span, self._pool(is_local=is_local) as pool:
                answer = pool.request(
                    "POST",
                    url,
                    body=body,
                    headers=dict(headers),
                    redirect=False,
                    retries=False,
                    timeout=_TIMEOUT,
                    preload_content=False,
                )
                status = int(answer.status)
                answer.close()
                span.note({"status": status})
                return status
        except (LocationParseError, _PrivateAddress) as error:
            message = "its host is not on the public internet"
            raise AddressRefused(message) from error
        except (HTTPError, OSError) as error:
            if _has_private_cause(error):
                message = "its host is not on the public internet"
                raise AddressRefused(message) from error
            return None

    def _pool(self, *, is_local: bool) -> urllib3.PoolManager:
        pool = urllib3.PoolManager(ca_certs=self._bundle, cert_reqs="CERT_REQUIRED")
        if not is_local:
            pool.pool_classes_by_scheme = {"https": _PublicPool}
        return pool


class _PublicConnection(HTTPSConnection):
    """Connects to addresses of the public internet only, and to the very address that was checked."""

    def _new_conn(self) -> socket.socket:
        address = _public_address(self.host, self.port or 443)
        try:
            return urllib3.util.connection.create_connection((address, self.port or 443), self.timeout)
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, "no connection") from error


class _PublicPool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = _PublicConnection


def _public_address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise urllib3.exceptions.NameResolutionError(host, HTTPConnection(host), socket.gaierror()) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not all(is_public(address) for address in addresses):
        raise _PrivateAddress
    return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet, also one that carries another inside it."""
    checked = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(checked, ipaddress.IPv6Address):
        inner = checked.ipv4_mapped or checked.sixtofour or (checked.teredo[1] if checked.teredo else None)
        if inner is None and checked in _NAT64:
            inner = ipaddress.IPv4Address(int(checked) & 0xFFFFFFFF)
        checked = inner or checked
    return checked.is_global and not checked.is_multicast


def _has_private_cause(error: BaseException) -> bool:
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return False
        if isinstance(seen, _PrivateAddress):
            return True
        seen = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
    return False
