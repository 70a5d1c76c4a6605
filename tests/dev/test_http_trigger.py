from __future__ import annotations

import asyncio
import functools
import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import azure.functions as func
import pytest

from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from tests.dev.conftest import Serve

_ANONYMOUS = func.AuthLevel.ANONYMOUS


def _echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


def _echoing(route: str, **more: Any) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=_ANONYMOUS)
    app.route(route=route, **more)(_echo)
    return app


def _answering(response: Any) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=_ANONYMOUS)

    @app.route(route="answer")
    def answer(req: func.HttpRequest) -> func.HttpResponse:
        if isinstance(response, Exception):
            raise response
        return response  # type: ignore[no-any-return]

    return app


def test_route_method_and_body_reach_the_function(serve: Serve) -> None:
    """A function gets method, address, body and the route's values, always as strings."""
    client = serve(_echoing("calls/{callId}/items/{number}", methods=["POST"]))
    reply = client.ask("POST", "/api/calls/c-1/items/42?a=1", body=b'{"x": 1}')
    seen = json.loads(reply.body)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert seen["method"] == "POST"
    assert seen["url"] == f"http://127.0.0.1:{client.port}/api/calls/c-1/items/42?a=1"
    assert seen["route"] == {"callId": "c-1", "number": "42"}
    assert seen["body"] == '{"x": 1}'


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/only/post"),
        ("FROB", "/api/only/post"),
        ("POST", "/only/post"),
        ("POST", "/api/only"),
        ("POST", "/api/only/post/more"),
        ("POST", "/"),
        ("POST", "/admin/functions/_echo"),
        ("GET", "/admin/functions/other"),
        ("GET", "/admin/host/status"),
    ],
)
def test_unknown_routes_and_methods_are_404(serve: Serve, method: str, target: str) -> None:
    """Whatever no function takes is 404 with an empty body, a wrong method too."""
    reply = serve(_echoing("only/post", methods=["POST"])).ask(method, target)
    assert (reply.status, reply.body) == (404, b"")


def test_the_first_function_by_name_wins(serve: Serve) -> None:
    """If two routes fit, the function whose name sorts first runs."""
    app = func.FunctionApp(http_auth_level=_ANONYMOUS)

    @app.route(route="items/search")
    def b_search(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("search")

    @app.route(route="items/{id}", methods=["GET"])
    def a_item(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("item")

    client = serve(app)
    assert client.ask("GET", "/api/items/search").body == b"item"
    assert client.ask("POST", "/api/items/search").body == b"search"


def test_the_route_prefix_comes_from_host_json(serve: Serve) -> None:
    """The prefix is host.json's, and may be empty."""
    assert serve(_echoing("x"), http={"routePrefix": "v1/rest"}).ask("GET", "/V1/rest/X").status == 200
    assert serve(_echoing("x"), http={"routePrefix": ""}).ask("GET", "/x").status == 200


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ([], "", 401),
        ([], "?code=wrong", 401),
        ([], "?code=the-key", 200),
        ([("x-functions-key", "the-key")], "", 200),
        ([("X-Functions-Key", "wrong")], "?code=the-key", 401),
        ([("x-functions-key", "the-key")], "?code=wrong", 200),
        ([("x-functions-key", "")], "", 401),
        ([("x-functions-key", "schl\u00fcssel")], "", 401),
    ],
)
@pytest.mark.parametrize("level", [func.AuthLevel.FUNCTION, func.AuthLevel.ADMIN])
def test_keys(serve: Serve, level: func.AuthLevel, headers: list[tuple[str, str]], query: str, status: int) -> None:
    """Without the key the answer is 401 and empty; the header counts before the query."""
    encoded = [(name, value.encode().decode("latin-1")) for name, value in headers]
    client = serve(_echoing("x", auth_level=level))
    reply = client.ask("GET", f"/api/x{query}", headers=encoded, key=None)
    assert reply.status == status
    assert (reply.body == b"") == (status == 401)


def test_anonymous_functions_need_no_key(serve: Serve) -> None:
    """An anonymous function answers anyone, also with a wrong key."""
    client = serve(_echoing("x"))
    assert client.ask("GET", "/api/x", key=None).status == 200
    assert client.ask("GET", "/api/x", key="wrong").status == 200


