"""Why a server can't be reached, in words: its name, its certificate, its port, its silence, or whom we trust."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.exceptions import NameResolutionError, ProxyError
from urllib3.exceptions import TimeoutError as SlowAnswer

from dev.doctor.findings import Finding, fault
from graph.transport import causes

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Settings that name a file of authorities to trust; the first that is set counts, as in ``graph.transport``."""
WAY_OUT = (
    "Look at HTTPS_PROXY and NO_PROXY, and at the firewall of this machine's network; docs/settings.md#the-way-out"
)
_BUNDLE = (
    "Where REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE is set, that file is trusted INSTEAD OF the usual "
    "authorities: it must hold the one that issued this certificate"
)


def host_of(address: str) -> str:
    """Return host and port of an address, without anything that may be a secret."""
    try:
        parts = urlsplit(address)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "an address that can't be read"


def check_authorities(environment: Mapping[str, str]) -> list[Finding]:
    """Find whether the authorities that are named can be read at all: everything over HTTPS needs them."""
    name = next((name for name in AUTHORITIES if environment.get(name)), None)
    if name is None:
        return []
    place = environment[name]
    is_folder = Path(place).is_dir()
    try:
        ssl.create_default_context(cafile=None if is_folder else place, capath=place if is_folder else None)
    except OSError:  # that it is no file of certificates is one too
        mend = (
            "The simulator's is made by make simulator, the first time. Else name a file of certificates (PEM), or "
            "remove the setting: docs/settings.md#the-way-out"
        )
        return [fault(f"{name} names no file of authorities that can be read: nothing can be asked over HTTPS", mend)]
    return []


def explained(error: BaseException, address: str, *, mend_name: str) -> Finding:
    """Say why ``address`` could not be reached.

    Args:
        error: what ``requests``, MSAL or the storage libraries raised.
        address: where it was to go.
        mend_name: what to do where the host's name does not exist, or nobody listens there.
    """
    host = host_of(address)
    # The storage libraries keep what the transport raised beside their own error.
    found = list(causes(getattr(error, "inner_exception", None) or error))
    tls = next((one for one in found if isinstance(one, ssl.SSLError)), None)
    if any(isinstance(one, ProxyError) for one in found):
        return fault(f"the proxy on the way to {host} can't be reached or refuses", WAY_OUT)
    if any(isinstance(one, socket.gaierror | NameResolutionError) for one in found):
        return fault(f"there is no host {host} as far as this machine's name servers know", mend_name)
    if tls is not None:
        reason = getattr(tls, "verify_message", None) or tls.reason or type(tls).__name__
        return fault(f"{host} can't be trusted over TLS: {reason}", _BUNDLE)
    if any(isinstance(one, ConnectionRefusedError) for one in found):
        return fault(f"nobody listens at {host}: the connection is refused", mend_name)
    if any(isinstance(one, TimeoutError | SlowAnswer) for one in found):
        return fault(f"{host} does not answer in time", WAY_OUT)
    return fault(f"{host} can't be reached ({type(found[-1]).__name__})", WAY_OUT)
