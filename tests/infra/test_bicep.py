"""The Bicep of infra/: the compiler's own verdict, and that the stored deployments are what it makes today."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.infra.deployments import BASE, DEPLOYMENTS, FOLDER, compiler, expand, given, run, stored
from tests.infra.reading import FILES, INFRA, MAIN, ROOT, decorator, parameters, text

if TYPE_CHECKING:
    from pathlib import Path

needs_compiler = pytest.mark.skipif(
    compiler() is None, reason="no bicep on the PATH or in BICEP: only the stored deployments are checked"
)


@needs_compiler
def test_the_compiler_finds_nothing() -> None:
    """No error and no warning, by the rules of bicepconfig.json."""
    found = run("lint", ROOT / MAIN)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@needs_compiler
def test_formatted(tmp_path: Path) -> None:
    """Each file is as the compiler formats it."""
    for file in FILES:
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text(file), encoding="utf-8")
    assert run("format", "--pattern", f"{tmp_path}/**/*.bicep").returncode == 0
    assert [file for file in FILES if (tmp_path / file).read_text(encoding="utf-8") != text(file)] == []


@needs_compiler
@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_stored_deployment_is_today_s(name: str) -> None:
    """Expanded again, a deployment is what is stored: else ``python -m tests.infra.deployments``, and read the diff."""
    assert expand(given({**BASE, **DEPLOYMENTS[name]})) == stored(name)


def test_every_deployment_is_stored() -> None:
    """Each has a file, and no file is left over."""
    assert {path.stem for path in FOLDER.iterdir()} == set(DEPLOYMENTS)


@needs_compiler
def test_app_settings_are_sealed() -> None:
    """A second credential, the host's own settings, another storage account, and a number are refused."""
    wrong = {
        "GRAPH_CLIENT_SECRET": "simulated~secret",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "STATE_STORAGE__accountName": "stother",
        "call_retention_days": "14",
        "CALL_RETENTION_DAYS": 14,
    }
    with pytest.raises(ValueError, match=r"BCP03[67]") as refused:
        expand({**given(BASE), "appSettings": wrong})
    assert set(re.findall(r'The property "(\w+)"', str(refused.value))) == set(wrong)


@needs_compiler
def test_wrong_values_are_refused() -> None:
    """The compiler refuses what no deployment can have."""
    wrong = {"graphCloud": "china", "pythonVersion": "3.11", "graphCredential": "none", "httpConcurrency": 0}
    with pytest.raises(ValueError, match="Error BCP") as refused:
        expand({**given(BASE), **wrong})
    assert str(refused.value).count("Error BCP") == len(wrong)


def test_every_file_is_used() -> None:
    """No file is there that nothing deploys."""
    named = re.findall(r"'([\w/]+\.bicep)'", text(MAIN))
    assert {MAIN, *(f"infra/{name}" for name in named)} == set(FILES)


def test_every_parameter_is_described() -> None:
    """A deployer reads what each parameter is for."""
    assert all(decorator(each, "description") for each in parameters().values())


def test_nothing_is_fetched_from_a_registry() -> None:
    """A deployment needs this folder and Azure, and is the same tomorrow."""
    rules = json.loads((INFRA / "bicepconfig.json").read_text(encoding="utf-8"))
    assert rules.keys() == {"analyzers"}
    assert not any("'br" in text(file) or "'ts:" in text(file) for file in FILES)