def test_the_apps_auth_level_holds_where_a_route_names_none(serve: Serve) -> None:
    """A route without a level has the app's, which is `function` unless said otherwise."""
    app = func.FunctionApp()
    app.route(route="x")(_echo)
    assert serve(app).ask("GET", "/api/x", key=None).status == 401


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("a%2Fb", "a%2Fb"),
        ("a%2fb", "a%2fb"),
        ("a%20b%3F%23", "a b?#"),
        ("%C3%A9t%C3%A9%2F", "\u00e9t\u00e9%2F"),
        ("%F0%9F%98%80", "\U0001f600"),
        ("%FF%41", "\ufffdA"),
        ("100%25", "100%"),
        ("%252F", "%2F"),
        ("a+b", "a+b"),
        ("%zz", "%zz"),
        ("19:meeting_x@thread.v2", "19:meeting_x@thread.v2"),
        (".%2Fx", ".%2Fx"),
    ],
)
def test_escapes_in_a_route_are_decoded_but_for_slashes(serve: Serve, encoded: str, value: str) -> None:
    """A route's value is decoded once; an encoded slash stays encoded and splits nothing."""
    reply = serve(_echoing("calls/{id}/end")).ask("GET", f"/api/calls/{encoded}/end")
    assert json.loads(reply.body)["route"] == {"id": value}


@pytest.mark.parametrize("target", ["/api/calls/a/../b", "/api/calls/a/%2e%2e/b", "/x/../api/./calls/b/"])
def test_dot_segments_never_reach_a_function(serve: Serve, target: str) -> None:
    """Dot segments are taken out before a route is looked for, also encoded ones."""
    assert json.loads(serve(_echoing("calls/{id}")).ask("GET", target).body)["route"] == {"id": "b"}


def test_headers_are_lower_case_and_repeats_are_joined(serve: Serve) -> None:
    """Header names come in lower case, a repeated header as one with commas."""
    reply = serve(_echoing("x")).ask("GET", "/api/x", headers=[("X-A-b", "1"), ("x-a-B", "2"), ("X-E", "")])
    headers = json.loads(reply.body)["headers"]
    assert headers["x-a-b"] == "1, 2"
    assert headers["x-e"] == ""
    assert all(name == name.lower() for name in headers)


def test_empty_query_values_are_dropped_and_repeats_are_joined(serve: Serve) -> None:
    """A query parameter without a value is missing; repeated ones are joined by a comma."""
    reply = serve(_echoing("x")).ask("GET", "/api/x?a=1&empty=&a=2&flag&space=a+b%20c&u=%C3%A9")
    assert json.loads(reply.body)["params"] == {"a": "1,2", "space": "a b c", "u": "\u00e9"}


def test_a_chunked_body_arrives_empty(serve: Serve) -> None:
    """A body sent in chunks is empty for the function, and the connection stays usable."""
    client = serve(_echoing("x"))
    reply = client.ask("POST", "/api/x", body=iter([b"hello", b"world"]))
    assert (reply.status, json.loads(reply.body)["body"]) == (200, "")
    assert json.loads(client.ask("POST", "/api/x", body=b"again").body)["body"] == "again"


def test_connections_are_kept(serve: Serve) -> None:
    """Many requests go over one connection."""
    client = serve(_echoing("x"))
    client.ask("GET", "/api/x")
    kept = client.connection.sock
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert client.ask(method, "/api/x").status == 200
    assert client.ask("GET", "/no-such-route").status == 404
    assert client.connection.sock is kept


def test_a_body_over_100_mb_is_refused(serve: Serve) -> None:
    """A body that is announced as larger than 100 MB is refused unread."""
    client = serve(_echoing("x"))
    reply = client.ask("POST", "/api/x", headers=[("Content-Length", str(100 * 1024 * 1024 + 1))])
    assert reply.status == 413


