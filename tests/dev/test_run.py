from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_APP = """
    import os
    import azure.functions as func
    app = func.FunctionApp()
    print("storage", os.environ["AzureWebJobsStorage"], flush=True)
"""
_FUNC = """\
    #!/bin/sh
    trap 'exit 0' INT
    echo "func $*"
    echo "storage $AzureWebJobsStorage"
    command -v python
    echo "listening on nothing"
    while :; do sleep 0.1; done
"""
_EMULATOR = '{"Values": {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}}'
_OWN = '{"Values": {"AzureWebJobsStorage": "AccountName=mine;AccountKey=a2V5"}}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with the sample settings only, as a fresh clone has it."""
    shutil.copytree(_ROOT / "dev", tmp_path / "dev", ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    (tmp_path / "dev" / "node_modules").symlink_to(_ROOT / "dev" / "node_modules")
    (tmp_path / "function_app.py").write_text(textwrap.dedent(_APP), encoding="utf-8")
    (tmp_path / "host.json").write_text("{}", encoding="utf-8")
    (tmp_path / "local.settings.sample.json").write_text(_EMULATOR, encoding="utf-8")
    return tmp_path


def _run(project: Path, path: str) -> tuple[int, str]:
    """Run the app until it listens, interrupt it as a terminal does; gives the status and all it said."""
    with subprocess.Popen(
        [sys.executable, "-m", "dev.run", *(() if "bin" in path else ("--port", "0"))],
        cwd=project,
        env={"PATH": path, "HOME": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        while "listening" not in said and (line := process.stdout.readline()):
            said += line
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    return process.returncode, said + rest


def test_without_core_tools_it_runs_on_the_local_host_and_azurite(project: Path) -> None:
    """A fresh clone gets its settings from the sample, an Azurite that keeps its data, and the local host."""
    status, said = _run(project, "/missing")
    assert status == 0, said
    assert (project / "local.settings.json").read_text(encoding="utf-8") == _EMULATOR
    assert re.search(r"^storage .*QueueEndpoint=http://127\.0\.0\.1:\d+/devstoreaccount1", said, re.MULTILINE), said
    assert "listening on http://127.0.0.1:" in said
    assert list((project / ".local" / "azurite").iterdir())


def test_core_tools_are_used_where_they_are_installed(project: Path) -> None:
    """With `func` on the path the app is started by it, with this project's Python and storage."""
    tools = project / "bin"
    tools.mkdir()
    (tools / "func").write_text(textwrap.dedent(_FUNC), encoding="utf-8")
    (tools / "func").chmod(0o755)
    status, said = _run(project, f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert status == 0, said
    assert "\nfunc start\n" in said
    assert "QueueEndpoint=http://127.0.0.1:" in said
    assert f"\n{Path(sys.executable).parent}/python\n" in said


def test_an_account_of_ones_own_is_left_alone(project: Path) -> None:
    """Where the settings name a storage account, no Azurite is started and nothing is overwritten."""
    (project / "local.settings.json").write_text(_OWN, encoding="utf-8")
    _, said = _run(project, "/missing")
    assert "storage AccountName=mine;" in said
    assert "Azurite" not in said
    assert (project / "local.settings.json").read_text(encoding="utf-8") == _OWN
