"""A certificate authority of the simulator's own, because MSAL and callers of Graph accept HTTPS only."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

CA_FILE = "ca.pem"
_CA_KEY_FILE = "ca.key"


def server_context(folder: Path) -> ssl.SSLContext:
    """Return a TLS context for ``localhost``, its authority's certificate kept as ``ca.pem`` in ``folder``.

    The authority is made once for a folder, so that an app that trusts it outlives a restart of the simulator.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / CA_FILE, folder / _CA_KEY_FILE
    if certificate.is_file() and key.is_file():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA(organization_name="Call Invites simulator")
        key.touch(mode=0o600)
        key.write_bytes(authority.private_key_pem.bytes())
        certificate.write_bytes(authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context
