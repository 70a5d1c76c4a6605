"""What GitHub reads of this project: the workflows, Dependabot's settings, and the scripts that go with them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).resolve().parents[2]
_WORKFLOWS = sorted((_ROOT / ".github" / "workflows").glob("*.yml"))
_SCRIPTS = [
    *sorted((_ROOT / ".github").glob("*.sh")),
    *sorted((_ROOT / ".devcontainer").glob("*.sh")),
    *sorted((_ROOT / "dev").glob("*.sh")),
]
_PROGRAMS = Path(sys.executable).parent
_VARIABLES = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_FUNCTION_APP")
# How GitHub runs a step whose shell is named: bash.
_BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
# What Azure is sent; everything else in the project is the developer's.
_APP = {"VERSION", "app.py", "function_app.py", "host.json", "requirements.txt", "settings.py"}
_ROOMS = {
    "calls",
    "domain",
    "escalation",
    "flows",
    "graph",
    "invite",
    "notifications",
    "observability",
    "storage",
    "watchdog",
    "web",
}


def _text(name: str) -> str:
    return (_ROOT / name).read_text(encoding="utf-8")


def _workflow(name: str) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(_text(f".github/workflows/{name}.yml"))
    # YAML 1.1 takes the key `on` for true.
    return {("on" if key is True else key): value for key, value in content.items()}


def _steps(name: str) -> list[dict[str, Any]]:
    return [step for job in _workflow(name)["jobs"].values() for step in job.get("steps", [])]


def _step(name: str) -> str:
    (script,) = (step["run"] for step in _steps("deploy") if step.get("name") == name)
    return str(script)


def _run(*command: str | Path) -> str:
    done = subprocess.run([*command], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def _run_step(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    return subprocess.run(
        [*_BASH, "-c", _step(name)],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("schema", "files"),
    [("github-workflows", _WORKFLOWS), ("dependabot", [_ROOT / ".github" / "dependabot.yml"])],
)
def test_files_are_what_github_reads(schema: str, files: list[Path]) -> None:
    """GitHub would refuse a key that it does not know, but only once it is asked to run."""
    _run(_PROGRAMS / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)


def test_nothing_in_the_workflows_can_be_turned_against_the_project() -> None:
    """Actions are pinned by commit, no step is made of what strangers write, tokens open no more than they must."""
    said = _run(_PROGRAMS / "zizmor", "--offline", "--no-config", "--persona=auditor", "--format=plain", ".github")
    assert "No findings" in said


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_plain_shell(script: Path) -> None:
    """They run in any POSIX shell, and shellcheck finds nothing in them."""
    _run("sh", "-n", script)
    _run(_PROGRAMS / "shellcheck", "--shell=sh", script)


@pytest.mark.parametrize("workflow", [path.stem for path in _WORKFLOWS])
def test_the_steps_of_workflows_are_sound_shell(workflow: str, tmp_path: Path) -> None:
    """A quote that is missing is found here, not by a deployment."""
    scripts = [step["run"] for step in _steps(workflow) if "run" in step]
    assert scripts
    for script in scripts:
        file = tmp_path / "step.sh"
        file.write_text(script, encoding="utf-8")
        _run("bash", "-n", file)
        _run(_PROGRAMS / "shellcheck", "--shell=bash", file)


def test_an_action_has_one_version_everywhere() -> None:
    """Who reads ``# v7.0.1`` beside a commit can rely on it in every file."""
    versions: dict[str, set[tuple[str, str]]] = {}
    for path in _WORKFLOWS:
        for action, commit, version in re.findall(r"uses: ([\w./-]+)@(\w+) # (v[\d.]+)", path.read_text()):
            versions.setdefault(action, set()).add((commit, version))
    assert versions.keys() >= {"actions/checkout", "azure/login", "azure/functions-action"}
    assert {action: len(found) for action, found in versions.items()} == dict.fromkeys(versions, 1)