@pytest.mark.parametrize("length", ["-1", "x", "1_0", "+5"])
def test_a_bad_length_is_refused(serve: Serve, length: str) -> None:
    """A Content-Length that is no number is 400."""
    assert serve(_echoing("x")).ask("POST", "/api/x", headers=[("Content-Length", length)]).status == 400


@pytest.mark.parametrize(
    "response",
    [
        None,
        {"a": 1},
        ["a"],
        func.HttpResponse("body", status_code=204),
        func.HttpResponse(status_code=99),
        func.HttpResponse(headers={"x-name": "J\u00fcrgen"}),
        RuntimeError("boom"),
    ],
)
def test_what_cannot_be_sent_is_500(serve: Serve, response: Any) -> None:
    """A function that raises, or returns no proper response, is 500 with an empty body."""
    reply = serve(_answering(response)).ask("GET", "/api/answer")
    assert (reply.status, reply.body) == (500, b"")


def test_a_failure_is_reported_with_all_causes(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard error shows what the real host gets: the texts of the exception and of its causes, past every filter."""
    error = RuntimeError("outer text")
    error.__cause__ = ValueError("inner text")
    logging.setLogRecordFactory(lambda *_, **__: logging.makeLogRecord({"msg": "redacted"}))
    try:
        serve(_answering(error)).ask("GET", "/api/answer")
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    reported = capfd.readouterr().err
    assert "Executed 'Functions.answer' (Failed, Id=" in reported
    assert "Exception: RuntimeError: outer text\n" in reported
    assert "ValueError: inner text" in reported


def test_headers_and_cookies_go_out(serve: Serve) -> None:
    """Status, headers and each cookie arrive; text is UTF-8 unless said otherwise."""
    response = func.HttpResponse("\u00e9", status_code=202, headers={"Location": "/x", "Set-Cookie": "a=1"})
    response.headers.add("Set-Cookie", "b=2")
    reply = serve(_answering(response)).ask("GET", "/api/answer")
    assert (reply.status, reply.body) == (202, "\u00e9".encode())
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["location"] == "/x"
    assert reply.cookies == ["a=1", "b=2"]


def test_a_response_without_body(serve: Serve) -> None:
    """204 goes out without body and without length."""
    reply = serve(_answering(func.HttpResponse(status_code=204))).ask("GET", "/api/answer")
    assert (reply.status, reply.body, reply.headers.get("content-length")) == (204, b"", None)


def test_plain_functions_run_side_by_side(serve: Serve) -> None:
    """Blocking functions run on threads, so that one does not hold up another."""
    app = func.FunctionApp(http_auth_level=_ANONYMOUS)
    together = threading.Barrier(8)

    @app.route(route="meet")
    def meet(req: func.HttpRequest) -> func.HttpResponse:
        together.wait(timeout=20)
        return func.HttpResponse("met")

    port = serve(app).port
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: _get(port, "/api/meet"), range(8))) == [b"met"] * 8


def test_async_functions_share_a_loop(serve: Serve) -> None:
    """Async functions are awaited together on one loop, and see their own invocation's context."""
    app = func.FunctionApp(http_auth_level=_ANONYMOUS)
    seen: list[object] = []

    @app.route(route="nap")
    async def nap(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        seen.append(asyncio.get_running_loop())
        await asyncio.sleep(0.3)
        return func.HttpResponse(f"{context.function_name} {context.invocation_id}")

    port = serve(app).port
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: _get(port, "/api/nap"), range(8)))
    assert time.monotonic() - started < 8 * 0.3
    assert len(answers) == 8
    assert all(answer.startswith(b"nap ") for answer in answers)
    assert len({id(loop) for loop in seen}) == 1


