"""How long the app takes, as a table and what to set; against the local host and with artificial delays."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import requests
from azure.storage.queue import QueueServiceClient

from dev.doctor.latency import MOST_SECONDS, Latency, Plan, table
from dev.doctor.measuring import measure
from settings import load
from tests.end_to_end.conftest import KEY

if TYPE_CHECKING:
    from tests.dev.doctor.conftest import Doctor

WARM, COLD = 0.1, 8.0


@dataclass
class Sleeper:
    """An app on Flex Consumption in a clock of its own: HTTP and work each sleep after some idle seconds."""

    http_sleeps_after: float = 60
    work_sleeps_after: float = 30
    http_cold: float = COLD
    work_cold: float = COLD
    loses_all: bool = False
    now: float = 1000.0
    http_used: float = 0.0
    work_used: float = 0.0
    said: list[str] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def request(self) -> float:
        took = self.http_cold if self.now - self.http_used > self.http_sleeps_after else WARM
        self.now += took
        self.http_used = self.now
        return took

    def message(self, *, visible: float, due: float) -> float | None:
        if self.loses_all:
            return None
        is_cold = self.now + visible - self.work_used > self.work_sleeps_after
        begun = visible + (self.work_cold if is_cold else WARM)
        ended = max(begun, due)
        self.now += ended
        self.work_used = self.now
        return ended - due

    def measured(self, plan: Plan | None = None) -> Latency:
        latency = Latency(self, plan or Plan(), self.said.append, self.sleep)
        latency.run()
        return latency


def test_table() -> None:
    """Each row has its median and its slowest sample; progress names each step."""
    app = Sleeper()
    latency = app.measured()
    lines = dict(line.rsplit("  ", 3)[0::3] for line in table(latency.rows)[1:])
    shown = {name.strip(): value.strip() for name, value in lines.items()}
    assert shown == {
        "HTTP, first request of this run": "8.00 s",
        "HTTP, warm": "0.10 s",
        "HTTP, after 90 s without one": "8.00 s",
        "message, 0 s after the last": "8.00 s",  # the very first of all
        "message, 20 s after the last": "0.10 s",
        "message, 40 s after the last": "8.00 s",
        "message, 90 s after the last": "8.00 s",
        "message hidden for 45 s, after its time": "8.00 s",
        "the same, visible 30 s early": "0.00 s",
    }
    assert latency.work[0].median == WARM
    assert len(app.said) == 3 * 6
    assert app.said[0] == "1/3  message, 0 s after the last"


@pytest.mark.parametrize(
    ("app", "advice"),
    [
        (Sleeper(http_cold=WARM, work_cold=WARM), ["nothing: everything is answered within seconds"]),
        (Sleeper(work_cold=WARM), ["set ALWAYS_READY_INSTANCES to 1 or 2"]),
        (Sleeper(http_cold=WARM), ["the queue function sleeps, but is awake when a step is due"]),
        (Sleeper(http_cold=WARM, work_cold=40, work_sleeps_after=10), ["set ALWAYS_READY_WORK_INSTANCES to 1"]),
        (Sleeper(work_cold=40, work_sleeps_after=10), ["ALWAYS_READY_INSTANCES to", "ALWAYS_READY_WORK_INSTANCES to"]),
        (Sleeper(loses_all=True), ["no response within 180 s", "AzureWebJobs.work.Disabled"]),
    ],
)
def test_advice(app: Sleeper, advice: list[str]) -> None:
    """What to set follows from what is slow."""
    said = app.measured().advice()
    for words in advice:
        assert words in said
    assert ("deploy.md#always-ready" in said) is ("ALWAYS_READY" in said)


def test_a_lost_message_ends_it() -> None:
    """No run waits for more than one of them."""
    app = Sleeper(loses_all=True)
    latency = app.measured()
    assert len(app.said) == 1
    assert latency.work[0].median == latency.work[0].longest == MOST_SECONDS


def test_a_working_app(well: dict[str, str], capsys: pytest.CaptureFixture[str], azurite: str) -> None:
    """Requests and messages of a running app are measured, hidden ones too, and no queue is left."""
    plan = Plan(idle=(0, 0.5), hidden=3, samples=1)
    status = measure(load(well), KEY, requests.Session(), plan, as_json=True)
    said = capsys.readouterr()
    assert (status, said.err.count("\n")) == (0, 5), said
    rows = json.loads(said.out)["latency"]
    assert [len(row["seconds"]) for row in rows] == [1, 10, 1, 1, 1, 1, 1]
    # The local host looks into the queue every two seconds.
    assert all(0 <= row["median"] < 10 for row in rows), rows
    with QueueServiceClient.from_connection_string(azurite) as service:
        assert [one.name for one in service.list_queues() if one.name.startswith("doctor-")] == []


@pytest.mark.parametrize(
    ("key", "url", "words"),
    [
        (None, None, "FUNCTION_KEY is not set"),
        ("wrong", None, "does not accept FUNCTION_KEY"),
        (KEY, "http://127.0.0.1:1", "nothing listens"),
    ],
)
def test_not_measured(
    well: dict[str, str], capsys: pytest.CaptureFixture[str], key: str | None, url: str | None, words: str
) -> None:
    """One sentence says why, and no key is printed."""
    values = well if url is None else {**well, "PUBLIC_BASE_URL": url}
    assert measure(load(values), key, requests.Session(), Plan(samples=1)) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "wrong" not in said


def test_command(doctor: Doctor) -> None:
    """Settings with a fault are named as always; a good app without a key is not measured."""
    said = doctor("--latency", GRAPH_TENANT_ID=None)
    assert said.status == 1
    assert "GRAPH_TENANT_ID is not set" in said.of("settings")
    said = doctor("--latency", "--samples", "1", environment={"FUNCTION_KEY": ""})
    assert said.status == 1
    assert "not measured: FUNCTION_KEY is not set" in said.text
