"""From a request to a function and back, with routes and keys as the real host treats them."""

from __future__ import annotations

import hmac
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.functions.http import HttpRequest, HttpResponseConverter

from dev.host.http_server import HttpAnswer
from dev.host.routing import path_of, query_of
from dev.host.worker import FunctionFailed, TraceContext

if TYPE_CHECKING:
    from dev.host.admin import Admin
    from dev.host.app_model import App, HttpFunction
    from dev.host.http_server import HttpMessage
    from dev.host.worker import Worker

_log = logging.getLogger("dev.host")
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}
_STATUSES = range(200, 600)


class NotSent(ValueError):
    """What a function returned cannot be sent as a response."""


class HttpTrigger:
    """Responds by functions under the route prefix, and by ``admin`` under ``/admin/functions``."""

    def __init__(self, app: App, worker: Worker, admin: Admin, *, prefix: str, key: str) -> None:
        self._functions = [function for function in app.http if not function.is_disabled]
        self._worker = worker
        self._admin = admin
        self._prefix = f"{prefix}/".lower() if prefix else ""
        self._key = key.encode()

    def answer(self, request: HttpMessage) -> HttpAnswer:
        """Respond to a request; nothing is raised."""
        try:
            path, query = path_of(request.target), query_of(request.target)
        except ValueError:
            return HttpAnswer(HTTPStatus.BAD_REQUEST)
        is_allowed = self._is_key(request.headers.get("x-functions-key", query.get("code", "")))
        lower = path.lower()
        if lower == "admin/functions" or lower.startswith("admin/functions/"):
            if not is_allowed:
                return HttpAnswer(HTTPStatus.UNAUTHORIZED)
            return self._admin.answer(request, path[len("admin/functions/") :])
        if lower.startswith(self._prefix):
            for function in self._functions:
                values = function.template.match(path[len(self._prefix) :])
                if values is None or request.method not in function.methods:
                    continue
                if function.auth_level is not func.AuthLevel.ANONYMOUS and not is_allowed:
                    _log.info("%s: no key, or a wrong one", function.name)
                    return HttpAnswer(HTTPStatus.UNAUTHORIZED)
                return self._call(function, request, query, values)
        _log.info("%s: no function has this route and method", request.method)
        return HttpAnswer(HTTPStatus.NOT_FOUND)

    def _call(
        self, function: HttpFunction, request: HttpMessage, query: dict[str, str], values: dict[str, str]
    ) -> HttpAnswer:
        headers = request.headers
        argument = HttpRequest(
            method=request.method,
            url=f"http://{headers.get('host', '')}{request.target}",
            headers=headers,
            params=query,
            route_params=values,
            body_type="bytes",
            body=request.body,
        )
        trace = TraceContext.within(headers.get("traceparent", ""), headers.get("tracestate", ""))
        started = time.monotonic()
        try:
            response = _response(self._worker.run(function, argument, trace))
        except FunctionFailed:
            return HttpAnswer(HTTPStatus.INTERNAL_SERVER_ERROR)
        except NotSent:
            _log.exception("%s: the response cannot be sent", function.name)
            return HttpAnswer(HTTPStatus.INTERNAL_SERVER_ERROR)
        _log.info("Executed %s: %d in %.0f ms", function.name, response.status, 1e3 * (time.monotonic() - started))
        return response

    def _is_key(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._key)


def _response(result: Any) -> HttpAnswer:
    """Turn what a function returned into a response, by the library's own converter, as the worker does.

    Raises:
        NotSent: The real host would answer 500 instead of sending this.
    """
    if not isinstance(result, func.HttpResponse):
        raise NotSent(f"the function returned {type(result).__name__}, not an HttpResponse")
    sent = HttpResponseConverter.encode(result, expected_type=None).value
    status, body = int(sent["status_code"].value), sent["body"].value
    if status not in _STATUSES or (body and status in _WITHOUT_BODY):
        raise NotSent(f"a response cannot have status {status}, or not with a body")
    headers = [(name, value.value) for name, value in sent["headers"].items()]
    headers += [("Set-Cookie", one.OutputString()) for each in sent["cookies"] or () for one in each.values()]
    for name, value in headers:
        if not (name.isascii() and value.isascii() and (name + value).replace("\t", "").isprintable()):
            raise NotSent(f"the header {name!r} has characters that cannot be sent")
    return HttpAnswer(status, tuple(headers), body)