def test_the_trace_goes_on(serve: Serve) -> None:
    """An invocation has a trace context: in the trace that the request names, else in a new one."""
    app = func.FunctionApp(http_auth_level=_ANONYMOUS)

    @app.route(route="trace")
    def trace(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        given: Any = context.trace_context
        assert (given.trace_parent, given.trace_state) == (given.Traceparent, given.Tracestate)
        return func.HttpResponse(f"{given.Traceparent} {given.Tracestate}")

    client = serve(app)
    parent, state = f"00-{'a' * 32}-{'b' * 16}-00", "vendor=1"
    inside = client.ask("GET", "/api/trace", headers=[("traceparent", parent), ("tracestate", state)]).body.decode()
    assert re.fullmatch(rf"00-{'a' * 32}-(?!b{{16}})[0-9a-f]{{16}}-00 vendor=1", inside)
    outside = {client.ask("GET", "/api/trace", headers=[("traceparent", "bad")]).body.decode() for _ in range(2)}
    assert len(outside) == 2
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01 ", each) for each in outside)


def test_functions_are_listed_with_the_key(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """`GET /admin/functions` has each function's name, URL and bindings in the real host's form."""
    monkeypatch.setenv("AzureWebJobs.tick.Disabled", "1")
    app = func.FunctionApp()
    app.route(route="calls/{callId}", methods=["GET"])(_echo)

    @app.timer_trigger(arg_name="timer", schedule="0 30 2 * * *")
    def tick(timer: func.TimerRequest) -> None:
        """Never run."""

    client = serve(app)
    assert client.ask("GET", "/admin/functions", key=None).status == 401
    reply = client.ask("GET", "/admin/functions")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    echo, timer = json.loads(reply.body)
    base = f"http://127.0.0.1:{client.port}"
    assert (echo["name"], echo["isDisabled"], echo["language"]) == ("_echo", False, "python")
    assert echo["href"] == f"{base}/admin/functions/_echo"
    assert echo["invoke_url_template"] == f"{base}/api/calls/{{callid}}"
    assert echo["config"]["bindings"][0] == {
        "direction": "IN",
        "type": "httpTrigger",
        "name": "req",
        "methods": ["GET"],
        "authLevel": "FUNCTION",
        "route": "calls/{callId}",
    }
    assert (timer["name"], timer["isDisabled"], timer["invoke_url_template"]) == ("tick", True, None)
    assert json.loads(client.ask("GET", "/admin/functions/tick").body) == timer


@pytest.mark.parametrize(("value", "status"), [("true", 404), ("1", 404), ("True", 404), ("false", 200), ("", 200)])
def test_a_disabled_route_is_404(serve: Serve, monkeypatch: pytest.MonkeyPatch, value: str, status: int) -> None:
    """A function that a setting disables is missing."""
    monkeypatch.setenv("AzureWebJobs._echo.Disabled", value)
    assert serve(_echoing("x")).ask("GET", "/api/x").status == status


@pytest.mark.parametrize("route", ["/x", "admin/x", "runtime", "x/{a", "x/{a:regex}", "x/{*rest}/y"])
def test_bad_routes_are_named(serve: Serve, route: str) -> None:
    """A route that the real host refuses, or this one doesn't have, stops the start and names the function."""
    with pytest.raises(CannotStart, match=r"Function _echo: .*route"):
        serve(_echoing(route))


def _lonely(req: func.HttpRequest, other: str) -> func.HttpResponse:
    return func.HttpResponse(other)


def _maybe(req: func.HttpRequest) -> func.HttpResponse | None:
    return None


def _partial() -> Any:
    made = functools.partial(_echo)
    made.__name__ = "made"  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(
    ("handler", "fault"),
    [(_lonely, "_lonely.*other"), (_maybe, "_maybe.*return.*plain class"), (_partial(), "plain function")],
)
def test_handlers_that_lose_the_app_are_named(serve: Serve, handler: Any, fault: str) -> None:
    """What the real worker can't index stops the start: a parameter without a binding, a union, a partial."""
    app = func.FunctionApp()
    app.route(route="x")(handler)
    with pytest.raises(CannotStart, match=fault):
        serve(app)


def test_unknown_bindings_are_named(serve: Serve) -> None:
    """A binding or trigger that this host does not have stops the start."""
    app = func.FunctionApp()

    @app.blob_trigger(arg_name="blob", path="c/{name}", connection="AzureWebJobsStorage")
    def on_blob(blob: func.InputStream) -> None:
        """Never run."""

    with pytest.raises(CannotStart, match=r"on_blob.*blobTrigger"):
        serve(app)


def _get(port: int, target: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}{target}", timeout=30) as reply:
        content: bytes = reply.read()
        return content
