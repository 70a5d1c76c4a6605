"""How the storage libraries connect: within time limits, and with connections kept for a busy instance."""

from __future__ import annotations

from azure.core.pipeline.transport import RequestsTransport

# Graph wants its callbacks answered within 5 seconds, so a storage that does not answer is given up before that.
CONNECT_SECONDS = 2.0
READ_SECONDS = 4.0
# One for each request that a busy instance works on; the libraries keep ten, and throw away and make anew all others.
_KEPT = 64


def storage_transport() -> RequestsTransport:
    """Return a transport of one client's own, which is open."""
    # The libraries take these limits from a client's options only where they make the transport themselves.
    transport = RequestsTransport(connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    transport.open()
    if transport.session is not None:
        for adapter in transport.session.adapters.values():
            adapter.init_poolmanager(_KEPT, _KEPT)
    return transport
