"""Stand-ins that keep the promises of the real parts: a table with ETags, a queue with delays, a clock one can move."""

from __future__ import annotations

import copy
import itertools
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from storage.errors import StorageUnavailable
from storage.rows import ANY_ETAG
from storage.table import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from storage.rows import Row


class FakeClock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class MemoryTable:
    """A table in memory: ETags, transactions of one partition, rows sorted by key; see ``storage.table.Table``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self._etags = itertools.count(1)
        self._lock = threading.Lock()

    def get(self, partition: str, row_key: str) -> dict[str, Any] | None:
        with self._lock:
            return copy.deepcopy(self.rows.get((partition, row_key)))

    def query(
        self, partition: str, *spans: tuple[str, str | None], open_only: bool = False, select: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        def wanted(row_key: str) -> bool:
            return any(row_key == first if after is None else first <= row_key < after for first, after in spans)

        with self._lock:
            found = [
                copy.deepcopy(row)
                for (row_partition, row_key), row in sorted(self.rows.items())
                if row_partition == partition and wanted(row_key) and (not open_only or row.get("open") is True)
            ]
        if not select:
            return found
        return [{name: row[name] for name in (*select, "etag") if name in row} for row in found]

    def keys_in(self, first_partition: str, after_partition: str) -> Iterator[tuple[str, str]]:
        with self._lock:
            keys = sorted(key for key in self.rows if first_partition <= key[0] < after_partition)
        yield from keys

    def write(self, group: Sequence[Row]) -> list[str]:
        keys = [(row.entity["PartitionKey"], row.entity["RowKey"]) for row in group]
        assert len({partition for partition, _ in keys}) == 1, "a transaction is about one partition"
        assert len(set(keys)) == len(keys), "a transaction writes each row once"
        assert len(group) <= 100, "a transaction has at most 100 rows"
        with self._lock:
            for key, row in zip(keys, group, strict=True):
                present = self.rows.get(key)
                if row.is_new and present is not None:
                    raise Conflict
                if row.etag is not None and (present is None or row.etag not in (ANY_ETAG, present["etag"])):
                    raise Conflict
            etags = []
            for key, row in zip(keys, group, strict=True):
                etags.append(f"etag-{next(self._etags)}")
                self.rows[key] = {**copy.deepcopy(row.entity), "etag": etags[-1]}
            return etags

    def delete(self, partition: str, row_keys: Sequence[str]) -> None:
        with self._lock:
            for row_key in row_keys:
                self.rows.pop((partition, row_key), None)


@dataclass(order=True)
class Waiting:
    """A message that is not visible yet."""

    due: datetime
    number: int
    text: str = field(compare=False)

    @property
    def message(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text)
        return content


class MemoryQueue:
    """A queue in memory; messages go through JSON as they do for real."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self.waiting: list[Waiting] = []
        self.is_failing = False

    def send(self, message: Mapping[str, Any], *, delay_seconds: float) -> None:
        if self.is_failing:
            raise StorageUnavailable
        due = self._clock.now() + timedelta(seconds=max(delay_seconds, 0))
        self.waiting.append(Waiting(due, next(self._numbers), json.dumps(message)))

    def due(self) -> list[Waiting]:
        """The messages that a queue trigger would get now, oldest first; they stay until ``remove``."""
        return sorted(waiting for waiting in self.waiting if waiting.due <= self._clock.now())

    def remove(self, waiting: Waiting) -> None:
        """A function ended well, so its message is gone."""
        self.waiting.remove(waiting)
