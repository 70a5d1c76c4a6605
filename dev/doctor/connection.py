"""Why a server can't be reached: its name, its certificate, its port, a timeout, a proxy or the CA bundle."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.exceptions import NameResolutionError, ProxyError
from urllib3.exceptions import TimeoutError as SlowAnswer

from dev.doctor.findings import Finding, fault
from domain.configuration.trust import bundle_fault, ca_bundle
from graph.transport import causes

if TYPE_CHECKING:
    from collections.abc import Mapping

WAY_OUT = (
    "Look at HTTPS_PROXY and NO_PROXY, and at the firewall of this machine's network; "
    "docs/settings.md#proxy-and-ca-bundle"
)
_BUNDLE = (
    "Where REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE is set, that file is trusted INSTEAD OF the usual "
    "CA bundle: it must hold the CA that issued this certificate"
)


def host_of(address: str) -> str:
    """Return host and port of an address, without anything that may be secret."""
    try:
        parts = urlsplit(address)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "a URL that can't be read"


def check_bundle(environment: Mapping[str, str]) -> list[Finding]:
    """Check that a CA bundle that is named can be read: everything over HTTPS needs it."""
    path = ca_bundle(environment)
    if path is None:
        return []
    is_folder = Path(path).is_dir()
    try:
        ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    except OSError:  # a file without certificates raises one too
        fix = (
            "make simulator makes the simulator's, the first time. Else name a file of certificates (PEM), or remove "
            "the setting: docs/settings.md#proxy-and-ca-bundle"
        )
        return [fault(str(bundle_fault(environment)), fix)]
    return []


def explained(error: BaseException, address: str, *, fix_name: str) -> Finding:
    """Explain why ``address`` could not be reached.

    Args:
        error: what ``requests``, MSAL or the storage libraries raised.
        address: where it was to go.
        fix_name: what to do where the host's name does not exist, or nothing listens there.
    """
    host = host_of(address)
    # The storage libraries keep what the transport raised in their own error.
    found = list(causes(getattr(error, "inner_exception", None) or error))
    tls = next((one for one in found if isinstance(one, ssl.SSLError)), None)
    if any(isinstance(one, ProxyError) for one in found):
        return fault(f"the proxy on the way to {host} can't be reached or refuses", WAY_OUT)
    if any(isinstance(one, socket.gaierror | NameResolutionError) for one in found):
        return fault(f"there is no host {host} as far as this machine's name servers know", fix_name)
    if tls is not None:
        reason = getattr(tls, "verify_message", None) or tls.reason or type(tls).__name__
        return fault(f"{host} can't be trusted over TLS: {reason}", _BUNDLE)
    if any(isinstance(one, ConnectionRefusedError) for one in found):
        return fault(f"nothing listens at {host}: the connection is refused", fix_name)
    if any(isinstance(one, TimeoutError | SlowAnswer) for one in found):
        return fault(f"{host} does not answer in time", WAY_OUT)
    return fault(f"{host} can't be reached ({type(found[-1]).__name__})", WAY_OUT)
