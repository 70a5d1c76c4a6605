"""The app on Microsoft's own worker library, as it runs in Azure on Python 3.13."""

from __future__ import annotations

import base64
import json
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dev.host import app_model
from dev.simulator import Simulator
from tests.dev.worker.client import TRACE, RealWorker, Response, real_worker
from tests.dev.worker.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.functions import FunctionApp

    from tests.dev.conftest import Serve

_KINDS = Path(__file__).with_name("kinds")
_SERVERS = {"content-length", "date", "connection", "set-cookie"}
_PHONE = "+12065550100"
_FLOW = "localhost:9"


def _declared() -> app_model.App:
    return app_model.read(runpy.run_path(str(ROOT / "function_app.py"))["app"])


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A Graph of this module's own, since its calls report to no app."""
    with Simulator(time_scale=0.01) as graph:
        yield graph


@pytest.fixture(scope="module")
def worker(simulator: Simulator, azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorker]:
    """The app on the worker library, with storage and Graph."""
    settings = {
        **simulator.settings(),
        "AzureWebJobsStorage": azurite,
        "PUBLIC_BASE_URL": "https://app.example",
        "STATE_TABLE": "worker",
        "FLOW_CALLBACK_LOCAL_HOSTS": _FLOW,
    }
    with real_worker(ROOT, settings, tmp_path_factory.mktemp("worker") / "log.txt") as running:
        yield running


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorker]:
    """An app with a function of each kind, on the worker library."""
    with real_worker(_KINDS, {}, tmp_path_factory.mktemp("kinds") / "log.txt") as running:
        yield running


def _kinds() -> FunctionApp:
    app: FunctionApp = runpy.run_path(str(_KINDS / "function_app.py"))["app"]
    return app


def test_handlers_are_what_the_worker_takes() -> None:
    """Every handler is a plain function with plain annotations, on whatever Python this runs."""
    assert list(_declared())


def test_every_function_is_indexed(worker: RealWorker) -> None:
    """The worker finds each function with the route, methods and level, queue or schedule that the local host finds."""
    assert worker.indexed["status"] == "Success", worker.indexed["message"]
    declared = {each.name: list(each.bindings) for each in _declared()}
    assert {each["name"]: each["bindings"] for each in worker.indexed["functions"]} == declared


def test_every_function_runs(worker: RealWorker) -> None:
    """Whatever the input, each run succeeds: a response with string headers, or a message that is done with."""
    for name, trigger in worker.functions.items():
        if trigger["type"] == "queueTrigger":
            for body in (b"", b"{}", b"\xff", b'{"v": 1}', b'{"kind": "unknown"}'):
                result = worker.queue(name, body)
                assert result["status"] == "Success", (name, body, result["message"])
        elif trigger["type"] == "timerTrigger":
            assert worker.timer(name)["status"] == "Success"
        else:
            values = dict.fromkeys(re.findall(r"\{(\w+)\}", trigger["route"]), "\u00e9 x")
            for method in trigger["methods"]:
                for body in (b"", b"{}", b"\xff"):
                    result = worker.call(name, method, "/api/x?token=y", values, body=body)
                    assert result["status"] == "Success", (name, result["message"])
                    response = result["http"]
                    assert 200 <= int(response["status"]) < 500, name
                    assert all(isinstance(value, str) and value.isascii() for value in response["headers"].values())


