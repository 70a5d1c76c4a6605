from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient

from dev.azurite import azurite as run_azurite

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 20.0


def test_tables_and_queues_answer(azurite: str, storage_name: str) -> None:
    """Inside the block, tables and queues can be used at once."""
    with TableServiceClient.from_connection_string(azurite) as service:
        table = service.create_table(storage_name)
        table.create_entity({"PartitionKey": "p", "RowKey": "r", "n": 1})
        assert table.get_entity("p", "r")["n"] == 1
    with QueueClient.from_connection_string(azurite, storage_name) as queue:
        queue.create_queue()
        queue.send_message("hello")
        assert [message.content for message in queue.receive_messages()] == ["hello"]


def test_a_folder_keeps_what_was_stored(tmp_path: Path, storage_name: str) -> None:
    """With a folder, what was stored is there again at the next start."""
    folder = tmp_path / "data"
    with run_azurite(folder) as account, TableServiceClient.from_connection_string(account) as service:
        service.create_table(storage_name)
    with run_azurite(folder) as account, TableServiceClient.from_connection_string(account) as service:
        assert [table.name for table in service.list_tables()] == [storage_name]


def test_it_ends_with_the_process_that_started_it() -> None:
    """Not even a killed program leaves an Azurite behind."""
    program = """
        import time
        from dev import azurite
        process = azurite._start(None)
        azurite._ports(process)
        print(process.pid, flush=True)
        time.sleep(600)
    """
    starter = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert _runs(pid)
        starter.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + _SECONDS
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that ended but has no parent to notice it yet is gone for this purpose.
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
