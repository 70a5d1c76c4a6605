"""The house's own rules: who may know whom, how long a module may be, and what the outside can call."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What is deployed; see .funcignore for what is not.
PACKAGES = ("graph", "invite", "notifications", "operations")
APP = [
    "function_app.py",
    "bootstrap.py",
    "doctor.py",
    "settings.py",
    "telemetry.py",
    *sorted(str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")),
]
# The doctor's front door: a command beside the checks of graph/, so that it is called as one. What it opens is the
# root's, and the app imports neither.
FRONT_DOOR = "graph/doctor.py"
EDGES = {"function_app.py", "invite/http.py", "notifications/http.py", "web/edge.py"}
TABLE_OF_CONTENTS = {
    "invite_participants": ("calls/{callId}/participants/invite", "POST", "function"),
    "invite_participants_and_wait": ("calls/{callId}/participants/invite-and-wait", "POST", "function"),
    "invite_phone": ("calls/{callId}/participants/invite-phone", "POST", "function"),
    "move_person": ("calls/{callId}/participants/move", "POST", "function"),
    "cancel_wait": ("calls/{callId}/invitations/{invitationId}/callback", "DELETE", "anonymous"),
    "get_invitation": ("calls/{callId}/invitations/{invitationId}", "GET", "function"),
    "list_invitations": ("calls/{callId}/invitations", "GET", "function"),
    "await_invitation": ("calls/{callId}/invitations/{invitationId}/result", "GET", "anonymous"),
    "get_call": ("calls/{callId}", "GET", "function"),
    "list_participants": ("calls/{callId}/participants", "GET", "function"),
    "receive_notifications": ("notifications", "POST", "anonymous"),
    "health": ("health", "GET", "anonymous"),
}
QUEUES = {"deliver_outcome": "invitation-outcomes", "check_invitation": "invitation-checks"}
TIMERS = {"forget_old_calls": "0 30 2 * * *"}


@cache
def _imports(module: str, *, with_types: bool = True) -> frozenset[str]:
    """Name what a module imports, anywhere in it; on request without what only type checkers see."""
    found: set[str] = set()
    hidden: set[ast.AST] = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if not with_types and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            hidden |= {inner for statement in node.body for inner in ast.walk(statement)}
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def _knows(module: str, name: str, *, with_types: bool = True) -> bool:
    imported = _imports(module, with_types=with_types)
    return any(one == name or one.startswith(f"{name}.") for one in imported)


def _who_knows(name: str, *, with_types: bool = True) -> set[str]:
    return {module for module in APP if _knows(module, name, with_types=with_types)}


def _functions() -> dict[str, dict[str, Any]]:
    """Describe the app's functions by name, as the host sees them; an app tells them once, so a fresh one is asked."""
    specification = importlib.util.spec_from_file_location("fresh_function_app", ROOT / "function_app.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    described = {}
    for one in module.app.get_functions():
        content = json.loads(str(one))
        triggers = [binding for binding in content["bindings"] if binding["direction"] == "IN"]
        (described[one.get_function_name()],) = triggers
    return described


def test_the_rules_are_about_the_whole_app() -> None:
    """Nothing that is deployed escapes the rules below, and the readers of imports see what they should."""
    assert len(APP) > 35
    assert _knows("storage/table.py", "azure.data.tables")
    assert _knows("bootstrap.py", "invite.inviting")
    assert not _knows("bootstrap.py", "invite.in")
    assert _knows("invite/http.py", "azure.functions")
    assert not _knows("invite/http.py", "azure.functions", with_types=False)


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("graph", {"invite", "notifications", "operations", "bootstrap", "doctor", "function_app"}),
        ("operations", {"invite", "notifications", "doctor", "function_app"}),
        ("invite", {"notifications", "doctor", "function_app"}),
        ("notifications", {"invite", "doctor", "function_app"}),
    ],
)
def test_arrows_point_one_way(package: str, others: set[str]) -> None:
    """function_app knows invite and notifications, which know operations, which knows graph, and never back."""
    for module in (one for one in APP if one.startswith(f"{package}/") and one != FRONT_DOOR):
        assert {other for other in others if _knows(module, other)} == set(), module


def test_only_the_edges_know_how_the_app_is_put_together() -> None:
    """The composition root is known to the thin edges alone."""
    assert _who_knows("bootstrap", with_types=False) <= {"web/edge.py", "flows/triggers.py"}
    assert _who_knows("function_app") == set()


