"""The documentation describes what the code has, and every link leads somewhere."""

from __future__ import annotations

import ast
import importlib.util
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
from typing import TYPE_CHECKING

import pytest

import invite.reading
import notifications.receiving  # noqa: F401 - has an error of its own
from dev.host import app_model
from observability.tracing import SWITCHES
from tests.connector import expressions
from web import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = sorted(
    [_ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "test.http")]
    + [page for folder in ("docs", "dev/simulator", "connector", "examples") for page in (_ROOT / folder).rglob("*.md")]
)
_ROOMS = ("invite", "calls", "escalation", "notifications", "watchdog", "flows", "web")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^\s*```(\w*)\n(.*?)^\s*```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_FILE = re.compile(r"`([a-z_]+/[a-z_/]*\.py)`")
# Read by the Functions worker and by Azure Monitor's distribution, not by settings.py.
_TELEMETRY = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
    "PYTHON_ENABLE_OPENTELEMETRY",
}
# Without a use on one machine with the simulator.
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
# How test.http writes parts of a route.
_VARIABLES = {
    "app": "",
    "call": "/calls/{callId}",
    "invited.response.headers.Location": "/calls/{callId}/invitations/{invitationId}/result",
    "waiting.response.headers.Location": "/calls/{callId}/invitations/{invitationId}/callback",
    "invited.response.body.id": "{invitationId}",
    "participant": "{participantId}",
    "pageToken": "",
    "started.response.headers.Location": "/starts/{startId}/result",
    "startedAndWaiting.response.headers.Location": "/starts/{startId}/callback",
    "started.response.body.id": "{startId}",
    "escalated.response.headers.Location": "/calls/{callId}/escalations/{escalationId}/result",
    "escalatedAndWaiting.response.headers.Location": "/calls/{callId}/escalations/{escalationId}/callback",
    "escalated.response.body.id": "{escalationId}",
}


def _text(page: Path | str) -> str:
    return (_ROOT / page).read_text(encoding="utf-8")


