"""How the storage libraries connect: with as many kept connections as there may be requests at a time."""

from __future__ import annotations

from azure.core.pipeline.transport import RequestsTransport

# One for each request that a busy instance works on; the libraries keep ten, and throw away and make anew all others.
_KEPT = 64


def storage_transport() -> RequestsTransport:
    """Return a transport of one client's own, which is open."""
    transport = RequestsTransport()
    transport.open()
    if transport.session is not None:
        for adapter in transport.session.adapters.values():
            adapter.init_poolmanager(_KEPT, _KEPT)
    return transport
