"""azd finds what it looks for: a service, parameters with their environment variables, hooks that run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.reading import INFRA, ROOT, decorator, parameters, text

HOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (INFRA / "hooks").iterdir())


def _project() -> Any:
    return yaml.safe_load(text("azure.yaml"))


def _passed() -> dict[str, str]:
    content = json.loads(text("infra/main.parameters.json"))
    return {name: each["value"] for name, each in content["parameters"].items()}


def test_azd_deploys_this_folder_to_the_function_app() -> None:
    """The one service is this folder, in Python, and the app in Bicep bears its name as a tag."""
    assert _project()["services"] == {"api": {"project": ".", "language": "python", "host": "function"}}
    assert "'azd-service-name': 'api'" in text("infra/app/api.bicep")
    assert "var tags = { 'azd-env-name': environmentName }" in text("infra/main.bicep")


def test_parameters_come_from_the_azd_environment() -> None:
    """Every parameter can be set with azd env set, and one that has no default is always passed."""
    declared = parameters()
    assert _passed().keys() == declared.keys()
    for name, value in _passed().items():
        found = re.fullmatch(r"\$\{([A-Z][A-Z0-9_]*)(?:=(\w[\w./-]*))?\}", value)
        assert found, name
        default = declared[name]["default"]
        if found[2] is not None:
            assert found[2] == (str(default).lower() if isinstance(default, bool) else str(default)), name
        assert f"`{found[1]}`" in text("docs/deploy.md") or found[1].startswith("AZURE_"), (
            f"{found[1]} is not explained"
        )


def test_azd_asks_for_nothing_that_a_hook_finds_out() -> None:
    """Parameters without default are asked for before the hooks run, so the ids of the registration have one."""
    noted = set(re.findall(r"azd env set (\w+)", text("infra/hooks/preprovision.sh")))
    assert {"GRAPH_CLIENT_ID", "GRAPH_TENANT_ID"} <= noted
    declared = parameters()
    for name, value in _passed().items():
        if any(variable in value for variable in noted):
            assert declared[name]["default"] is not None, name


def test_no_parameter_is_named_like_a_variable_of_somebodys_shell() -> None:
    """Where azd's environment has no value it takes the shell's, and Python's own images set PYTHON_VERSION."""
    names = {re.split(r"[{=}]", value)[1] for value in _passed().values()}
    assert not names & {"PYTHON_VERSION", "PATH", "HOME", "LOCATION"}


def test_secrets_are_not_kept_by_azd() -> None:
    """What is secret is marked so, and azd is told to take it from the shell for one run."""
    assert decorator(parameters()["graphCredentialValue"], "secure")
    assert "azd env set GRAPH_CREDENTIAL_VALUE" not in text("docs/deploy.md")


def test_hooks_are_there_for_both_kinds_of_machine() -> None:
    """Each hook has a shell script and one for PowerShell, and azure.yaml names them all."""
    named = []
    for event, systems in _project()["hooks"].items():
        assert systems.keys() == {"posix", "windows"}, event
        assert (systems["posix"]["shell"], systems["windows"]["shell"]) == ("sh", "pwsh")
        named += [systems["posix"]["run"], systems["windows"]["run"]]
    assert sorted(named) == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_can_be_run(hook: str) -> None:
    """They are executable, and end lines as their shells want it."""
    assert os.access(ROOT / hook, os.X_OK)
    assert b"\r" not in (ROOT / hook).read_bytes()


@pytest.mark.parametrize("hook", [each for each in HOOKS if each.endswith(".sh")])
def test_shell_hooks_are_clean(hook: str) -> None:
    """They run in any POSIX shell, and shellcheck finds nothing in them."""
    program = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([program, "--shell=sh", ROOT / hook], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["preprovision", "postprovision"])
def test_both_hooks_do_the_same(name: str) -> None:
    """What the shell script asks of az and azd, PowerShell's asks too, in the same order and with the same options."""
    asked = []
    for kind in ("sh", "ps1"):
        code = re.sub(
            r"[\\`]\n\s*", " ", re.sub(r"^\s*#.*$", "", text(f"infra/hooks/{name}.{kind}"), flags=re.MULTILINE)
        )
        commands = re.findall(r"(?:^|[(=;&|] ?|\$\()\s*((?:az|azd) (?:[a-z-]+ )+.*)$", code, flags=re.MULTILINE)
        asked.append(
            [
                (re.match(r"(?:[a-z-]+ )+", each), re.findall(r"--[a-z-]+", each.partition(" ||")[0]))
                for each in commands
            ]
        )
    (shell, powershell) = ([(found[0].strip(), options) for found, options in each if found] for each in asked)
    assert shell
    assert shell == powershell


def test_the_zip_by_hand_is_what_azd_sends() -> None:
    """docs/deploy.md lists for zip exactly what .funcignore leaves, so that both ways deploy the same app."""
    command = next(line for line in text("docs/deploy.md").splitlines() if line.startswith("zip -r "))
    names = shlex.split(command)[3:]
    by_hand = set(names[: names.index("-x")])
    ignored = [*_patterns(".funcignore"), *_patterns(".gitignore")]
    sent = {path.name for path in ROOT.iterdir() if not any(path.match(pattern) for pattern in ignored)}
    assert by_hand == sent


def _patterns(file: str) -> list[str]:
    """Read what is left out at the top of the project."""
    lines = [line.rstrip("/") for line in text(file).splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "!"))]
