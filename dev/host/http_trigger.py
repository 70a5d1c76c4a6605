"""From a request to a function and back, with routes and keys as the real host treats them."""

from __future__ import annotations

import hmac
import json
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.functions.http import HttpRequest

from dev.host.invocation import FunctionFailed
from dev.host.routing import path_segments, query_parameters
from dev.host.web import WebResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.host.app_model import App, HttpFunction
    from dev.host.invocation import Invoker
    from dev.host.web import WebRequest

_log = logging.getLogger("dev.host.command")
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}
_STATUSES = range(200, 600)
_NOT_FOUND = WebResponse(HTTPStatus.NOT_FOUND)
_UNAUTHORIZED = WebResponse(HTTPStatus.UNAUTHORIZED)
_FAILED = WebResponse(HTTPStatus.INTERNAL_SERVER_ERROR)
# The connection is the server's business.
_NOT_THE_FUNCTIONS = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class NotSent(ValueError):
    """What a function returned cannot be sent as a response."""


class HttpTrigger:
    """Answers requests: those under the route prefix by functions, those under ``/admin/functions`` by itself.

    ``at_once`` holds, by name, how to run the functions that have no route.
    """

    def __init__(
        self, app: App, invoker: Invoker, *, prefix: str, key: str, at_once: Mapping[str, Callable[[str], None]]
    ) -> None:
        self._functions = app.http
        self._invoker = invoker
        self._prefix = [part.casefold() for part in prefix.split("/") if part]
        self._key = key.encode()
        self._at_once = at_once

    def answer(self, request: WebRequest) -> WebResponse:
        """Answer a request; nothing is raised."""
        try:
            segments = path_segments(request.target)
        except ValueError:
            return WebResponse(HTTPStatus.BAD_REQUEST)
        if [part.casefold() for part in segments[:2]] == ["admin", "functions"] and len(segments) == 3:  # noqa: PLR2004
            return self._run_at_once(request, segments[2])
        prefix, path = segments[: len(self._prefix)], segments[len(self._prefix) :]
        if [part.casefold() for part in prefix] == self._prefix:
            for function in self._functions:
                values = function.template.match(path)
                if values is not None and request.method in function.methods:
                    return self._call(function, request, values)
        _log.info("%s %s: no function", request.method, request.target.partition("?")[0])
        return _NOT_FOUND

    def _call(self, function: HttpFunction, request: WebRequest, values: dict[str, str]) -> WebResponse:
        parameters = query_parameters(request.target)
        if function.auth_level is not func.AuthLevel.ANONYMOUS and not self._knows_key(request, parameters):
            _log.info("%s: no key, or a wrong one", function.name)
            return _UNAUTHORIZED
        started = time.monotonic()
        try:
            result = self._invoker.run(function, _functions_request(request, parameters, values))
            response = _response(result)
        except (FunctionFailed, NotSent):
            _log.exception("Executed %s: failed", function.name)
            return _FAILED
        _log.info("Executed %s: %d in %.0f ms", function.name, response.status, 1e3 * (time.monotonic() - started))
        return response

    def _run_at_once(self, request: WebRequest, name: str) -> WebResponse:
        if not self._knows_key(request, query_parameters(request.target)):
            return _UNAUTHORIZED
        run = self._at_once.get(name)
        if run is None or request.method != "POST":
            return _NOT_FOUND
        try:
            given = json.loads(request.body or b"{}")
            given = given.get("input", "")
        except (ValueError, AttributeError):
            return WebResponse(HTTPStatus.BAD_REQUEST)
        run(given if isinstance(given, str) else json.dumps(given))
        return WebResponse(HTTPStatus.ACCEPTED)

    def _knows_key(self, request: WebRequest, parameters: Mapping[str, str]) -> bool:
        given = request.header("x-functions-key")
        if given is None:
            given = next((value for name, value in parameters.items() if name.casefold() == "code"), "")
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._key)


def _functions_request(request: WebRequest, parameters: dict[str, str], values: dict[str, str]) -> func.HttpRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return HttpRequest(
        method=request.method,
        url=f"http://{headers.get('host', '')}{request.target}",
        headers=headers,
        params=parameters,
        route_params=values,
        body_type="bytes",
        body=request.body,
    )


def _response(result: Any) -> WebResponse:
    """Turn what a function returned into a response.

    Raises:
        NotSent: The real host would answer 500 instead of sending this.
    """
    if not isinstance(result, func.HttpResponse):
        raise NotSent(f"the function returned {type(result).__name__}, not an HttpResponse")
    body = result.get_body()
    status = int(result.status_code)
    if status not in _STATUSES:
        raise NotSent(f"{status} is not a status a function can answer with")
    if body and status in _WITHOUT_BODY:
        raise NotSent(f"a response with status {status} has no body")
    cookies = [("Set-Cookie", value) for value in result.headers.get_all("Set-Cookie")]
    # Of a repeated header the worker sends the last.
    headers = {name: value for name, value in result.headers.items() if name.lower() != "set-cookie"}
    if not any(name.lower() == "content-type" for name in headers):
        charset = f"; charset={result.charset}" if result.mimetype.startswith("text/") else ""
        headers["Content-Type"] = f"{result.mimetype}{charset}"
    sent = [(name, value) for name, value in headers.items() if name.lower() not in _NOT_THE_FUNCTIONS]
    for name, value in (*sent, *cookies):
        if not (name.isascii() and value.isascii() and (name + value).replace("\t", "").isprintable()):
            raise NotSent(f"the header {name!r} holds characters that cannot be sent")
    return WebResponse(status, (*sent, *cookies), body)
