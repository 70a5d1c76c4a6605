"""An idle app sends nothing to Application Insights."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.observability.ingestion import Ingestion, ingestion

ROOT = Path(__file__).parents[2]
# As the worker does it: the root logger at level info, then the distribution, then the app; one line of the app's.
WORKER = """
import logging, sys
logging.getLogger().setLevel(logging.INFO)
from azure.monitor.opentelemetry import configure_azure_monitor
configure_azure_monitor()
if sys.argv[1] == "with":
    from observability.redaction import install
    install()
logging.getLogger("call_invites.test").info("one line")
input()
"""


@pytest.mark.parametrize(("install", "is_idle"), [("with", True), ("without", False)])
def test_an_idle_app_sends_nothing(install: str, *, is_idle: bool) -> None:
    """The exporter's own log lines are not exported; without ``install`` each batch makes the next one."""
    with ingestion() as taken:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, install],
            cwd=ROOT,
            env={**os.environ, **taken.settings, "OTEL_METRICS_EXPORTER": "none"},
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for_the_line(taken)
            before = len(taken.of("Message"))
            time.sleep(2)
            sent = len(taken.of("Message")) - before
        finally:
            worker.kill()
            worker.communicate()
    assert sent == 0 if is_idle else sent > 5


def _wait_for_the_line(taken: Ingestion) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not any(one["message"] == "one line" for one in taken.of("Message")):
        time.sleep(0.1)
    assert any(one["message"] == "one line" for one in taken.of("Message"))
    time.sleep(1)  # a batch that was on its way
