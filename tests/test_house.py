"""The house's own rules: who imports what, how long a module may be, and what can be called from outside."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import graph.errors
import storage.errors
import web.errors

ROOT = Path(__file__).resolve().parents[1]
LOW = {"settings", "domain"}
TOOLS = {"storage", "graph", "web", "observability"}
USE_CASES = {"calls", "escalation", "invite", "notifications", "watchdog"}
FLOWS = {"flows"} | TOOLS | LOW
# Which rooms a room may import, itself apart. A room that is not here may not be deployed.
ARROWS: dict[str, set[str]] = {
    "function_app": {"app"},
    "app": USE_CASES | FLOWS,
    "calls": {"escalation", "invite"} | FLOWS,
    "escalation": {"invite"} | FLOWS,
    "invite": FLOWS,
    "notifications": FLOWS,
    "watchdog": FLOWS,
    "flows": TOOLS | LOW,
    **dict.fromkeys(TOOLS, LOW),
    "settings": {"domain"},
    "domain": set(),
}
# Which rooms may import a library; one that is not here may not be deployed.
LIBRARIES: dict[str, set[str]] = {
    "azure.functions": {"function_app", "web"},
    "azure.data": {"storage"},
    "azure.storage": {"storage"},
    "azure.core": {"storage"},
    "azure.identity": {"storage"},
    "azure.monitor": {"observability"},
    "opentelemetry": {"observability", "storage", "graph"},
    "msal": {"graph"},
    "requests": {"graph"},
    "jwt": {"graph", "notifications"},
    "cryptography": {"graph"},
    "urllib3": {"flows", "graph", "storage"},
    "pydantic": {"invite", "calls", "escalation"},
    "pydantic_core": {"invite", "calls", "escalation"},
    "phonenumbers": {"invite"},
}
TABLE_OF_CONTENTS = {
    "invite_participants": ("calls/{callId}/participants/invite", "POST", "function"),
    "invite_participants_and_wait": ("calls/{callId}/participants/invite-and-wait", "POST", "function"),
    "invite_phone": ("calls/{callId}/participants/invite-phone", "POST", "function"),
    "move_person": ("calls/{callId}/participants/move", "POST", "function"),
    "cancel_wait": ("calls/{callId}/invitations/{invitationId}/callback", "DELETE", "anonymous"),
    "get_invitation": ("calls/{callId}/invitations/{invitationId}", "GET", "function"),
    "list_invitations": ("calls/{callId}/invitations", "GET", "function"),
    "await_invitation": ("calls/{callId}/invitations/{invitationId}/result", "GET", "anonymous"),
    "cancel_invitation": ("calls/{callId}/invitations/{invitationId}", "DELETE", "function"),
    "start_call": ("calls/start", "POST", "function"),
    "start_call_and_wait": ("calls/start-and-wait", "POST", "function"),
    "get_start": ("starts/{startId}", "GET", "function"),
    "stop_start": ("starts/{startId}", "DELETE", "function"),
    "await_start": ("starts/{startId}/result", "GET", "anonymous"),
    "cancel_start_wait": ("starts/{startId}/callback", "DELETE", "anonymous"),
    "list_calls": ("calls", "GET", "function"),
    "get_timeline": ("calls/{callId}/timeline", "GET", "function"),
    "page": ("page", "GET", "anonymous"),
    "watch_call": ("calls/{callId}/live", "GET", "anonymous"),
    "renew_page_token": ("calls/{callId}/page-token", "POST", "function"),
    "hang_up": ("calls/{callId}", "DELETE", "function"),
    "remove_participant": ("calls/{callId}/participants/{participantId}", "DELETE", "function"),
    "escalate": ("calls/{callId}/escalate", "POST", "function"),
    "escalate_and_wait": ("calls/{callId}/escalate-and-wait", "POST", "function"),
    "get_escalation": ("calls/{callId}/escalations/{escalationId}", "GET", "function"),
    "stop_escalation": ("calls/{callId}/escalations/{escalationId}", "DELETE", "function"),
    "await_escalation": ("calls/{callId}/escalations/{escalationId}/result", "GET", "anonymous"),
    "cancel_escalation_wait": ("calls/{callId}/escalations/{escalationId}/callback", "DELETE", "anonymous"),
    "get_call": ("calls/{callId}", "GET", "function"),
    "list_participants": ("calls/{callId}/participants", "GET", "function"),
    "receive_notifications": ("notifications", "POST", "anonymous"),
    "health": ("health", "GET", "anonymous"),
    "about": ("about", "GET", "anonymous"),
}
QUEUES = {"work": "work", "deliver_outcome": "invitation-outcomes", "check_invitation": "invitation-checks"}
TIMERS = {"forget_old_calls": "0 30 2 * * *"}


def _package() -> list[Path]:
    """Return the files that are deployed, relative to the root: all but what .funcignore names."""
    lines = (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip().rstrip("/") for line in lines if line.strip() and not line.startswith("#")]
    assert not any("/" in pattern or pattern.startswith("!") for pattern in patterns), "read them by a library then"

    def ignored(name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not ignored(name))
        found += [Path(folder, name).relative_to(ROOT) for name in sorted(files) if not ignored(name)]
    return found


PACKAGE = _package()
MODULES = [path for path in PACKAGE if path.suffix == ".py"]
NAMES = [str(path) for path in MODULES]


def _room(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def _imports(module: Path) -> set[str]:
    """Return all that a module imports, anywhere in it and also for type checkers only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _is_of(imported: str, name: str) -> bool:
    return imported == name or imported.startswith(f"{name}.")


