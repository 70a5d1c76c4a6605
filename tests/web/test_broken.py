"""A package that is missing, or built for another Python: the functions load, and health names it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.configured import environment

ROOT = Path(__file__).parents[2]
# As a Functions worker: index the functions, then call some. argv: the module, and what importing it raises.
ASK = """
import importlib.abc, importlib.machinery, json, sys
broken, kind = sys.argv[1:]

class Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == broken else None
    def exec_module(self, module):
        if kind == "missing":
            raise ModuleNotFoundError(f"No module named {broken!r}", name=broken)
        if kind == "symbol":
            raise ImportError("/home/site/x.so: undefined symbol: _Py_Dealloc", name=broken)
        if kind == "exit":
            raise SystemExit("not on this machine")
        exec("raise SystemError('another version is required')", vars(module))

sys.meta_path.insert(0, Broken())
sys.path.insert(0, "")
import azure.functions as func
import function_app

functions = {one.get_function_name(): one for one in function_app.app.get_functions()}
for name, method, url in (("health", "GET", "health"), ("invite_participants", "POST", "calls/c/participants/invite"),
                          ("receive_notifications", "POST", "notifications")):
    request = func.HttpRequest(method, f"https://x/api/{url}", route_params={"callId": "c"}, body=b"{}")
    answer = functions[name].get_user_function()(request)
    print(json.dumps([len(functions), answer.status_code, json.loads(answer.get_body())]))
"""
IDENTITY: dict[str, str | None] = {
    "AzureWebJobsStorage": None,
    "AzureWebJobsStorage__accountName": "stinvites",
    "GRAPH_CLIENT_SECRET": None,
    "GRAPH_MANAGED_IDENTITY_CLIENT_ID": "system",
}


def _ask(module: str, kind: str, changes: dict[str, str | None]) -> tuple[list[tuple[int, int, str]], str]:
    asked = subprocess.run(
        [sys.executable, "-c", ASK, module, kind],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment(**changes)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [json.loads(line) for line in asked.stdout.splitlines()]
    return [(count, status, json.dumps(body)) for count, status, body in lines], asked.stderr


@pytest.mark.parametrize(
    ("module", "kind", "changes"),
    [
        ("pydantic", "missing", {}),
        ("pydantic_core._pydantic_core", "symbol", {}),
        ("pydantic_core", "version", {}),
        ("msal", "missing", {}),
        ("cryptography.hazmat.bindings._rust", "symbol", {}),
        ("azure.data.tables", "missing", {}),
        ("opentelemetry", "missing", {}),
        ("azure.identity", "missing", IDENTITY),
        ("flows.alarms", "missing", {}),
    ],
)
def test_named(module: str, kind: str, changes: dict[str, str | None]) -> None:
    """Health is 503 and names the module, the log too; other routes ask for the administrator."""
    answers, log = _ask(module, kind, changes)
    (count, status, health), *others = answers
    assert count > 15
    assert status == 503
    assert f"the module {module} can't be imported" in health
    assert "undefined symbol" not in health
    assert log.count(f"the module {module} can't be imported") == 1
    for _, status, body in others:
        assert (status, "AppNotConfigured" in body) == (503, True)


def test_a_package_that_exits() -> None:
    """It must not end the worker."""
    (_, status, health), *_ = _ask("cryptography.hazmat.bindings._rust", "exit", {})[0]
    assert status == 503
    assert "can't be imported" in health


def test_only_of_phone_numbers() -> None:
    """A package that only phone numbers need is named too."""
    (_, status, health), *_ = _ask("phonenumbers", "missing", {})[0]
    assert status == 503
    assert '"configuration", "status": "failed", "faults": ["the module phonenumbers can' in health


def test_only_of_the_queue() -> None:
    """A package that only messages need is named too."""
    (_, status, health), *_ = _ask("azure.storage.queue", "missing", {})[0]
    assert status == 503
    assert '"configuration", "status": "failed", "faults": ["the module azure.storage.queue can' in health


def test_cause_is_not_a_package() -> None:
    """Whatever else a handler of health meets, the host sees no exception."""
    code = """
import app, azure.functions as func
def fails(app): raise RuntimeError("secret")
app.edge._build = lambda: None
answer = app.edge.health(None, fails)
print(answer.status_code, answer.get_body().decode())
"""
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert asked.stdout.startswith("503 ")
    assert "can't be checked (RuntimeError)" in asked.stdout
    assert "secret" not in asked.stdout


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest.mark.parametrize("setting", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_ca_bundle(tmp_path: Path, setting: str, content: str | None) -> None:
    """A CA bundle that is not there, or holds no certificate, is named in health and the log."""
    file = tmp_path / "bundle.pem"
    if content is not None:
        file.write_text(content)
    ((_, status, health), *_), log = _ask("no.such.module", "missing", {setting: str(file)})
    assert status == 503
    assert f"{setting} names a CA bundle that can't be read" in health
    assert f"{setting} names a CA bundle that can't be read" in log
