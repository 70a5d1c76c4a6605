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

HOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (INFRA / "hooks").iterdir() if path.suffix != ".txt")


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
    noted = set(re.findall(r'^\s*azd env set (\w+) "', text("infra/hooks/preprovision.sh"), re.MULTILINE))
    assert noted == {"GRAPH_CLIENT_ID", "GRAPH_TENANT_ID"}
    declared = parameters()
    for name, value in _passed().items():
        if any(variable in value for variable in noted):
            assert declared[name]["default"] is not None, name


def test_no_parameter_is_named_like_a_variable_of_somebodys_shell() -> None:
    """Where azd's environment has no value it takes the shell's, and Python's own images set PYTHON_VERSION."""
    names = {re.split(r"[{=}]", value)[1] for value in _passed().values()}
    assert not names & {"PYTHON_VERSION", "PATH", "HOME", "LOCATION"}


def test_secrets_are_not_kept_by_azd() -> None:
    """What is secret is marked so, and azd takes it from the shell for one run."""
    assert decorator(parameters()["graphCredentialValue"], "secure")
    assert "azd env set GRAPH_CREDENTIAL_VALUE" not in text("docs/deploy.md")


def test_the_least_azd_is_one_number() -> None:
    """What azure.yaml demands is what docs/deploy.md asks for."""
    (least,) = re.findall(r">= ([\d.]+)", _project()["requiredVersions"]["azd"])
    assert set(re.findall(r"\b1\.\d\d+\.\d+\b", text("docs/deploy.md"))) == {least}


def test_hooks_are_there_for_both_kinds_of_machine() -> None:
    """Each hook has a shell script and one for PowerShell, and azure.yaml names them all."""
    named = []
    for event, systems in _project()["hooks"].items():
        assert systems.keys() == {"posix", "windows"}, event
        assert (systems["posix"]["shell"], systems["windows"]["shell"]) == ("sh", "pwsh")
        named += [systems["posix"]["run"], systems["windows"]["run"]]
    assert sorted(named) == [hook for hook in HOOKS if "/common." not in hook]


def test_every_setting_is_checked() -> None:
    """The hook's table has each setting of main.parameters.json, and takes exactly what the Bicep takes."""
    rows = [line.split(" ", 2) for line in text("infra/hooks/settings.txt").splitlines()]
    variables = {re.split(r"[{=}]", value)[1]: name for name, value in _passed().items()}
    assert [name for name, *_ in rows] == list(variables)
    for variable, pattern, _ in rows:
        declared = parameters()[variables[variable]]
        good, bad = _examples(declared)
        assert [value for value in good if not re.fullmatch(pattern, value)] == [], variable
        assert [value for value in bad if re.fullmatch(pattern, value)] == [], variable


def _examples(declared: Any) -> tuple[list[str], list[str]]:
    """Return values that a parameter takes, and values that it refuses."""
    if declared["type"] == "bool":
        return ["true", "false"], ["yes", "no", "True", "1", " true", "true "]
    if declared["type"] == "int":
        least, most = (int(decorator(declared, limit)) for limit in ("min_value", "max_value"))
        numbers = range(least - 1, most + 2)
        return [str(each) for each in numbers[1:-1]], [str(numbers[0]), str(numbers[-1]), "abc", "1.5", "01", "1 "]
    if allowed := decorator(declared, "allowed"):
        return list(allowed), [f"{each}x" for each in allowed] + [each.upper() for each in allowed if each.islower()]
    default = declared["default"]
    return ([default] if isinstance(default, str) and re.match(r"\d", default) else []), ["\n"]


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_can_be_run(hook: str) -> None:
    """They are executable, and end lines as their shells want it."""
    assert os.access(ROOT / hook, os.X_OK)
    assert b"\r" not in (ROOT / hook).read_bytes()


def test_shell_hooks_are_clean() -> None:
    """They run in any POSIX shell, and shellcheck finds nothing in them."""
    program = Path(sys.executable).with_name("shellcheck")
    scripts = [Path(each).name for each in HOOKS if each.endswith(".sh")]
    command = [str(program), "--shell=sh", "--external-sources", *scripts]
    checked = subprocess.run(command, cwd=INFRA / "hooks", capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["common", "preprovision", "postprovision"])
def test_both_hooks_do_the_same(name: str) -> None:
    """What the shell script asks of az and azd, and what it prints, PowerShell's does too, in the same order."""
    shell, powershell = (text(f"infra/hooks/{name}.{kind}") for kind in ("sh", "ps1"))
    assert len(_commands(shell)) > 1
    assert _commands(shell) == _commands(powershell)
    assert len(_PRINTS_SHELL.findall(shell)) > 2
    assert _messages(_PRINTS_SHELL, shell) == _messages(_PRINTS_POWERSHELL, powershell)


_PRINTS_SHELL = re.compile(r'stop "([^"]*)"|^\s*echo "([^"]*)"$', re.MULTILINE)
_PRINTS_POWERSHELL = re.compile(
    r'(?:Stop-With|Write-Output) (?:@"\n(?!\n)(.*?)\n"@|"([^"]+)"|' r"'([^']+)'(?! '))", re.DOTALL
)


def _commands(script: str) -> list[tuple[str, ...]]:
    """Find each command of az and azd, with the names of its options."""
    code = re.sub(r"[\\`]\n\s*", " ", re.sub(r"^\s*#.*$", "", script, flags=re.MULTILINE))
    found = re.findall(r"(?:^|[(=;&|]|if |\$\() ?((?:az|azd) (?:[a-z-]+ )+.*)$", code.replace("  ", ""), re.MULTILINE)
    commands = []
    for each in found:
        words = re.match(r"(?:[A-Za-z_-]+ )+", each)
        assert words
        commands.append((words[0].strip(), *re.findall(r"--[a-z-]+", each.partition(" ||")[0])))
    return commands


def _messages(prints: re.Pattern[str], script: str) -> list[str]:
    """Find each message; a variable or an expression counts as a blank."""
    messages = ("".join(found) for found in prints.findall(script))
    return [re.sub(r"\$\([^\n]*\)|\$\{?[\w:]*\w\}?", "$", each) for each in messages]


@pytest.mark.parametrize(
    "name", [".venv", "venv", "venv312", "my-venv", "env", "ENV", "call-invites_env", "virtualenv"]
)
def test_virtual_environments_are_not_sent(name: str) -> None:
    """Azd makes one that ends in _env; people have their own names."""
    assert any(Path(name).match(pattern) for pattern in _patterns(".funcignore"))


@pytest.mark.parametrize("page", ["docs/deploy.md", "docs/ci.md"])
def test_commands_can_be_pasted(page: str) -> None:
    """A shell reads each block of a page as it is: no name in angle brackets, no quote left open."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert not re.search(r"<[^<>\n]+>", block), block
        checked = subprocess.run(["/bin/sh", "-n"], input=block, capture_output=True, text=True, check=False)
        assert checked.stderr == ""


def test_the_permissions_by_hand_are_the_hook_s() -> None:
    """What docs/deploy.md adds by hand, and asks consent for, is the hook's list."""
    wanted = text("infra/hooks/permissions.txt").split()
    page = text("docs/deploy.md")
    assert f"for permission in {' '.join(wanted)}; do" in page
    assert set(re.findall(r"`(Calls\.\w+\.All)`", page)) == set(wanted)


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