def _forbidden(module: Path) -> set[str]:
    """Return what a module imports against the arrows or from a library that is another room's."""
    room = _room(module)
    wrong = set()
    for imported in _imports(module):
        first = imported.partition(".")[0]
        libraries = [name for name in LIBRARIES if _is_of(imported, name)]
        if libraries:
            is_allowed = all(room in LIBRARIES[name] for name in libraries)
        else:
            is_allowed = first in sys.stdlib_module_names or first == room or first in ARROWS[room]
        if not is_allowed:
            wrong.add(imported)
    return wrong


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_arrows(module: Path) -> None:
    """Every import of every deployed module follows the arrows, imports for types included, without exceptions."""
    assert _forbidden(module) == set()


def test_arrows_see_what_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule finds each kind of wrong import, wherever it stands."""
    monkeypatch.setattr("tests.test_house.ROOT", tmp_path)
    for path, text, wrong in (
        (
            "graph/x.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import storage.table",
            "storage.table",
        ),
        ("flows/x.py", "def f():\n    from invite import service", "invite.service"),
        ("domain/x.py", "import requests", "requests"),
        ("storage/x.py", "from azure import functions", "azure.functions"),
        ("notifications/x.py", "import invite.key", "invite.key"),
        ("invite/x.py", "import app", "app"),
        ("app.py", "from dev.host import x", "dev.host.x"),
        ("web/x.py", "import unheard_of", "unheard_of"),
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
        assert _forbidden(Path(path)) == {wrong}


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_module_reads_in_one_sitting(module: Path) -> None:
    """At most 300 lines, and a docstring that says first what it is for."""
    text = (ROOT / module).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ",", ":", ";")) or len(docstring.splitlines()) > 1


@pytest.mark.parametrize("room", sorted({path.parts[0] for path in MODULES if len(path.parts) > 1}))
def test_room_has_its_sentence(room: str) -> None:
    """Each folder's ``__init__`` is one sentence about all of it."""
    tree = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree)
    assert docstring
    assert docstring.endswith(".")
    assert len(tree.body) == 1


@pytest.mark.parametrize("tree", [web.errors, graph.errors, storage.errors], ids=lambda tree: tree.__name__)
def test_error_trees_are_drawn(tree: Any) -> None:
    """The docstring of a module of errors names each class, below the class that it is derived from."""
    kinds = [one for one in vars(tree).values() if isinstance(one, type) and issubclass(one, Exception)]
    own = {kind.__name__: kind for kind in kinds if kind.__module__ == tree.__name__}
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (tree.__doc__ or "").splitlines():
        name = next((word for word in line.replace("│", " ").split() if word not in ("├──", "└──")), "")
        if name in own and (line.startswith(name) or "──" in line):
            column = line.index(name)
            above = [(place, one) for place, one in above if place < column]
            drawn[name] = above[-1][1] if above else None
            above.append((column, name))
    bases = {name: kind.__bases__[0].__name__ for name, kind in own.items()}
    assert drawn == {name: base if base in own else None for name, base in bases.items()}


def _functions() -> dict[str, dict[str, Any]]:
    """Describe the app's functions by name, as the host sees them; an app gives them once, so a fresh one is loaded."""
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


def test_table_of_contents() -> None:
    """Exactly these routes, methods and authorization levels, these queues, and one time of night."""
    functions = _functions()
    http = {name: one for name, one in functions.items() if one["type"] == "httpTrigger"}
    assert {
        name: (one["route"], *one["methods"], one["authLevel"].lower()) for name, one in http.items()
    } == TABLE_OF_CONTENTS
    assert {name: one["queueName"] for name, one in functions.items() if one["type"] == "queueTrigger"} == QUEUES
    assert {name: one["schedule"] for name, one in functions.items() if one["type"] == "timerTrigger"} == TIMERS
    assert functions.keys() == TABLE_OF_CONTENTS.keys() | QUEUES.keys() | TIMERS.keys()


def test_triggers_have_no_logic() -> None:
    """Each function has a sentence and hands the built app over in one statement."""
    tree = ast.parse((ROOT / "function_app.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert {node.name for node in functions} == _functions().keys()
    for node in functions:
        assert ast.get_docstring(node)
        assert len(node.body) == 2, f"{node.name} has logic of its own"


def test_host_json() -> None:
    """The prefix that URLs are built with, and messages as the app sends and reads them."""
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert host["extensions"]["queues"]["messageEncoding"] == "base64"


def test_package() -> None:
    """What is deployed is the app's rooms and what the host and the build need; nothing else."""
    assert {_room(path) for path in MODULES} <= ARROWS.keys()
    others = {str(path) for path in PACKAGE if path.suffix != ".py"}
    assert others == {"VERSION", "calls/page/page.html", "host.json", "requirements.txt"}


def test_package_works_alone(tmp_path: Path) -> None:
    """``function_app`` is imported from a copy of these files, with all functions, and nothing from elsewhere."""
    for path in PACKAGE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    code = (
        "import sys, function_app\n"
        "print(len(function_app.app.get_functions()))\n"
        "for module in list(sys.modules.values()):\n"
        "    print(getattr(module, '__file__', None) or '')"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    count, *files = ran.stdout.splitlines()
    assert int(count) == len(TABLE_OF_CONTENTS) + len(QUEUES) + len(TIMERS)
    inside = {str(Path(file).relative_to(tmp_path)) for file in files if file.startswith(str(tmp_path))}
    assert {"function_app.py", "app.py", "settings.py"} <= inside <= set(NAMES)
    elsewhere = [file for file in files if file.startswith(str(ROOT)) and ".venv" not in file]
    assert elsewhere == []