def _shown(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix()


@cache
def _app() -> app_model.App:
    """The app's functions, from an app object of its own, since an object can be read only once."""
    return app_model.read(runpy.run_path(str(_ROOT / "function_app.py"))["app"])


def _anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(_FENCE.sub("", _text(page))) if page.is_file() else []
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_links(page: Path) -> None:
    """Every link within the project leads to a file, and to a heading in it."""
    lost = []
    for link in _LINK.findall(_FENCE.sub("", _text(page))):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not re.match(r"[a-z]+:", link) and (not target.exists() or (anchor and anchor not in _anchors(target))):
            lost.append(link)
    assert not lost


def test_statements_about_the_platform() -> None:
    """Each has its source, with a URL where there is one, and each page that makes some links to them."""
    section = _text("docs/limits.md").partition("\n## What is said of the platform\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if "](" in line]
    rows = [row for row in rows if len(row) == 3]
    assert len(rows) > 40
    for statement, source, _ in rows:
        words = re.sub(r"^\[(\w+)\].*", r"\1", source).split()[0].strip(",:;")
        assert words in {"documented", "source", "reported", "assumed", "seen"}, statement
        assert words != "documented" or "https://" in source, statement
    pages = {link.partition("#")[0] for _, _, cell in rows for link in _LINK.findall(cell)} - {""}
    assert {"deploy.md", "operate.md", "makers.md", "settings.md", "ci.md", "security.md"} <= pages
    for page in pages:
        assert "limits.md#what-is-said-of-the-platform" in _text(Path("docs") / page), page


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_json(page: Path) -> None:
    """JSON on a page can be parsed."""
    for kind, block in _FENCE.findall(_text(page)):
        if kind == "json":
            json.loads(block)


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_commands_exist(page: Path) -> None:
    """Every make target, Python module and source file that a page names exists."""
    text = _text(page)
    targets = re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE)
    commands = re.findall(r"`make ([a-z-]+)|^\s*make ([a-z-]+)", text, re.MULTILINE)
    assert {name for pair in commands for name in pair if name} <= set(targets)
    modules = re.findall(r"(?:python|RUN\)?) -m ((?:dev|connector)[\w.]*)", text)
    assert [name for name in modules if importlib.util.find_spec(name.rstrip(".")) is None] == []
    assert [name for name in _FILE.findall(text) if not any((at / name).exists() for at in page.parents)] == []


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_no_private_paths(page: Path) -> None:
    """A page names no path of the author's machine, and nothing outside the project."""
    text = _text(page)
    assert not re.search(r"(?<![\w.>)/])/(?:home|root|Users|tmp)/", text)
    assert f"{_ROOT.parent}/" not in text or len(_ROOT.parts) <= 2
    for outside in re.findall(r"(?:\.\./)+[\w.-]*", text):
        assert (page.parent / outside).resolve().is_relative_to(_ROOT), outside


def test_settings() -> None:
    """docs/settings.md has each setting that the code reads, and no other."""
    page = set(_SETTING.findall(_text("docs/settings.md")))
    assert _settings_read() <= page | {"AzureWebJobsStorage"}
    assert page - _settings_read() == {"FUNCTIONS_WORKER_RUNTIME", *_TELEMETRY}
    assert set(SWITCHES) <= _TELEMETRY


def test_sample_settings() -> None:
    """The sample has each setting that one machine needs."""
    values = set(json.loads(_text("local.settings.sample.json"))["Values"])
    assert values == _settings_read() - _NOT_IN_THE_SAMPLE | {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"}


def _settings_read() -> set[str]:
    """Names of settings in the code, found as the strings that they are."""
    found: set[str] = set()
    read = (_ROOT / "domain" / "configuration").glob("*.py")
    for path in (_ROOT / "settings.py", _ROOT / "graph" / "transport.py", *read):
        for node in ast.walk(ast.parse(_text(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(_SETTING.findall(node.value.replace("$", "")))
    return found


@pytest.mark.parametrize("page", ["docs/api.md", "test.http"])
def test_routes(page: str) -> None:
    """Every route is described, and has a request to try."""
    text = _text(page)
    for variable, path in _VARIABLES.items():
        text = text.replace("{{" + variable + "}}", path)
    for function in _app().http:
        for method in function.methods:
            route = f"{method} /{function.template.text}"
            assert re.search(rf"{re.escape(route)}(?![\w/{{-])", text), function.name
        assert page == "test.http" or f"| {function.name} |" in text


def test_error_codes() -> None:
    """docs/api.md has each error code that a response can contain, and no other."""
    documented = set(re.findall(r"`([A-Z][A-Za-z0-9]+)`", _text("docs/api.md").partition("\n## Errors\n")[2]))
    faults = {code for code, _ in invite.reading._PLAIN_FAULTS.values()}
    # Several faults at once have a code of their own, and so has an unhealthy app.
    assert documented == faults | set(_codes_raised()) | {"BadRequest", "Unhealthy"}


def _errors(base: type[errors.ApiError]) -> Iterator[type[errors.ApiError]]:
    yield base
    for error in base.__subclasses__():
        yield from _errors(error)


def _codes_raised() -> Iterator[str]:
    """Return the constants with which errors are created; ``__init__`` is an error class that calls its base."""
    names = {error.__name__ for error in _errors(errors.ApiError)}
    names |= {"Fault", "PydanticCustomError", "MeetingRefused", "Reason", "__init__"}
    for path in (_ROOT / "app.py", *(path for room in _ROOMS for path in (_ROOT / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                if name in names and isinstance(node.args[0].value, str):
                    yield node.args[0].value


def test_decisions() -> None:
    """The list of decisions is complete, and each has its three parts."""
    folder = _ROOT / "docs" / "decisions"
    listed = _LINK.findall(_text(folder / "README.md"))
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))
    for name in listed:
        assert _HEADING.findall(_text(folder / name))[1:] == ["Context", "Choice", "Cost"], name


def test_deployment_package(tmp_path: Path) -> None:
    """The zip command of docs/deploy.md packs an app that imports on its own, without development files."""
    command = next(line for line in _text("docs/deploy.md").splitlines() if line.startswith("zip -r "))
    names = shlex.split(command)[3:]
    for name in names[: names.index("-x")]:
        source = _ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for path in tmp_path.rglob("__pycache__"):
        shutil.rmtree(path)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    count = [sys.executable, "-c", "import function_app; print(len(function_app.app.get_functions()))"]
    imported = subprocess.run(
        count, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert imported.returncode == 0, imported.stderr
    assert int(imported.stdout) == len(_app().http) + len(_app().queue) + len(_app().timer)
    ignored = [line for line in _text(".funcignore").splitlines() if re.fullmatch(r"[a-z]+", line)]
    assert not set(ignored) & set(names)


@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_shell_lines_can_be_pasted(page: Path) -> None:
    """No command holds a placeholder in angle brackets, which a shell takes for a redirection."""
    shell = [block for kind, block in _FENCE.findall(_text(page)) if kind in ("sh", "bash", "powershell")]
    assert [found for block in shell for found in re.findall(r"<[A-Za-z][\w .-]*>", block)] == []


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
@pytest.mark.parametrize("page", _PAGES, ids=_shown)
def test_shell_lines_are_complete(page: Path) -> None:
    """A shell can parse every command as it is printed."""
    for kind, block in _FENCE.findall(_text(page)):
        if kind == "sh":
            parsed = subprocess.run(["/bin/sh", "-n"], input=block, capture_output=True, text=True, check=False)
            assert parsed.returncode == 0, (block, parsed.stderr)


def test_expressions_for_makers() -> None:
    """The expressions of docs/makers.md give a phone number, or a manager, also where a profile has none."""
    table = _text("docs/makers.md").partition("**Values from other actions.**")[2].partition("\n\n*Get")[0]
    phone, can_be_called, manager = re.findall(r"\| `([^`]+)` \|", table)

    def given(user: object, boss: object = None) -> expressions.Context:
        found = {"Get_user_profile_(V2)": {"body": user}, "Get_manager_(V2)": {"body": boss}}
        return expressions.Context(actions=found)

    mobile = given({"mobilePhone": "+12065550100", "businessPhones": ["+12065550101"]})
    business = given({"mobilePhone": None, "businessPhones": ["+12065550101"]})
    without = given({"mobilePhone": None, "businessPhones": []}, {"error": {"status": 404}})
    assert [expressions.evaluate(f"@{phone}", one) for one in (mobile, business, without)] == [
        "+12065550100",
        "+12065550101",
        None,
    ]
    assert [expressions.evaluate(f"@{can_be_called}", one) for one in (mobile, without)] == [True, False]
    assert expressions.evaluate(f"@{manager}", given({}, {"id": "manager"})) == "manager"
    assert re.fullmatch("[0-9a-f-]{36}", expressions.evaluate(f"@{manager}", without))


def test_by_hand_is_as_azd() -> None:
    """The steps by hand ask for the hooks' permissions, and the registration trusts the same issuer and audience."""
    page = _text("docs/deploy.md").partition("\n## By hand\n")[2]
    permissions = re.search(r"for permission in (.+); do", page)
    assert permissions
    assert permissions[1].split() == _text("infra/hooks/permissions.txt").split()
    common = _text("infra/hooks/common.sh")
    for value in re.findall(r"(?:authority=|audience=)(\S+)", common):
        assert value in page, value
    assert '"name\\": \\"call-invites-$identity' in page