def test_a_response_of_each_kind(worker: RealWorker, simulator: Simulator) -> None:
    """An invitation from the request to its outcome: 202, 201, 200, 204, and the errors, with their headers."""
    call = simulator.create_call("https://127.0.0.1:9/api/notifications")
    api = f"/api/calls/{call}"
    body: dict[str, Any] = {"participants": [{"identity": {"phone": {"id": _PHONE}}}], "clientContext": "worker-1"}
    accepted = _post(worker, f"{api}/participants/invite", body)
    assert accepted.status == 202
    assert accepted.headers["content-type"].startswith("application/json")
    assert int(accepted.headers["Retry-After"]) > 0
    polled = worker.request("GET", accepted.headers["Location"].removeprefix("https://app.example"))
    assert polled.status in {200, 202, 422}
    waiting = {**body, "clientContext": "worker-2", "callbackUrl": f"http://{_FLOW}/x"}
    subscribed = _post(worker, f"{api}/participants/invite-and-wait", waiting)
    assert subscribed.status == 201
    assert worker.request("GET", f"{api}/invitations").status == 200
    assert json.loads(worker.request("GET", "/api/health").body)["status"] == "healthy"
    assert worker.request("GET", f"{api}/invitations/none").status == 404
    assert _post(worker, f"{api}/participants/invite", {}).status == 400
    unsigned = _post(worker, "/api/notifications", {"value": []})
    assert (unsigned.status, unsigned.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("kind", ["seen", "text", "bytes", "empty", "headers", "charset", "cookies"])
def test_the_local_host_responds_as_the_worker(serve: Serve, kinds: RealWorker, kind: str) -> None:
    """What a function sees, and what is sent of its response, is the same on both."""
    target, headers = f"/api/kinds/{kind}?q=1&q=2", {"x-name": "v", "traceparent": f"00-{TRACE}-{'b' * 16}-01"}
    real = kinds.call("respond", "POST", target, {"kind": kind}, body=b"\xc3\xa9", headers=headers)["http"]
    local = serve(_kinds()).ask("POST", target, body=b"\xc3\xa9", headers=headers.items())
    assert (str(local.status), local.body) == (real["status"], base64.b64decode(real["body"]))
    sent = {name: value for name, value in local.headers.items() if name not in _SERVERS}
    assert sent == {name.lower(): value for name, value in real["headers"].items()}
    assert [cookie.partition(";")[0] for cookie in local.cookies] == real["cookies"]


@pytest.mark.parametrize("kind", ["nothing", "mapping", "raises"])
def test_the_local_host_fails_as_the_worker(serve: Serve, kinds: RealWorker, kind: str) -> None:
    """What the worker reports as a failure is 500 on the local host."""
    assert kinds.call("respond", "POST", "/api/x", {"kind": kind})["status"] == "Failure"
    assert serve(_kinds()).ask("POST", f"/api/kinds/{kind}", body=b"").status == 500


def test_a_queue_function_returns_nothing(kinds: RealWorker) -> None:
    """The worker fails a run that returns a value, as the local host does."""
    assert kinds.queue("work", b"null")["status"] == "Success"
    assert "$return" in kinds.queue("work", b"1")["message"]


def test_a_failed_run_gives_nothing_away(simulator: Simulator, tmp_path: Path) -> None:
    """Where storage can't be reached, what the worker sends to the host has no secret, number or id of a person."""
    storage = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0LWtleQ==;"
    storage += "".join(f"{name}Endpoint=http://127.0.0.1:9/devstoreaccount1;" for name in ("Blob", "Queue", "Table"))
    graph = simulator.settings()
    settings = {**graph, "AzureWebJobsStorage": storage, "PUBLIC_BASE_URL": "https://app.example"}
    text = json.dumps({"v": 1, "kind": "check", "call": _PHONE, "callId": _PHONE, "invitationId": _PHONE})
    failed = []
    with real_worker(ROOT, settings, tmp_path / "log.txt") as worker:
        # The queues of the previous release run the same code, and each run waits for storage for seconds.
        for name, result in (
            ("work", worker.queue("work", text.encode())),
            ("forget_old_calls", worker.timer("forget_old_calls")),
        ):
            failed += [name] if result["status"] == "Failure" else []
            for secret in (_PHONE, "c2VjcmV0LWtleQ", graph["GRAPH_CLIENT_SECRET"]):
                assert secret not in result["message"] + result["stack"], name
    assert failed


def test_an_app_that_cannot_be_imported_is_seen_at_the_start(tmp_path: Path) -> None:
    """The worker reports it in its first response only: afterwards the list of functions is empty and a success."""
    (tmp_path / "function_app.py").write_text("import no_such_module\n", encoding="utf-8")
    with real_worker(tmp_path, {}, tmp_path / "log.txt") as worker:
        assert worker.indexed["status"] == "Failure"
        assert "no_such_module" in worker.indexed["message"]
        assert (worker.indexed["metadata"], worker.indexed["functions"]) == ("Success", [])


def _post(worker: RealWorker, target: str, content: dict[str, Any]) -> Response:
    headers = {"content-type": "application/json"}
    return worker.request("POST", target, body=json.dumps(content).encode(), headers=headers)
