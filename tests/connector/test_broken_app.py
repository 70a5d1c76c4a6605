"""Each sample flow where the app can't be reached, is down, or is behind something that answers in its place."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.connector import expressions, referee
from tests.connector.interpreter import printed
from tests.connector.workflow_engine import Engine, NotInstallable, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.connector.conftest import Running
    from tests.connector.referee import Referee

BODY: dict[str, Any] = {name: value for name, value in referee.TRIGGER.items() if name != "callId"}
# The action that a flow ends with where it could not invite.
NO_ONE = {
    "invite-and-wait": "Not_invited",
    "http-webhook": "Not_invited",
    "invite-and-poll": "No_one_accepted",
}


@contextmanager
def _server(status: int, kind: str, content: str) -> Iterator[str]:
    """Run a server that answers everything alike; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if kind:
                self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("name", NO_ONE)
@pytest.mark.parametrize(
    ("status", "kind", "content"),
    [
        (503, "text/plain", "Function host is not running."),
        (502, "text/html", "<html>"),
        (401, "", ""),
        (403, "", "[]"),
    ],
)
def test_app_does_not_explain(running: Running, name: str, status: int, kind: str, content: str) -> None:
    """Where a response has no message, the flow names its status code."""
    with _server(status, kind, content) as url:
        run = running.run(name, scale=0.0002, app=url, callId="c", **BODY)
    assert f"Status code: {status}." in run.outputs(NO_ONE[name]), printed(run)


@pytest.mark.parametrize("name", NO_ONE)
def test_app_is_not_reached(running: Running, name: str) -> None:
    """Without any response, the flow says so."""
    run = running.run(name, scale=0.0002, app="http://127.0.0.1:9", callId="c", **BODY)
    assert "Status code: none." in run.outputs(NO_ONE[name]), printed(run)


@pytest.mark.prove
@pytest.mark.parametrize("name", NO_ONE)
def test_with_microsofts_engine(running: Running, name: str) -> None:
    """The flows do the same where Microsoft's engine evaluates every expression."""
    try:
        install(referee.FOLDER)
    except NotInstallable as error:
        pytest.skip(f"Microsoft's workflow engine can't be installed here: {error}")

    with Engine(referee.FOLDER) as engine, _server(503, "text/plain", "Function host is not running.") as url:

        def steps(evaluator: Referee) -> list[tuple[str, str, Any]]:
            runs = [
                running.run(name, referee=evaluator, callId=running.new_call(), **BODY),
                running.run(name, referee=evaluator, scale=0.0002, app=url, callId="c", **BODY),
            ]
            return [
                (step.name, step.status, run.outputs(step.name) if step.code is None else step.code)
                for run in runs
                for step in run.steps
            ]

        assert steps(engine) == steps(expressions)