def test_every_python_that_is_promised_is_tested() -> None:
    """The pages, the set-up, the linters and the workflow speak of the same versions."""
    versions = _workflow("test")["jobs"]["test"]["strategy"]["matrix"]["python"]
    *first, last = versions
    assert f"Python {', '.join(first)} or {last}" in _text("README.md")
    looked_for = re.findall(r"python(3\.\d+)", _text("dev/python_environment.sh").partition("; do")[0])
    assert sorted(looked_for, key=lambda version: int(version[2:])) == versions
    assert f'python_version = "{first[0]}"' in _text("pyproject.toml")
    assert f'target-version = "py{first[0].replace(".", "")}"' in _text("pyproject.toml")
    assert set(re.findall(r'python_version \S+ "([\d.]+)"', _text("requirements.in"))) <= set(versions)


def test_the_workflow_tests_as_a_developer_does() -> None:
    """One command, the one that CONTRIBUTING.md names; and no rights but to read."""
    workflow = _workflow("test")
    assert [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step] == [
        'make PYTHON="$PYTHON" test'
    ]
    assert "make PYTHON=" in _text("CONTRIBUTING.md")
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert {"pull_request", "push"} <= workflow["on"].keys()


def test_a_deployment_needs_green_tests_and_no_secret() -> None:
    """Nothing reaches Azure untested, and the repository has no password that could leak."""
    workflow = _workflow("deploy")
    job = workflow["jobs"]["deploy"]
    assert workflow["jobs"][job["needs"]]["uses"] == "./.github/workflows/test.yml"
    assert "if" not in job
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert job["environment"] == "production"
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow["on"].keys() == {"workflow_dispatch", "release"}
    assert not any("secrets." in path.read_text(encoding="utf-8") for path in _WORKFLOWS)
    assert all("timeout-minutes" in each for name in ("test", "deploy") for each in _jobs_with_steps(name))


def _jobs_with_steps(name: str) -> list[dict[str, Any]]:
    return [job for job in _workflow(name)["jobs"].values() if "steps" in job]


def test_every_deployed_package_is_audited() -> None:
    """The audit reads the file that Azure installs, and needs no rights; a person can run the same command."""
    job = _workflow("test")["jobs"]["audit"]
    (command,) = (step["run"] for step in job["steps"] if "run" in step)
    assert re.fullmatch(
        r"pipx run --spec pip-audit==[\d.]+ pip-audit --require-hashes --disable-pip -r requirements\.txt", command
    )
    assert "permissions" not in job
    assert f"`{command}`" in _text("docs/ci.md")


def test_a_release_gets_its_bill_of_materials() -> None:
    """A release has the two files that make sbom writes; only that job may write, and only then."""
    job = _workflow("deploy")["jobs"]["materials"]
    assert (job["if"], job["needs"]) == ("github.event_name == 'release'", "test")
    assert job["permissions"] == {"contents": "write"}
    *_, make, upload = (step["run"] for step in job["steps"] if "run" in step)
    assert make.endswith(" sbom")
    written = re.findall(r'folder / "([^"]+)"\)\.write_text', _text("dev/sbom.py"))
    assert re.findall(r"\.local/sbom/(\S+)", upload) == written
    assert all(f"`{name}`" in _text("docs/ci.md") for name in written)


def test_a_deployment_ends_with_the_check() -> None:
    """A deployment is a success only after the check."""
    steps = _workflow("deploy")["jobs"]["deploy"]["steps"]
    assert steps[-1]["run"].startswith("sh .github/check_deployed.sh ")
    assert not any("continue-on-error" in step or "if" in step for step in _steps("deploy"))


@pytest.mark.parametrize("missing", [None, *_VARIABLES])
def test_a_variable_that_is_not_set_is_named(missing: str | None, tmp_path: Path) -> None:
    """The log of the run names the variables to set, before anything is tried."""
    given = {name: "" if name == missing else "value" for name in _VARIABLES}
    done = _run_step("Are all variables set?", tmp_path, **given)
    assert done.returncode == (1 if missing else 0)
    assert re.findall(r"AZURE_\w+", done.stdout) == ([missing] if missing else [])
    assert _workflow("deploy")["jobs"]["deploy"]["env"] == {name: f"${{{{ vars.{name} }}}}" for name in _VARIABLES}


