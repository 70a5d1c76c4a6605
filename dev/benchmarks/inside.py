"""The whole app without sockets: real parts up to the edge, an adapter where the network begins, a table that forgets.

A figure taken here is processor time of the app's own code and of the packages it calls, and nothing of a network.
"""

from __future__ import annotations

import itertools
import json
import logging
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import azure.functions as func
import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import BaseAdapter

import app
import function_app  # noqa: F401 - as in Azure: everything that a start loads is loaded
from settings import load
from storage.calls import CallTable
from storage.table import AlreadyThere, Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.rows import Row

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
ISSUER = "https://api.botframework.com"
KEY_ID = "key-1"
_AUTHORITY = f"https://login.example/{TENANT}"
_KEYS = "https://keys.example/configuration"
_GRAPH = "https://graph.example"
# Few, or the garbage collector would look through them while a request is timed.
_MOST_ROWS = 1_000


class ForgetfulTable:
    """A table in memory that keeps the newest rows alone and counts its requests; see ``storage.table.Table``."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.counts = False
        self._partitions: OrderedDict[str, dict[str, dict[str, Any]]] = OrderedDict()
        self._etags = itertools.count(1)
        self._rows = 0

    def _note(self, name: str) -> None:
        if self.counts:
            self.requests.append(name)

    def get(self, partition: str, row_key: str) -> dict[str, Any] | None:
        """Read one row."""
        self._note("get")
        row = self._partitions.get(partition, {}).get(row_key)
        return None if row is None else dict(row)

    def query(
        self, partition: str, *spans: tuple[str, str | None], open_only: bool = False, select: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Read the rows of a partition whose key is in one of the spans."""
        self._note("query")
        assert not select
        return [
            dict(row)
            for row_key, row in sorted(self._partitions.get(partition, {}).items())
            if any(row_key == first if after is None else first <= row_key < after for first, after in spans)
            and (not open_only or row.get("open") is True)
        ]

    def write(self, group: Sequence[Row]) -> list[str]:
        """Write rows of one partition, all or none."""
        self._note("write")
        rows = self._partitions.setdefault(group[0].entity["PartitionKey"], {})
        for row in group:
            present = rows.get(row.entity["RowKey"])
            if row.is_new and present is not None:
                raise AlreadyThere
            if row.etag is not None and (present is None or present["etag"] != row.etag):
                raise Conflict
        self._rows += sum(row.entity["RowKey"] not in rows for row in group)
        etags = [f"etag-{next(self._etags)}" for _ in group]
        for row, etag in zip(group, etags, strict=True):
            rows[row.entity["RowKey"]] = {**row.entity, "etag": etag}
        while self._rows > _MOST_ROWS:
            _, forgotten = self._partitions.popitem(last=False)
            self._rows -= len(forgotten)
        return etags


class _CountingQueue:
    """Takes messages and drops them, having turned them into text as the real one does."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, message: dict[str, Any], *, delay_seconds: float) -> None:
        json.dumps(message, separators=(",", ":"))
        assert delay_seconds >= 0
        self.sent += 1


class _Network(BaseAdapter):
    """Answers as Entra ID, the key announcement and Graph would, where a request would leave the process."""

    def __init__(self, jwk: dict[str, Any]) -> None:
        super().__init__()
        self.invites = 0
        self._fixed: dict[str, dict[str, Any]] = {
            f"{_AUTHORITY}/v2.0/.well-known/openid-configuration": {
                "issuer": f"{_AUTHORITY}/v2.0",
                "authorization_endpoint": f"{_AUTHORITY}/oauth2/v2.0/authorize",
                "token_endpoint": f"{_AUTHORITY}/oauth2/v2.0/token",
            },
            f"{_AUTHORITY}/oauth2/v2.0/token": {
                "token_type": "Bearer",
                "expires_in": 86_400,
                "access_token": "a" * 1_500,
            },
            _KEYS: {"jwks_uri": f"{_KEYS}/keys"},
            f"{_KEYS}/keys": {"keys": [jwk]},
        }

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Answer."""
        body = self._fixed.get(str(request.url))
        if body is None:
            self.invites += 1
            body = answer_to_invite(json.loads(request.body or b"{}"))
        response = requests.Response()
        response.status_code = 200
        response.url = str(request.url)
        response.request = request
        response.headers["Content-Type"] = "application/json"
        response.headers["request-id"] = "2a5c7e1f-9a4d-4c21-8f60-1f3b9d4e2b10"
        response._content = json.dumps(body).encode()  # noqa: SLF001
        return response

    def close(self) -> None:
        """Nothing is open."""


def answer_to_invite(asked: dict[str, Any]) -> dict[str, Any]:
    """Return Graph's documented answer to an invite."""
    return {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#commsOperations/$entity",
        "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
        "id": str(uuid.uuid4()),
        "status": "Running",
        "clientContext": asked["clientContext"],
    }


@dataclass
class Inside:
    """The app and what stands in for the outside."""

    app: bootstrap.App
    table: ForgetfulTable
    queue: Any
    network: Any
    private_key: rsa.RSAPrivateKey

    def token(self) -> str:
        """Return a token as Graph's callbacks carry it, signed anew, with claims that no other has."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": CLIENT, "tid": TENANT, "iat": now, "nbf": now, "exp": now + 3_900}
        return jwt.encode(
            {**claims, "serviceurl": uuid.uuid4().hex}, self.private_key, algorithm="RS256", headers={"kid": KEY_ID}
        )


def build() -> Inside:
    """Put the app together and make it the process's own."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    settings = load(
        {
            "GRAPH_TENANT_ID": TENANT,
            "GRAPH_CLIENT_ID": CLIENT,
            "GRAPH_CLIENT_SECRET": "benchmark~secret",
            "GRAPH_ENDPOINT": _GRAPH,
            "GRAPH_AUTHORITY": _AUTHORITY,
            "CALLBACK_OPENID_CONFIGURATION": _KEYS,
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            "PUBLIC_BASE_URL": "https://app.example",
        }
    )
    app = bootstrap.build(settings)
    table, queue, network = ForgetfulTable(), _CountingQueue(), _Network({**jwk, "kid": KEY_ID, "use": "sig"})
    calls = CallTable(table)  # type: ignore[arg-type]  # what it lacks is never asked here
    applying: Any = vars(app.receiving)["_applying"]
    for part in (app.inviting, app.reading, app.watchdog, app.outcomes, applying):
        vars(part)["_table"] = calls
    for part in (app.watchdog, app.outcomes):
        vars(part)["_queue"] = queue
    session: requests.Session = vars(vars(vars(app.inviting)["_sender"])["_graph"])["_session"]
    session.mount("https://", network)
    vars(bootstrap)["app"] = lambda: app
    return Inside(app, table, queue, network, key)


class _Nowhere(logging.Handler):
    """Formats each line, as any handler does, and writes it nowhere."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


def log_as_in_azure() -> None:
    """Let the log lines of level info be made, as the Functions worker does; they cost time too."""
    root = logging.getLogger()
    root.handlers[:] = [_Nowhere()]
    root.setLevel(logging.INFO)


def request(
    method: str,
    path: str,
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    **route: str,
) -> func.HttpRequest:
    """Return a request as the Functions worker hands it over."""
    content = b"" if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Host": "app.example", "User-Agent": "benchmark", **(headers or {})}
    return func.HttpRequest(
        method, f"https://app.example/api{path}", headers=given, params=params, route_params=route, body=content
    )
