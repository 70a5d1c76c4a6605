"""The running app with a simulated Graph, and an engine for the sample flows."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from connector.routes import ROOT
from dev.azurite import azurite as run_azurite
from dev.simulator import Simulator
from tests.connector import expressions
from tests.connector.engine_http import Callbacks, Gateway, Wire, connector_files
from tests.connector.interpreter import Run, with_settings
from tests.connector.office import Office
from tests.connector.running import KEY, app_process
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.connector.referee import Referee


@dataclass(frozen=True, slots=True)
class Engine:
    """How a flow is run.

    Args:
        longest: seconds of this machine after which an action times out.
        scale: what one of the engine's seconds lasts.
        app: the app's URL, in place of the running one's.
        referee: evaluates expressions.
        teams: the connection to Microsoft Teams.
        office: the tenant's directory, shifts and calendars.
        settings: what the maker fills in.
    """

    longest: float = 30.0
    scale: float = 0.02
    app: str | None = None
    referee: Referee = expressions
    teams: Teams | None = None
    office: Office | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """The app, Graph, and where waiting flows are called back."""

    app: str
    graph: Simulator
    callbacks: Callbacks

    def new_call(self) -> str:
        return self.graph.create_call(f"{self.app}/api/notifications")

    def run(self, name: str, *, longest: float = 30.0, scale: float = 0.02, **given: Any) -> Run:
        """Run a sample flow as its file has it, with what its trigger gets as further arguments."""
        options = {key: given.pop(key) for key in ("app", "referee", "teams", "office", "settings") if key in given}
        return self.run_with(name, given, Engine(longest, scale, **options))

    def run_with(self, name: str, trigger_body: Any, engine: Engine) -> Run:
        """Run a sample flow as its file has it, with its *Settings* filled in."""
        file = ROOT / "connector" / "flows" / f"{name}.json"
        settings = {"app": engine.app or self.app, "key": KEY, **engine.settings}
        return self._run(with_settings(json.loads(file.read_text(encoding="utf-8")), settings), trigger_body, engine)

    def act(self, operation_id: str, *, waits: bool = True, **parameters: Any) -> Run:
        """Run a flow with one action of the connector, *Act*, which waits or polls."""
        host = {"connectionName": "shared_callinvites", "operationId": operation_id}
        inputs = {"host": host, "parameters": {name.replace("__", "/"): value for name, value in parameters.items()}}
        kind = "OpenApiConnectionWebhook" if waits else "OpenApiConnection"
        action = {"type": kind, "runAfter": {}, "inputs": inputs}
        trigger = {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}
        flow = {"definition": {"triggers": {"manual": trigger}, "actions": {"Act": action}}}
        return self._run(flow, {}, Engine())

    def _run(self, flow: dict[str, Any], trigger_body: Any, engine: Engine) -> Run:
        wire = Wire(engine.scale)
        gateway = Gateway(*connector_files(), engine.app or self.app, KEY, wire)
        teams = engine.teams or Teams(self.graph)
        connections = {"shared_teams": teams, **(engine.office or Office()).connections}
        run = Run(flow, trigger_body, wire, gateway, self.callbacks, engine.longest, engine.referee, connections)
        run.start()
        return run


@pytest.fixture(scope="session")
def _processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    # Storage of its own: the queues have one name in every app, and another test's app would take their messages.
    with ExitStack() as stack:
        storage = stack.enter_context(run_azurite())
        graph = stack.enter_context(Simulator(time_scale=0.01))
        callbacks = stack.enter_context(Callbacks())
        settings = {
            **graph.settings(),
            "AzureWebJobsStorage": storage,
            "FLOW_CALLBACK_LOCAL_HOSTS": f"127.0.0.1:{callbacks.port}",
            "INVITATION_CHECK_AFTER_SECONDS": "5",
            "FUNCTIONS_WORKER_RUNTIME": "python",
        }
        app = stack.enter_context(app_process(settings, tmp_path_factory.mktemp("app")))
        yield Running(app, graph, callbacks)


@pytest.fixture
def running(_processes: Running) -> Iterator[Running]:
    """The app and a Graph of which a test knows the whole history."""
    _processes.graph.reset()
    yield _processes
    _processes.graph.reset()
