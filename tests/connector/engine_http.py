"""HTTP as the flow engine does it: its own headers, the default retry policy, polling after a 202, callbacks."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode, urlsplit

import requests

from connector.routes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_POLL_SECONDS = 20
MOST_RETRIES = 4
_RETRY_SECONDS = 7.5
_RETRIED = {408, 429}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int | None
    """None if the server could not be reached."""
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, for tests to look at."""

    method: str
    url: str
    headers: Mapping[str, str]
    status: int


@dataclass(slots=True)
class Wire:
    """Sends requests of one run.

    Args:
        scale: what one of the engine's seconds lasts.
    """

    scale: float = 0.02
    log: list[Sent] = field(default_factory=list)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Reply:
        """Send once, and again by the default retry policy: 408, 429, 5xx and broken connections."""
        for attempt in range(MOST_RETRIES + 1):
            reply = self._once(method, url, headers, body)
            is_retried = reply.status is None or reply.status in _RETRIED or reply.status >= 500
            if not is_retried or attempt == MOST_RETRIES:
                return reply
            wanted = reply.headers.get("Retry-After", "")
            self.sleep(max(_RETRY_SECONDS, int(wanted) if wanted.isdigit() else 0))
        raise AssertionError

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = requests.request(
                method, url, headers=dict(headers), data=content, timeout=120, allow_redirects=False
            )
        except requests.RequestException:
            self.log.append(Sent(method, url, headers, 0))
            return Reply(None, {}, None)
        self.log.append(Sent(method, url, headers, answer.status_code))
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Reply(answer.status_code, answer.headers, answer.json() if is_json and answer.content else answer.text)

    def polled(self, reply: Reply, ask: Callable[[str], Reply], deadline: float) -> Reply | None:
        """Follow a 202 until another status; None where time runs out.

        Args:
            reply: the first response.
            ask: GETs a URL.
            deadline: of ``time.monotonic``.
        """
        while reply.status == 202:
            location = reply.headers["Location"]
            assert urlsplit(location).scheme, "the Location has to be absolute"
            self.sleep(int(reply.headers.get("Retry-After", DEFAULT_POLL_SECONDS)))
            if time.monotonic() > deadline:
                return None
            reply = ask(location)
        return reply

    def sleep(self, seconds: float) -> None:
        """Let the engine's seconds pass."""
        time.sleep(seconds * self.scale)


