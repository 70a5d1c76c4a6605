"""Two hundred steps that end in the same minute, at one instance, with every real part."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from dev.simulator import Simulator
from tests.calls.test_starting import id_of, user
from tests.end_to_end.conftest import run_host
from tests.escalation.test_escalating import escalate, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.simulator.log import RingEntry
    from tests.end_to_end.conftest import Host

COUNT, WAIT_SECONDS = 200, 45


@pytest.fixture(scope="module")
def graph() -> Iterator[Simulator]:
    """A simulated Graph whose seconds are as long as ours."""
    with Simulator(time_scale=1) as simulator:
        yield simulator


@pytest.mark.prove
def test_last_next_person(graph: Simulator, settings: dict[str, str], tmp_path: Path) -> None:
    """If no person answers, the last next person is called within ten seconds after their time."""
    graph.everyone("ringsOut")
    with run_host(settings, tmp_path) as host:
        people = [(user(), user()) for _ in range(COUNT)]
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda pair: _begun(host, graph, pair), people))
        assert made == [202] * COUNT
        seconds = WAIT_SECONDS + 60
        called = {ring.person: ring.at for ring in _rings(graph, 2 * COUNT, seconds)}
    late = sorted(called[id_of(second)] - called[id_of(first)] - WAIT_SECONDS for first, second in people)
    began = sorted(called[id_of(first)] for first, _ in people)
    spread = began[-1] - began[0]
    print(f"{COUNT} steps end within {spread:.0f} s; late: median {late[COUNT // 2]:.2f} s, last {late[-1]:.2f} s")  # noqa: T201
    assert spread < 60
    assert late[-1] <= 10


def _begun(host: Host, graph: Simulator, pair: tuple[dict[str, Any], dict[str, Any]]) -> int:
    call_id = graph.create_call(host.callback_uri, announce=False)
    body = {"steps": steps(*([one] for one in pair), wait=WAIT_SECONDS)}
    return escalate(host, call_id, body).status_code


def _rings(graph: Simulator, count: int, seconds: float) -> list[RingEntry]:
    deadline = time.monotonic() + seconds
    while len(graph.log.rings) < count and time.monotonic() < deadline:
        time.sleep(0.5)
    rings = list(graph.log.rings)
    assert len({one.person for one in rings}) == len(rings) == count
    return rings
