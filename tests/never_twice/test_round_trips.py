"""What each step costs in requests of storage, counted where they leave for it, and in POSTs."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.alarms import Message
from flows.progress import INVITATION
from storage.queue import StorageQueue, queue_client
from tests.never_twice.world import CALL, World, call_item, operation_item, roster_item
from tests.storage_fixtures import CountingTransport
from web.answers import Request

if TYPE_CHECKING:
    from settings import Settings
    from storage.table import StorageTable

ROOT = Path(__file__).resolve().parents[2]
PERSON, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


class Counted:
    """A world on real storage, and what was sent to it since the last look."""

    def __init__(self, settings: Settings, table: StorageTable, tables: CountingTransport, name: str) -> None:
        self._tables, self._queues = tables, CountingTransport()
        queue = StorageQueue(settings, name)
        queue._client = queue_client(settings, name, transport=self._queues)
        self.world = World(table=table, queue=queue)
        self.world.report(call_item("established"))
        self.world.invite((PERSON,), "first", {})  # table and queue are made
        self.spent()

    def spent(self) -> tuple[list[str], int, int]:
        """Return the methods of the requests to the table, the number of messages, and of POSTs to flows."""
        spent = [method for method, _ in self._tables.sent], len(self._queues.sent), len(self.world.flows.posted)
        self._tables.sent.clear()
        self._queues.sent.clear()
        self.world.flows.posted.clear()
        return spent

    def ends(self, place: int, *, with_context: bool = True) -> None:
        """Report the end of an operation, more than a second after its flow's 201."""
        self.world.clock.moment += timedelta(seconds=2)
        assert self.world.report(operation_item(self.world.graph.taken[place], "completed", with_context=with_context))


@pytest.fixture
def counted(app_settings: Settings, table: StorageTable, transport: CountingTransport, storage_name: str) -> Counted:
    """A world on a table and a queue of its own."""
    return Counted(app_settings, table, transport, storage_name)


def test_invite(counted: Counted) -> None:
    """Two requests to the table and one message; the same where a flow waits."""
    counted.world.invite((PERSON,), "context", {})
    assert counted.spent() == (["POST", "POST"], 1, 0)
    counted.world.invite((PERSON,), "waits", {}, waits=True)
    assert counted.spent() == (["POST", "POST"], 1, 0)


def test_finished_operation(counted: Counted) -> None:
    """Two requests to the table, three without its context, and no message."""
    counted.world.invite((PERSON,), "context", {})
    counted.world.invite((PERSON,), "other", {})
    counted.spent()
    counted.ends(1)
    assert counted.spent() == (["GET", "POST"], 0, 0)
    counted.ends(2, with_context=False)
    assert counted.spent() == (["GET", "GET", "POST"], 0, 0)


def test_waiting_flow(counted: Counted) -> None:
    """One request to the table more, the POST, and no message."""
    counted.world.invite((PERSON,), "context", {}, waits=True)
    counted.spent()
    counted.ends(1)
    assert counted.spent() == (["GET", "POST", "PUT"], 0, 1)


def test_settling(counted: Counted) -> None:
    """Where several people are to settle and a flow waits, the end costs two messages more; the roster none."""
    counted.world.invite((PERSON, OTHER), "context", {}, waits=True)
    counted.spent()
    counted.ends(1)
    assert counted.spent() == (["GET", "POST"], 2, 0)
    counted.world.report(roster_item({PERSON, OTHER}))
    requests, messages, posts = counted.spent()
    assert (len(requests), messages, posts) == (4, 0, 1)  # the roster's two, its invitation, and the mark


def test_repeat(counted: Counted) -> None:
    """A repeated report reads the row, and that is all."""
    counted.world.invite((PERSON,), "context", {}, waits=True)
    counted.ends(1)
    counted.spent()
    counted.ends(1)
    assert counted.spent() == (["GET"], 0, 0)


def test_poll(counted: Counted) -> None:
    """The invitation and its call come in one request."""
    world = counted.world
    world.invite((PERSON,), "context", {})
    counted.spent()
    invitation = world.store.all_invitations(CALL).invitations.values()
    token = {one.client_context: (one.id, one.token) for one in invitation}["context"]
    counted.spent()
    request = Request(route={"callId": CALL, "invitationId": token[0]}, query={"token": token[1]})
    assert world.queries.result(request).status == 202
    assert counted.spent() == (["GET"], 0, 0)


def test_whole_invitation(counted: Counted) -> None:
    """What docs/deploy.md multiplies: a person, a waiting flow, two rosters, and an alarm that finds nothing to do."""
    world = counted.world
    world.invite((PERSON,), "context", {}, waits=True)
    counted.ends(1)
    world.report(roster_item({OTHER}))
    world.report(roster_item({PERSON, OTHER}))
    stored = world.store.all_invitations(CALL).invitations.values()
    invitation = next(one for one in stored if one.client_context == "context")
    now = world.clock.now()
    message = Message(INVITATION, CALL, invitation.id, invitation.alarm.name, now, now)
    counted._tables.sent.pop()  # the test's own reading
    world.work.act(message)
    requests, messages, _ = counted.spent()
    executions = 5  # the invite, three callbacks, the message
    host = 2  # it takes the message from the queue, and deletes it
    said = re.search(
        r"(\d+) executions, (\d+) Table and (\d+) Queue transactions", (ROOT / "docs/deploy.md").read_text("utf-8")
    )
    assert said, (executions, len(requests), messages + host, requests)
    assert tuple(map(int, said.groups())) == (executions, len(requests), messages + host)
