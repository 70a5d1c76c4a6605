"""Invitations and starts with faults of every kind: no outcome lost or wrong, no person or flow called twice."""

from __future__ import annotations

import random
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dev.simulator import Delivery, Simulator
from tests.end_to_end.conftest import run_host
from tests.end_to_end.waiting_flow import waiting_flow
from tests.never_twice.soak import soak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import Host


# What the app itself logs of what it went on from: a fault of Graph or of a flow is none.
_ERROR = re.compile(r"ERROR +call_invites\.")


@contextmanager
def now_and_then(settings: dict[str, str], folder: Path, seed: int) -> Iterator[list[Host]]:
    """Run a further process, whose queue function is enabled, from time to time; give those that have run."""
    ran: list[Host] = []
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    over = threading.Event()

    def come_and_go() -> None:
        while not over.wait(chance.uniform(0, 2)):
            with run_host(settings, folder) as host:
                ran.append(host)
                over.wait(chance.uniform(1, 5))

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        yield ran
    finally:
        over.set()
        thread.join()


def _soak(storage: str, tmp_path: Path, *, count: int, starts: int, share: float) -> str:
    with Simulator(time_scale=0.01, seed=7, delivery=Delivery(retries=4)) as graph, waiting_flow() as flow:
        settings = {
            **graph.settings(),
            "AzureWebJobsStorage": storage,
            "INVITATION_CHECK_AFTER_SECONDS": "4",
            "INVITATION_GIVE_UP_AFTER_SECONDS": "12",
            "START_GIVE_UP_AFTER_SECONDS": "5",
            "FLOW_CALLBACK_LOCAL_HOSTS": flow.local_host,
            "DEV_HOST_HIDDEN_SECONDS": "4",
        }
        asleep = {**settings, "AzureWebJobs.work.Disabled": "true"}
        with (
            run_host(asleep, tmp_path) as one,
            run_host(asleep, tmp_path) as other,
            now_and_then(settings, tmp_path, seed=7) as others,
        ):
            tally = soak([one, other], graph, flow, count=count, starts=starts, share=share, seed=7)
    errors = [line for host in (one, other, *others) for line in host.lines if _ERROR.search(line)]
    assert not tally.lost, tally.lost
    assert not tally.twice, tally.twice
    assert not tally.wrong, tally.wrong
    assert not tally.repeated, tally.repeated
    assert not errors, errors
    return tally.summary()


def test_soak(storage: str, tmp_path: Path) -> None:
    """Invitations and starts, half of them with faults, through processes whose queue function comes and goes."""
    print(_soak(storage, tmp_path, count=10, starts=4, share=0.5))  # noqa: T201 - the figures are what one runs it for


@pytest.mark.prove
def test_long_soak(storage: str, tmp_path: Path) -> None:
    """Two thousand invitations and 400 starts, a fifth of them with faults: all outcomes are right."""
    print(_soak(storage, tmp_path, count=2_000, starts=400, share=0.2))  # noqa: T201 - the figures are what one runs it for
