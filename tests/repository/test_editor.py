"""The settings of editor and development container: every name in them exists."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.host import command as host
from dev.simulator import cli

_ROOT = Path(__file__).resolve().parents[2]
_FILES = [*sorted((_ROOT / ".vscode").glob("*.json")), _ROOT / ".devcontainer" / "devcontainer.json"]
_TARGETS = set(re.findall(r"^([a-z]+):.*## ", (_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _read(name: str) -> Any:
    return json.loads((_ROOT / name).read_text(encoding="utf-8"))


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in _strings(each)]
    return [value] if isinstance(value, str) else []


def _launched() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in _read(".vscode/launch.json")["configurations"]}


def _tasks() -> dict[str, dict[str, Any]]:
    return {one["label"]: one for one in _read(".vscode/tasks.json")["tasks"]}


def test_the_files_are_there_and_plain_json() -> None:
    """Any program can read them, and git has them."""
    assert {path.name for path in _FILES} == {
        "devcontainer.json",
        "extensions.json",
        "launch.json",
        "settings.json",
        "tasks.json",
    }
    ignored = (_ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for path in _FILES:
        json.loads(path.read_text(encoding="utf-8"))
        if path.parent.name == ".vscode":
            assert f"!.vscode/{path.name}" in ignored


def test_every_make_target_that_is_named_exists() -> None:
    """In tasks, in the container and in the workflows."""
    texts = [text for path in _FILES for text in _strings(json.loads(path.read_text(encoding="utf-8")))]
    for path in (_ROOT / ".github" / "workflows").glob("*.yml"):
        texts += _strings(yaml.safe_load(path.read_text(encoding="utf-8")))
    named = {found[1] for text in texts if (found := re.fullmatch(r"make (?:\w+=\S+ )?([a-z]+)", text))}
    assert named >= {"setup", "test", "check", "run", "simulator", "demo"}
    assert named <= _TARGETS


def test_each_launch_names_a_module_and_a_task_that_exist() -> None:
    """F5 starts something."""
    for name, one in _launched().items():
        assert one["type"] == "debugpy"
        assert one["preLaunchTask"] in _tasks(), name
        if one["request"] == "launch":
            assert find_spec(one["module"]) is not None, name
    for compound in _read(".vscode/launch.json")["compounds"]:
        assert set(compound["configurations"]) <= _launched().keys()
    for task in _tasks().values():
        assert task.get("dependsOn", "setup") in _tasks()


@pytest.mark.parametrize("name", ["App on the local host", "Simulated Microsoft Graph"])
def test_what_is_launched_takes_its_arguments(name: str) -> None:
    """The programs know every option that they are given, and the ports are the ones that the settings name."""
    one = _launched()[name]
    module = "dev.host" if one["module"] == "dev.run" else one["module"]
    options = [argument for argument in one["args"] if argument.startswith("--")]
    said = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert options
    assert all(f"{option} " in said for option in options)
    port = one["args"][one["args"].index("--port") + 1]
    setting = "GRAPH_ENDPOINT" if module == "dev.simulator" else "PUBLIC_BASE_URL"
    assert _read("local.settings.sample.json")["Values"][setting].endswith(f":{port}")


def test_the_app_is_debugged_on_the_local_host_even_beside_core_tools(tmp_path: Path) -> None:
    """Core Tools would run it in a process of their own, which the debugger does not see."""
    one = _launched()["App on the local host"]
    environment = {name: value.replace("${workspaceFolder}", str(_ROOT)) for name, value in one["env"].items()}
    core_tools = tmp_path / "func"
    core_tools.write_text("#!/bin/sh\n", encoding="utf-8")
    core_tools.chmod(0o755)
    asked = "from dev import run; print(run._host({})[-1])"
    for more, expected in (({}, "start"), (environment, "dev.host")):
        variables = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **more}
        done = subprocess.run(
            [sys.executable, "-c", asked],
            cwd=_ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.split()[-1] == expected


def test_core_tools_are_started_as_their_extension_knows_them() -> None:
    """The extension of Azure Functions puts the debugger into the task of this name and type, on this port."""
    one = _launched()["App on Core Tools (attach)"]
    task = _tasks()[one["preLaunchTask"]]
    assert (task["type"], task["command"], task["problemMatcher"]) == ("func", "host start", "$func-python-watch")
    assert one["connect"] == {"host": "localhost", "port": 9091}
    settings = _read(".vscode/settings.json")
    assert settings["azureFunctions.projectLanguage"] == "Python"
    assert settings["azureFunctions.projectLanguageModel"] == 2
    assert settings["azureFunctions.projectRuntime"] == "~4"
    assert settings["azureFunctions.pythonVenv"] == ".venv"


def test_settings_name_the_environment_that_make_sets_up() -> None:
    """The editor runs, formats and checks with what the project pins."""
    settings = _read(".vscode/settings.json")
    assert settings["python.defaultInterpreterPath"] == "${workspaceFolder}/.venv/bin/python"
    assert all((_ROOT / folder).is_dir() for folder in settings["python.testing.pytestArgs"])
    assert settings["[python]"]["editor.defaultFormatter"] == "charliermarsh.ruff"
    assert ".venv/bin/python" in (_ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_container_brings_what_the_editor_recommends() -> None:
    """The same extensions in both, a Python that is supported, and the ports of app and simulator."""
    container = _read(".devcontainer/devcontainer.json")
    extensions = container["customizations"]["vscode"]["extensions"]
    assert extensions == _read(".vscode/extensions.json")["recommendations"]
    assert container["image"].startswith("mcr.microsoft.com/devcontainers/python:3.12-")
    simulator = cli._parser().get_default("port")
    assert container["forwardPorts"] == [host._PORT, simulator]
    assert {int(port) for port in container["portsAttributes"]} == {host._PORT, simulator}
    (script,) = re.findall(r"sh (\S+)", container["onCreateCommand"])
    assert (_ROOT / script).is_file()
    assert container["postCreateCommand"] == "make setup"


@pytest.mark.skipif(not Path("/etc/os-release").is_file(), reason="the container is a Linux, which has this file")
def test_the_container_is_made_where_core_tools_are_not_to_be_had(tmp_path: Path) -> None:
    """On a processor without a package of them, the rest of the container is still there."""
    for name in ("curl", "sudo"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexit 22\n", encoding="utf-8")
        program.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ".devcontainer/core_tools.sh"],
        cwd=_ROOT,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "dev.host" in done.stdout