class Callbacks(ThreadingHTTPServer):
    """Where waiting actions are called back: a URL for each, valid for one POST."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Callback)
        self.port = int(self.server_address[1])
        self.waiting: dict[str, tuple[threading.Event, list[Any]]] = {}
        self.statuses: list[int] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def new_url(self) -> str:
        """Return what ``listCallbackUrl()`` returns."""
        path = f"/workflows/w/runs/r/actions/{secrets.token_hex(8)}/run"
        self.waiting[path] = (threading.Event(), [])
        query = urlencode({"api-version": "2016-06-01", "sp": "/runs/r", "sv": "1.0", "sig": secrets.token_urlsafe(32)})
        return f"http://127.0.0.1:{self.port}{path}?{query}"

    def deliver(self, url: str, body: Any) -> bool:
        """Return whether a POST to a URL is waited for, and give its body to who waits."""
        found = self.waiting.get(urlsplit(url).path)
        if found is not None:
            found[1].append(body)
            found[0].set()
        return found is not None

    def outcome(self, url: str, seconds: float) -> Any:
        """Wait for the POST to a URL and return its body; None if it does not arrive in time."""
        path = urlsplit(url).path
        event, bodies = self.waiting[path]
        came = event.wait(seconds)
        del self.waiting[path]
        return bodies[0] if came else None


class _Callback(BaseHTTPRequestHandler):
    server: Callbacks

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 200 if self.server.deliver(self.path, body) else 404
        self.server.statuses.append(status)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def connector_files() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the connector's definition and its properties."""
    definition = json.loads((ROOT / "connector" / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
    properties = json.loads((ROOT / "connector" / "apiProperties.json").read_text(encoding="utf-8"))["properties"]
    return definition, properties


class Gateway:
    """The platform's gateway with one connection: it has the definition, adds the key and hides the URL of the app."""

    PREFIX = "https://0123456789abcdef.07.common.europe.azure-apihub.net/apim/callinvites/5f6e7d8c9b0a"

    def __init__(
        self, definition: dict[str, Any], properties: Mapping[str, Any], app: str, key: str, wire: Wire
    ) -> None:
        self._definition = definition
        self._routes = {
            operation: policy["parameters"]["x-ms-apimTemplateParameter.newPath"]
            for policy in properties["policyTemplateInstances"]
            if policy["templateId"] == "routerequesttoendpoint"
            for operation in policy["parameters"]["x-ms-apimTemplate-operationName"]
        }
        self._base = app + definition["basePath"]
        self._key = key
        self._wire = wire

    def call(
        self, operation_id: str, given: Mapping[str, Any], headers: Mapping[str, str], callback_url: str | None = None
    ) -> Reply:
        """Do an operation of the definition, with parameters named as the designer names them."""
        path, method, operation = self._operation(operation_id)
        rest, query, body = dict(given), {}, {}
        for parameter in operation["parameters"]:
            name = parameter["name"]
            if parameter["in"] == "body":
                body = dict[str, Any]()
                for key in [key for key in rest if key.startswith("body/")]:
                    _put(parameter["schema"], body, key.removeprefix("body/"), rest.pop(key))
                _fill_in_url(parameter["schema"], body, callback_url)
                missing = set(parameter["schema"]["required"]) - body.keys()
                assert not missing, f"the designer would not save this: {missing}"
            elif parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", quote(str(rest.pop(name)), safe=""))
            elif name in rest:
                query[name] = str(rest.pop(name))
        assert not rest, f"the definition has no parameters {list(rest)}"
        path = self._routes.get(operation_id, path)
        return self._forward(method, path + (f"?{urlencode(query)}" if query else ""), headers, body or None)

    def follow(self, method: str, location: str, headers: Mapping[str, str]) -> Reply:
        """Request a URL that the app returned: it must be behind this gateway and declared in the definition."""
        assert location.startswith(self.PREFIX + "/"), f"{location} would be asked without the connection"
        rest = location.removeprefix(self.PREFIX)
        declared = any(
            re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), urlsplit(rest).path) and method.lower() in item
            for path, item in self._definition["paths"].items()
        )
        assert declared, f"{rest} is not declared"
        return self._forward(method, rest, headers, None)

    def _forward(self, method: str, rest: str, headers: Mapping[str, str], body: Any) -> Reply:
        more = {
            "x-functions-key": self._key,
            "X-MS-APIM-Referrer-Prefix": self.PREFIX,
            "X-MS-APIM-Referrer": self.PREFIX + rest,
            "Content-Type": "application/json",
        }
        return self._wire.request(method, self._base + rest, {**headers, **more}, body)

    def _operation(self, operation_id: str) -> tuple[str, str, Any]:
        return next(
            (path, method, operation)
            for path, item in self._definition["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and operation.get("operationId") == operation_id
        )


def _put(schema: Any, body: dict[str, Any], name: str, value: Any) -> None:
    """Set a property; the designer writes one of an object inside the body with a slash."""
    first, _, more = name.partition("/")
    assert first in schema["properties"], f"the definition has no property {name}"
    if more:
        _put(schema["properties"][first], body.setdefault(first, {}), more, value)
    else:
        body[first] = value


def _fill_in_url(schema: Any, body: dict[str, Any], callback_url: str | None) -> None:
    for name, member in schema["properties"].items():
        if member.get("x-ms-notification-url"):
            assert callback_url is not None, "this operation needs a webhook action"
            body[name] = callback_url
