"""The doctor ends, whatever does not answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from dev.doctor.examination import Examination
from dev.doctor.findings import Status, ok
from dev.doctor.running import Check
from tests.dev.doctor.conftest import ALL
from tests.graph.servers import listening

if TYPE_CHECKING:
    import socket

    from dev.doctor.findings import Finding
    from tests.dev.doctor.conftest import Doctor


def test_all_checks_together_take_a_minute_at_most() -> None:
    """However many of them wait for something, each has its own limit."""
    assert sum(check.seconds for check in Examination({}).checks()) <= 60


def test_a_check_that_waits_too_long_is_given_up() -> None:
    """The next one comes; what was given up is a fault."""

    def wait() -> list[Finding]:
        time.sleep(5)
        return [ok("too late")]

    started = time.monotonic()
    (found,) = Check("slow", 0.2, wait).findings()
    assert time.monotonic() - started < 2
    assert found.status is Status.FAULT
    assert found.text == "no answer within 0.2 seconds"


def test_a_check_that_breaks_does_not_hide_the_others() -> None:
    """A fault of the doctor itself is one line, without what may be secret in its message."""

    def broken() -> list[Finding]:
        raise RuntimeError("AccountKey=secret")

    (found,) = Check("broken", 5, broken).findings()
    assert found.status is Status.FAULT
    assert "RuntimeError" in found.text
    assert "secret" not in found.text


def _silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize("check", ["table-storage", "queue-storage", "callback-keys"])
def test_a_server_that_says_nothing(doctor: Doctor, check: str) -> None:
    """A connection on which nothing comes back is given up in seconds, and said to be that."""
    with listening(_silent) as port:
        address = f"http://127.0.0.1:{port}"
        account = f"AccountName=a;AccountKey=a2V5;TableEndpoint={address}/a;QueueEndpoint={address}/a"
        started = time.monotonic()
        said = doctor(only=check, AzureWebJobsStorage=account, CALLBACK_OPENID_CONFIGURATION=f"{address}/v1")
        assert time.monotonic() - started < 12
    assert said.status == 1
    assert "does not answer in time" in said.of(check)


@pytest.mark.prove
def test_nothing_answers_at_all(doctor: Doctor) -> None:
    """Every server says nothing, and the whole still ends within a minute."""
    with listening(_silent) as port:
        address = f"127.0.0.1:{port}"
        started = time.monotonic()
        said = doctor(
            AzureWebJobsStorage=f"AccountName=a;AccountKey=a2V5;TableEndpoint=http://{address}/a;"
            f"QueueEndpoint=http://{address}/a",
            GRAPH_AUTHORITY=f"https://{address}/t",
            GRAPH_ENDPOINT=f"https://{address}",
            CALLBACK_OPENID_CONFIGURATION=f"http://{address}/v1",
            PUBLIC_BASE_URL=f"http://{address}",
        )
        assert time.monotonic() - started < 60
    assert said.status == 1
    for check in ALL:
        assert said.of(check).startswith("not checked" if check == "graph" else "fault"), said.text