@pytest.mark.skipif(shutil.which("git") is None, reason="the step works on a git checkout")
def test_what_is_deployed_is_the_app_and_nothing_else(tmp_path: Path) -> None:
    """The copy that is sent, less what .funcignore names, is the app; and the rest of the checkout stays."""
    project = tmp_path / "project"
    git = [
        f"--git-dir={tmp_path / 'all'}",
        f"--work-tree={_ROOT}",
        "-c",
        "user.name=n",
        "-c",
        "user.email=n@example.com",
    ]
    for command in (["init"], ["add", "--all"], ["-c", "commit.gpgsign=false", "commit", "--message=all"]):
        _run("git", *git, *command)
    _run("git", "clone", tmp_path / "all", project)
    done = _run_step("Copy the app", project)
    assert done.returncode == 0, done.stderr
    (settings,) = (step["with"] for step in _steps("deploy") if "functions-action" in step.get("uses", ""))
    assert (settings["package"], settings["respect-funcignore"]) == ("app", True)
    # .funcignore is written as .gitignore is, so git can tell what it leaves.
    left = _run("git", "-C", project, "ls-files", "--others", "--exclude-from=.funcignore", "app").split()
    sent = {Path(name).parts[1] for name in left}
    assert sent - _ROOMS == _APP
    assert sent >= {"domain", "flows", "graph", "storage", "web"}
    assert (project / ".github" / "check_deployed.sh").is_file()


_AZ = """\
#!/bin/sh
# Stands in for the Azure CLI: knows one app with an address, and one without.
sites=/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites
case "$*" in
"resource list --name another "*) ;;
"resource list --name "*" --resource-type Microsoft.Web/sites --query [0].id --output tsv") echo "$sites/$4" ;;
"rest --method get --url $sites/invites?api-version="*) echo invites-a1b2.westeurope-01.azurewebsites.net ;;
"rest --method get --url $sites/new?api-version="*) ;;
*) echo "what is $*?" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize(("app", "status"), [("invites", 0), ("another", 1), ("new", 1)])
def test_the_address_is_the_apps_own(app: str, status: int, tmp_path: Path) -> None:
    """An address with a random part is found, and an app that is not there is no success."""
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(_AZ, encoding="utf-8")
    program.chmod(0o755)
    output = tmp_path / "output"
    done = _run_step("Where is the app?", tmp_path, AZURE_FUNCTION_APP=app, GITHUB_OUTPUT=str(output))
    assert done.returncode == status, done.stderr
    if status == 0:
        assert output.read_text() == "address=https://invites-a1b2.westeurope-01.azurewebsites.net\n"
    else:
        assert not output.exists()


def test_the_page_about_deployments_names_what_the_workflow_needs() -> None:
    """Each variable, the environment in the credential's subject, and the role."""
    page = _text("docs/ci.md")
    assert set(re.findall(r"\bAZURE_[A-Z_]+\b", page)) == set(_VARIABLES)
    environment = _workflow("deploy")["jobs"]["deploy"]["environment"]
    assert f":environment:{environment}" in page
    assert "Website Contributor" in page
    for name in re.findall(r"\.github/[\w./-]+", page):
        assert (_ROOT / name).exists(), name


def test_dependabot_looks_everywhere_that_something_is_pinned() -> None:
    """Python, which uv compiles, npm, the actions and the development container."""
    updates = yaml.safe_load(_text(".github/dependabot.yml"))["updates"]
    places = {each["package-ecosystem"]: each["directory"] for each in updates}
    assert places == {"uv": "/", "npm": "/dev", "github-actions": "/", "devcontainers": "/"}
    assert (_ROOT / "dev" / "package-lock.json").is_file()
    assert all(each["groups"] and each["schedule"]["interval"] == "weekly" for each in updates)
