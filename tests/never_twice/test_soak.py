"""Many invitations with faults of every kind: no outcome lost or wrong, no person called twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.simulator import Delivery, Simulator
from tests.end_to_end.conftest import run_host
from tests.never_twice.soak import soak

if TYPE_CHECKING:
    from pathlib import Path


def _soak(storage: str, tmp_path: Path, *, count: int, share: float) -> str:
    with Simulator(time_scale=0.01, seed=7, delivery=Delivery(retries=4)) as graph:
        settings = {
            **graph.settings(),
            "AzureWebJobsStorage": storage,
            "INVITATION_CHECK_AFTER_SECONDS": "4",
            "INVITATION_GIVE_UP_AFTER_SECONDS": "12",
        }
        with run_host(settings, tmp_path) as one, run_host(settings, tmp_path) as other:
            tally = soak([one, other], graph, count=count, share=share, seed=7)
            unforeseen = [line for host in (one, other) for line in host.lines if "unforeseen" in line]
    assert not tally.lost, tally.lost
    assert not tally.twice, tally.twice
    assert not tally.wrong, tally.wrong
    assert not unforeseen, unforeseen
    return tally.summary()


def test_soak(storage: str, tmp_path: Path) -> None:
    """Two dozen invitations, half of them with faults, through two processes: all outcomes are right."""
    print(_soak(storage, tmp_path, count=24, share=0.5))  # noqa: T201 - the figures are what one runs it for


@pytest.mark.prove
def test_long_soak(storage: str, tmp_path: Path) -> None:
    """Two thousand invitations, a fifth of them with faults: all outcomes are right."""
    print(_soak(storage, tmp_path, count=2_000, share=0.2))  # noqa: T201 - the figures are what one runs it for
