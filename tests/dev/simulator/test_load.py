from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.dev.simulator.caller import Caller

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox

_CONNECTIONS = 100
_EACH = 2


def test_a_hundred_connections_at_once_are_served(graph: Simulator, inbox: Inbox) -> None:
    """Every invite of a hundred callers with connections of their own is accepted, called once and reported."""
    calls = [graph.create_call(inbox.url, announce=False) for _ in range(_CONNECTIONS)]

    def invite(call_id: str) -> list[int]:
        with Caller(graph) as caller:
            return [caller.invite(call_id, f"+1555000{number}").status_code for number in range(_EACH)]

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        statuses = [status for answered in pool.map(invite, calls) for status in answered]
    assert statuses == [200] * _CONNECTIONS * _EACH
    assert graph.wait_idle(30)
    rings = [(ring.call_id, ring.person) for ring in graph.log.rings]
    assert len(rings) == len(set(rings)) == _CONNECTIONS * _EACH
    assert len(inbox.about("operation")) == _CONNECTIONS * _EACH


def test_a_connection_is_kept_for_further_requests(graph: Simulator) -> None:
    """One connection serves many requests, refused ones among them."""
    url = urlsplit(graph.base_url)
    connection = HTTPSConnection(
        url.hostname or "", url.port, timeout=5, context=ssl.create_default_context(cafile=graph.ca_file)
    )
    sockets = set()
    statuses = []
    for path in ("/v1/keys", "/nothing", "/v1.0/communications/calls/none", "/v1/keys"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
        sockets.add(connection.sock.getsockname())
    connection.close()
    assert statuses == [200, 404, 401, 200]
    assert len(sockets) == 1
