"""The documentation holds what the code holds, and nothing in it leads nowhere."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import invite.reading
from dev.host import app_model
from observability.telemetry import SWITCHES

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = sorted(
    [_ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "test.http")]
    + list((_ROOT / "docs").rglob("*.md"))
    + list((_ROOT / "dev" / "simulator").glob("*.md"))
    + list((_ROOT / "connector").rglob("*.md"))
)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
# The Functions worker and Azure Monitor's distribution read these; the app looks at the switches alone.
_TELEMETRY = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
    "PYTHON_ENABLE_OPENTELEMETRY",
}
# What one machine with the simulator has no use for: they stand in docs/settings.md alone.
_NOT_IN_THE_SAMPLE = {
    "CONTAINER_NAME",
    "CURL_CA_BUNDLE",
    "GRAPH_CLIENT_CERTIFICATE",
    "GRAPH_CLIENT_CERTIFICATE_PASSWORD",
    "GRAPH_MANAGED_IDENTITY_CLIENT_ID",
    "HTTPS_PROXY",
    "SSL_CERT_FILE",
    "STATE_STORAGE",
    "WEBSITE_HOSTNAME",
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_POD_NAME",
    "WEBSITE_SKU",
}
_ERRORS = {
    "ApiError",
    "BadRequest",
    "Busy",
    "Fault",
    "GraphRefused",
    "InvitationFailed",
    "KeyReused",
    "NotFound",
    "PydanticCustomError",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "__init__",  # StorageUnavailable gives its code to its base
}


# How test.http writes what the routes have as parameters.
_VARIABLES = {
    "app": "",
    "call": "/calls/{callId}",
    "invited.response.headers.Location": "/calls/{callId}/invitations/{invitationId}/result",
    "waiting.response.headers.Location": "/calls/{callId}/invitations/{invitationId}/callback",
    "invited.response.body.id": "{invitationId}",
}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _app() -> app_model.App:
    """The app's functions, of an app object of one's own: they can be read once."""
    return app_model.read(runpy.run_path(str(_ROOT / "function_app.py"))["app"])


def _shown(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix()


def _anchor(heading: str) -> str:
    """The name that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    """Every link names a file that is there, and a heading that is in it."""
    prose = _FENCE.sub("", _text(page))
    lost = []
    for link in _LINK.findall(prose):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        headings = _FENCE.sub("", _text(target)) if target.is_file() else ""
        if not target.exists() or (anchor and anchor not in map(_anchor, _HEADING.findall(headings))):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_json_that_is_shown_is_json(page: Path) -> None:
    """What a reader copies can be pasted."""
    for kind, block in _FENCE.findall(_text(page)):
        if kind == "json":
            json.loads(block)


def test_every_setting_is_explained_and_nothing_else_is() -> None:
    """Each name that settings.py reads is in docs/settings.md, and each name there is one that something reads."""
    page = set(_SETTING.findall(_text(_ROOT / "docs" / "settings.md")))
    assert _settings_read() <= page | {"AzureWebJobsStorage"}
    assert page - _settings_read() == {"FUNCTIONS_WORKER_RUNTIME", *_TELEMETRY}, "the Functions host's own"
    assert set(SWITCHES) <= _TELEMETRY


def test_the_sample_has_every_setting_that_one_machine_needs() -> None:
    """A developer sees in one file what there is to set."""
    values = set(json.loads(_text(_ROOT / "local.settings.sample.json"))["Values"])
    assert values == _settings_read() - _NOT_IN_THE_SAMPLE | {"FUNCTIONS_WORKER_RUNTIME"}


def _settings_read() -> set[str]:
    """Names of settings in the code, found as the strings that they are."""
    found: set[str] = set()
    read = (_ROOT / "domain" / "configuration").glob("*.py")
    for path in (_ROOT / "settings.py", _ROOT / "graph" / "transport.py", *read):
        for node in ast.walk(ast.parse(_text(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(_SETTING.findall(node.value.replace("$", "")))
    return found | {"AzureWebJobsStorage"}


@pytest.mark.parametrize("page", ["docs/api.md", "test.http"])
def test_every_route_is_documented(page: str) -> None:
    """Whoever adds a route tells what it does, and gives a request to try."""
    text = _text(_ROOT / page)
    for variable, path in _VARIABLES.items():
        text = text.replace("{{" + variable + "}}", path)
    routes = [(method, each) for each in _app().http for method in each.methods]
    for method, function in routes:
        assert re.search(rf"{method} /{re.escape(function.template.text)}(?![\w/{{-])", text), function.name
        assert page == "test.http" or f"| {function.name} |" in text


def test_every_error_code_is_documented() -> None:
    """Each code that an answer can hold is in the tables of docs/api.md, and each code there can come."""
    documented = set(
        re.findall(r"`([A-Z][A-Za-z0-9]+)`", _text(_ROOT / "docs" / "api.md").partition("\n## Errors\n")[2])
    )
    raised = _codes_raised()
    assert raised <= documented
    assert documented - raised == {"BadRequest", "Unhealthy"}  # of several faults at once, and of /health
    # Whatever pydantic may find is told by a code of this project's own.
    assert raised >= {code for code, _ in invite.reading._PLAIN_FAULTS.values()}


def _codes_raised() -> set[str]:
    found = {code for code, _ in invite.reading._PLAIN_FAULTS.values()}
    for folder in ("invite", "notifications", "operations"):
        for path in (_ROOT / folder).glob("*.py"):
            for node in ast.walk(ast.parse(_text(path))):
                if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                    continue
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                if name in _ERRORS and isinstance(node.args[0].value, str):
                    found.add(node.args[0].value)
    return found


def test_the_package_of_the_deployment_page_is_a_whole_app(tmp_path: Path) -> None:
    """What docs/deploy.md has one zip imports by itself, and none of it is the developer's own."""
    command = next(line for line in _text(_ROOT / "docs" / "deploy.md").splitlines() if line.startswith("zip -r "))
    names = shlex.split(command)[3:]
    for name in names[: names.index("-x")]:
        source = _ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for path in tmp_path.rglob("__pycache__"):
        shutil.rmtree(path)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    asked = [sys.executable, "-c", "import function_app; print(len(function_app.app.get_functions()))"]
    imported = subprocess.run(
        asked, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert imported.returncode == 0, imported.stderr
    assert int(imported.stdout) == len(_app().http) + len(_app().queue) + len(_app().timer)
    for line in _text(_ROOT / ".funcignore").splitlines():
        if re.fullmatch(r"[a-z]+", line):
            assert line not in names, f"{line} is not sent to Azure"


def test_every_decision_is_listed() -> None:
    """The list of decisions has all of them, and each has its three parts."""
    folder = _ROOT / "docs" / "decisions"
    listed = _LINK.findall(_text(folder / "README.md"))
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))
    for name in listed:
        assert _HEADING.findall(_text(folder / name))[1:] == ["Context", "Choice", "What it costs"], name


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_pages_name_no_place_on_somebodys_machine(page: Path) -> None:
    """A page is for every reader: nothing of the machine on which it was written, nothing outside of the project."""
    text = _text(page)
    assert not re.search(r"(?<![\w.>)/])/(?:home|root|Users|tmp)/", text)
    assert str(_ROOT) not in text
    if len(_ROOT.parts) > 2:
        assert f"{_ROOT.parent}/" not in text
    for outside in re.findall(r"(?:\.\./)+[\w.-]*", text):
        assert (page.parent / outside).resolve().is_relative_to(_ROOT), outside
