from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.demo.uses import USES

_ROOT = Path(__file__).resolve().parents[2]
# A developer's own shell may name a real Graph, and a proxy that can't reach this machine.
_ENVIRONMENT = {
    **os.environ,
    "GRAPH_ENDPOINT": "https://graph.invalid",
    "GRAPH_CLIENT_CERTIFICATE": "/missing",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}
_WRONG = """
import dataclasses, sys
from dev.demo import command as demo
declined = demo.USES[-1]
made_wrong = dataclasses.replace(demo.USES[0], body=declined.body, declining=declined.declining)
sys.exit(demo.main([made_wrong, declined]))
"""
_NOTHING_PLAYED = "import sys; from dev.demo import command; sys.exit(command.main([]))"


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=_ROOT,
        env={**_ENVIRONMENT, "DEMO_EXIT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_demo_shows_every_use_from_the_invitation_to_the_roster() -> None:
    """With DEMO_EXIT=1 all uses are played, shown in plain lines, and the status is 0."""
    shown = _demo("-m", "dev.demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert not shown.stderr
    for number, use in enumerate(USES, start=1):
        _, found, rest = shown.stdout.partition(f"\n{number}  {use.title}  call ")
        assert found, use.title
        lines = rest.partition("\n\n")[0]
        labels = [line.split()[0] for line in lines.splitlines()[1:]]
        assert labels[:7] == ["invites", "202", "rings", "outcome", "reports", "presence", "roster"], lines
        assert f"outcome   {use.answer} " in lines
        assert ("inCall" in lines) == (not use.declining)
    parts = ("A meeting joined by its link", "A one-to-one call", "A meeting joined, and people called")
    for part in (*parts, "A call kept alive", "Hanging up"):
        _, found, rest = shown.stdout.partition(f"  {part}")
        assert found, part
        assert "\n  right " in rest.partition("\n\n")[0], rest
    assert "+1234…" in shown.stdout
    assert "+12345678901" not in shown.stdout
    assert "token=…" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_a_wrong_outcome_is_named_and_gives_status_1() -> None:
    """A person who declines where they had to come: a clear message, and the other uses are played all the same."""
    shown = _demo("-c", _WRONG)
    assert shown.returncode == 1, shown.stdout + shown.stderr
    assert "this had to be 200 completed" in shown.stdout
    assert f"1 of 2 invitations did not end as expected: 1  {USES[0].title}" in shown.stdout
    assert f"\n2  {USES[-1].title}" in shown.stdout
    assert "Traceback" not in shown.stdout + shown.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_printed_commands_work_as_they_are_and_ctrl_c_ends_everything() -> None:
    """Pasted one after the other they invite, poll and read; afterwards nothing of the demo is left running."""
    with subprocess.Popen(
        [sys.executable, "-c", _NOTHING_PLAYED],
        cwd=_ROOT,
        env={**_ENVIRONMENT, "DEMO_EXIT": "0", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        said = ""
        while "Ctrl-C" not in said and (line := demo.stdout.readline()):
            said += line
        try:
            commands = re.findall(r"^(?:curl|poll=).*$", said, re.MULTILINE)
            make_call, invite, poll, look = commands
            script = f"{make_call}\n{invite}\nsleep 2\n{poll}\n{look}"
            pasted = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)
            children = _children(demo.pid)
        finally:
            demo.send_signal(signal.SIGINT)
            rest, _ = demo.communicate(timeout=30)
    assert (demo.returncode, "Traceback" in said + rest) == (0, False), said + rest
    assert "HTTP/1.1 202" in pasted.stderr
    assert "HTTP/1.1 200" in pasted.stdout
    assert '"status": "completed"' in pasted.stdout
    assert '"presence": "inCall"' in pasted.stdout
    assert len(children) == 2, "Azurite and the app"
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_nothing_is_left_where_the_demo_is_killed() -> None:
    """Even a killed demo leaves no process behind."""
    with subprocess.Popen(
        [sys.executable, "-c", _NOTHING_PLAYED],
        cwd=_ROOT,
        env={**_ENVIRONMENT, "DEMO_EXIT": "", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        while "Ctrl-C" not in (line := demo.stdout.readline()) and line:
            pass
        children = _children(demo.pid)
        demo.kill()
        demo.communicate(timeout=30)
    assert len(children) == 2
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, task.read_text(encoding="ascii").split())
    return found
