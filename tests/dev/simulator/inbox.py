"""A small web server that callbacks are sent to; it checks every token against the published keys of its kind."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import jwt
import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Received:
    """One POST."""

    path: str
    headers: Mapping[str, str]
    body: Any
    claims: dict[str, Any] | None
    """Of its token; None where it is missing or not signed with a published key."""

    @property
    def items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.body["value"]
        return items

    @property
    def people(self) -> list[dict[str, Any]]:
        """The people on the roster, without the app and without people who are still being called."""
        return people_in(self.data)

    @property
    def data(self) -> Any:
        """The ``resourceData`` of the only item."""
        (item,) = self.items
        return item["resourceData"]


class Inbox:
    def __init__(self) -> None:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(inbox.receive(self.path, dict(self.headers), raw))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/notifications"
        self.received: list[Received] = []
        self.statuses: list[int] = []
        """Answered one after the other; 202 when there are none left."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def empty(self, graph: Simulator) -> None:
        """Forget everything, and check the tokens of ``graph`` from now on."""
        self._graph = graph
        self._keys: dict[str, Any] = {}
        self._known: dict[str, dict[str, Any] | None] = {}
        self.received, self.statuses = [], []

    def receive(self, path: str, headers: Mapping[str, str], raw: bytes) -> int:
        received = Received(path, headers, json.loads(raw), self._claims(headers.get("Authorization", "")))
        with self._lock:
            self.received.append(received)
            return self.statuses.pop(0) if self.statuses else 202

    def about(self, kind: str) -> list[Received]:
        """Those of which the first item is about ``operation``, ``roster`` or ``call``."""
        return [received for received in self.received if _kind(received.items[0]) == kind]

    def _claims(self, authorization: str) -> dict[str, Any] | None:
        token = authorization.removeprefix("Bearer ")
        if token not in self._known:
            self._known[token] = self._verified(token) if token else None
        return self._known[token]

    def _verified(self, token: str) -> dict[str, Any] | None:
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            if kid not in self._keys:
                self._keys = self._published()
            claims: dict[str, Any] = jwt.decode(token, self._keys[kid], ["RS256"], audience=self._graph.client_id)
        except (jwt.InvalidTokenError, KeyError):
            return None
        return claims

    def _published(self) -> dict[str, Any]:
        keys: list[Any] = []
        with requests.Session() as session:
            session.trust_env, session.verify = False, self._graph.ca_file
            entra = f"{self._graph.authority}/v2.0/.well-known/openid-configuration"
            for metadata in (self._graph.openid_configuration, entra):
                keys += session.get(session.get(metadata, timeout=5).json()["jwks_uri"], timeout=5).json()["keys"]
        return {key["kid"]: jwt.PyJWK(key, "RS256").key for key in keys}


def people_in(roster: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The people in a call or its lobby."""
    return [
        someone
        for someone in roster
        if someone["mediaStreams"] and not {"application", "applicationInstance"} & someone["info"]["identity"].keys()
    ]


def _kind(item: dict[str, Any]) -> str:
    data = item["resourceData"]
    if isinstance(data, list):
        return "roster"
    return "operation" if data["@odata.type"].endswith("Operation") else "call"