def test_the_doctor_is_put_together_at_the_root_and_nobody_depends_on_it() -> None:
    """Its front door opens only where it is called as a command; nothing of the app imports it, and it not the app."""
    assert _who_knows("doctor") == {FRONT_DOOR}
    assert _who_knows("dev.doctor") == set()
    assert {module for module in _who_knows("graph.checks") if not module.startswith("graph/checks/")} == {
        "doctor.py",
        "dev/doctor/storage.py",
    }
    assert _who_knows("dev.doctor.storage") == {"doctor.py"}
    door = ast.parse((ROOT / FRONT_DOOR).read_text(encoding="utf-8"))
    imported = [ast.unparse(node) for node in door.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imported == ["import sys"]
    assert not any(_knows("doctor.py", name) for name in ("bootstrap", "function_app", "invite", "notifications"))


def test_telemetry_knows_nothing_of_the_app_and_alone_knows_opentelemetry() -> None:
    """What tells the operators can be used everywhere, since it depends on nothing."""
    assert _who_knows("opentelemetry") == {"telemetry.py"}
    assert not any(_knows("telemetry.py", name) for name in (*PACKAGES, "settings", "bootstrap"))


@pytest.mark.parametrize("package", PACKAGES)
def test_settings_reach_the_inside_as_plain_values(package: str) -> None:
    """Nothing inside reads the environment: modules are given what they need."""
    for module in (one for one in APP if one.startswith(f"{package}/")):
        assert not _knows(module, "settings", with_types=False) or module == "web/edge.py", module


@pytest.mark.parametrize(
    ("library", "modules"),
    [
        ("azure.functions", EDGES),
        ("azure.data.tables", {"storage/table.py"}),
        ("azure.storage.queue", {"storage/queues.py"}),
        ("azure.core", {"storage/connections.py", "storage/table.py", "storage/queues.py", "telemetry.py"}),
        ("azure.identity", {"storage/table.py", "storage/queues.py"}),
    ],
)
def test_each_library_is_known_where_it_belongs_and_nowhere_else(library: str, modules: set[str]) -> None:
    """A library that changes is met in one place."""
    with_types = library == "azure.functions"  # elsewhere the name of a type is no more than a word
    assert set() < _who_knows(library, with_types=with_types) <= modules


@pytest.mark.parametrize("library", ["requests", "msal"])
def test_only_graph_knows_how_graph_is_reached(library: str) -> None:
    """HTTP to Graph and its tokens are one package's business."""
    assert {module.split("/")[0] for module in _who_knows(library)} == {"graph"}


def test_the_app_knows_nothing_that_is_not_deployed() -> None:
    """Neither the simulator, the local host, tests, nor any library that only developers install."""
    for name in ("simulator", "local", "tests", "benchmarks", "connector", "infra"):
        assert _who_knows(name) == set()
    deployed = {"azure", "msal", "requests", "jwt", "pydantic", "pydantic_core", "urllib3", "opentelemetry"}
    ours = {*PACKAGES, "settings", "bootstrap", "doctor", "function_app", "telemetry"}
    for module in APP:
        roots = {name.split(".")[0] for name in _imports(module)}
        assert roots - set(sys.stdlib_module_names) - deployed - ours == set(), module


@pytest.mark.parametrize("module", APP)
def test_a_module_reads_in_one_sitting(module: str) -> None:
    """Past 300 lines a module does two things."""
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", APP)
def test_a_module_says_first_what_it_is_for(module: str) -> None:
    """Every module opens with its one sentence."""
    text = ast.get_docstring(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    assert text
    assert text.splitlines()[0].rstrip().endswith((".", ",", ":")) or len(text.splitlines()) > 1


def test_the_outside_can_call_exactly_these_functions() -> None:
    """Every route, its method and who may call it: nothing is open that is not listed here."""
    http = {name: one for name, one in _functions().items() if one["type"] == "httpTrigger"}
    assert {
        name: (one["route"], *one["methods"], one["authLevel"].lower()) for name, one in http.items()
    } == TABLE_OF_CONTENTS


def test_the_app_wakes_up_for_exactly_these_reasons() -> None:
    """Two queues, one time of night, and no other trigger."""
    functions = _functions()
    assert {name: one["queueName"] for name, one in functions.items() if one["type"] == "queueTrigger"} == QUEUES
    assert {name: one["schedule"] for name, one in functions.items() if one["type"] == "timerTrigger"} == TIMERS
    assert functions.keys() == TABLE_OF_CONTENTS.keys() | QUEUES.keys() | TIMERS.keys()


def test_every_function_says_what_it_does() -> None:
    """The page that lists the triggers can be read by itself."""
    tree = ast.parse((ROOT / "function_app.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert {node.name for node in functions} == _functions().keys()
    for node in functions:
        assert ast.get_docstring(node)
        assert len(node.body) == 2, f"{node.name} has logic of its own"


def test_all_routes_are_below_api() -> None:
    """The host's prefix is the one that addresses in answers are built with."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert host["extensions"]["queues"]["messageEncoding"] == "base64"
