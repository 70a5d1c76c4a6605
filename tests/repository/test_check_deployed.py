"""The check that ends a deployment, run for real against stand-ins of a deployed app and against this app itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[2]
_Answer = tuple[int, dict[str, str], Any]  # status, headers, body
_HEALTHY: _Answer = (200, {}, {"status": "healthy", "checks": []})
_UNHEALTHY: _Answer = (503, {}, {"status": "unhealthy", "checks": [{"faults": ["GRAPH_TENANT_ID is not set"]}]})
_CLOSED: _Answer = (401, {"x-ms-error-code": "NotFromGraph"}, {"error": {"code": "NotFromGraph"}})


@contextmanager
def _app(health: list[_Answer], notifications: list[_Answer]) -> Iterator[str]:
    """Give a stand-in's URL; it sends the entries of each list in turn, and repeats the last."""
    turns = {("GET", "/api/health"): list(health), ("POST", "/api/notifications"): list(notifications)}

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            left = turns[self.command, self.path]
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _check(address: str, *, tries: int = 3) -> tuple[int, str]:
    environment = {**os.environ, "TRIES": str(tries), "PAUSE": "0", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["/bin/sh", ".github/check_deployed.sh", address],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("end", ["", "/"])
def test_a_healthy_app_with_closed_callbacks_passes(end: str) -> None:
    """A good deployment is called good, however its address is written."""
    with _app([_HEALTHY], [_CLOSED]) as address:
        status, said = _check(address + end)
    assert status == 0, said
    assert "closed to everybody but Graph" in said
    assert "::error::" not in said


def test_an_app_that_starts_slowly_is_waited_for() -> None:
    """A cold start, and functions that are not loaded yet, are no failed deployment."""
    with _app([(404, {}, {}), (502, {}, {}), _HEALTHY], [(503, {}, {}), _CLOSED]) as address:
        status, said = _check(address)
    assert status == 0, said


def test_an_unhealthy_app_fails_and_says_why() -> None:
    """The log of the run says what is missing."""
    with _app([_UNHEALTHY], [_CLOSED]) as address:
        status, said = _check(address)
    assert status == 1
    assert "GRAPH_TENANT_ID is not set" in said
    assert "::error::" in said
    assert "503" in said


@pytest.mark.parametrize("health", [(404, {}, {}), (200, {}, {"status": "ok"}), (302, {"Location": "/"}, {})])
def test_another_page_in_the_place_of_the_app_fails(health: _Answer) -> None:
    """A welcome page, a sign-in page or an app without functions is not taken for this one."""
    with _app([health], [_CLOSED]) as address:
        status, said = _check(address)
    assert status == 1, said


def test_an_app_that_nobody_finds_fails() -> None:
    """A URL at which nothing responds is reported as such."""
    with _app([_HEALTHY], [_CLOSED]) as address:
        pass
    status, said = _check(address, tries=2)
    assert status == 1
    assert "the last answer was 000" in said


@pytest.mark.parametrize("status", [200, 202, 403, 404, 500])
def test_callbacks_that_are_open_or_missing_fail(status: int) -> None:
    """An app that accepts unsigned callbacks, or no callbacks at all, is reported."""
    with _app([_HEALTHY], [(status, {}, {})]) as address:
        code, said = _check(address)
    assert code == 1
    assert f"answered {status}" in said


@pytest.mark.parametrize("headers", [{}, {"x-ms-error-code": "Unauthorized"}])
def test_a_lock_that_is_not_this_apps_fails(headers: dict[str, str]) -> None:
    """A 401 of Easy Auth or of a key keeps Graph out as well."""
    with _app([_HEALTHY], [(401, headers, {})]) as address:
        status, said = _check(address)
    assert status == 1
    assert "Easy Auth" in said


def test_this_app_passes(azurite: str, storage_name: str, tmp_path: Path) -> None:
    """What the check asks for is what this app answers."""
    values = json.loads((_ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    del values["REQUESTS_CA_BUNDLE"]
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"Values": {**values, "AzureWebJobsStorage": azurite, "STATE_TABLE": storage_name}}))
    environment = {name: value for name, value in os.environ.items() if name not in values}
    command = [sys.executable, "-m", "dev.host", "--port", "0", "--key", "key", "--settings", str(settings)]
    with subprocess.Popen(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as host:
        try:
            assert host.stdout is not None
            lines = iter(host.stdout)
            found = next((match for line in lines if (match := re.search(r"listening on (\S+)$", line))), None)
            assert found, "the host did not start"
            status, said = _check(found[1])
        finally:
            host.kill()
    assert status == 0, said
