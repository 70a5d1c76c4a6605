"""Azure Table Storage as rows under ETags; the only module that knows ``azure.data.tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from azure.core import MatchConditions
from azure.data.tables import TableClient, UpdateMode

from storage.attempts import MAY_BE_REPEATED, NOT_DONE_ONLY, Failed, attempt
from storage.connections import CLIENT_OPTIONS
from storage.errors import StorageUnavailable, TooLarge
from storage.outcomes import Outcome
from storage.transport import StorageTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from settings import Settings
    from storage.connections import SharedCredential
    from storage.rows import Row

T = TypeVar("T")
_SYSTEM = "microsoft.tables"


class Conflict(Exception):
    """Another writer was faster; never leaves this room."""


class WriteUnknown(Exception):
    """A write may be stored or not; never leaves this room."""


class Table(Protocol):
    """Rows with ETags. Every method raises ``StorageUnavailable`` where storage fails."""

    def get(self, partition: str, key: str) -> dict[str, Any] | None:
        """Read one row: one request. Its ETag is under ``etag``."""

    def query(
        self, partition: str, *spans: tuple[str, str | None], open_only: bool = False, select: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Read the rows of a partition whose key is in one of the spans: one request for each thousand rows.

        Args:
            partition: the partition's key.
            spans: first key and the key after the last, or one key and None.
            open_only: only rows whose ``open`` is true.
            select: properties to read; all where empty.
        """

    def keys_in(self, first_partition: str, after_partition: str) -> Iterator[tuple[str, str]]:
        """Read the keys of all rows in a range of partitions."""

    def write(self, group: Sequence[Row]) -> list[str]:
        """Write rows of one partition in one entity-group transaction: one request, sent once if it is conditional.

        Returns:
            Their new ETags.

        Raises:
            Conflict: a row that had to be new was there, or one was changed or removed; nothing was written.
            WriteUnknown: it may be stored or not.
            TooLarge: it is larger than storage allows.
        """

    def delete(self, partition: str, keys: Sequence[str]) -> None:
        """Delete rows of one partition in one transaction, whatever their ETags."""


def table_client(
    settings: Settings, credential: SharedCredential | None = None, *, transport: Any = None
) -> TableClient:
    """Return a client of the state table; nothing is sent to storage yet.

    Raises:
        ValueError: the connection string, or the URL, can't be used.
    """
    location = settings.storage
    options = {**CLIENT_OPTIONS, "transport": transport or StorageTransport()}
    if location.connection_string is not None:
        return TableClient.from_connection_string(location.connection_string, settings.state_table, **options)
    return TableClient(str(location.table_endpoint), settings.state_table, credential=credential, **options)


class StorageTable:
    """A table of a storage account, made with its first row; see ``Table``."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    def get(self, partition: str, key: str) -> dict[str, Any] | None:
        """Read one row; see ``Table``."""

        def read() -> dict[str, Any] | None:
            return _with_etag(self._client.get_entity(partition, key))

        return self._read("table get", read, None)

    def query(
        self, partition: str, *spans: tuple[str, str | None], open_only: bool = False, select: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Read rows of a partition; see ``Table``."""
        conditions, parameters = [], {"partition": partition}
        for number, (first, after) in enumerate(spans):
            parameters[f"first{number}"] = first
            if after is None:
                conditions.append(f"RowKey eq @first{number}")
            else:
                parameters[f"after{number}"] = after
                conditions.append(f"( RowKey ge @first{number} and RowKey lt @after{number} )")
        # The library finds @parameters only between spaces.
        text = f"PartitionKey eq @partition and ( {' or '.join(conditions)} )"
        text += " and open eq true" if open_only else ""

        def read() -> list[dict[str, Any]]:
            found = self._client.query_entities(text, parameters=parameters, select=list(select) or None)
            return [_with_etag(entity) for entity in found]

        return self._read("table query", read, [])

    def keys_in(self, first_partition: str, after_partition: str) -> Iterator[tuple[str, str]]:
        """Read the keys of all rows in a range of partitions; see ``Table``."""
        pages = self._client.query_entities(
            "PartitionKey ge @first and PartitionKey lt @after",
            parameters={"first": first_partition, "after": after_partition},
            select=["PartitionKey", "RowKey"],
        ).by_page()

        def next_keys() -> list[tuple[str, str]] | None:
            page = next(pages, None)
            return None if page is None else [(entity["PartitionKey"], entity["RowKey"]) for entity in page]

        # A page that failed can't be asked for again.
        while (keys := self._read("table keys", next_keys, None, again=())) is not None:
            yield from keys

    def write(self, group: Sequence[Row]) -> list[str]:
        """Write rows of one partition in one transaction; see ``Table``."""
        is_conditional = any(row.is_new or row.etag is not None for row in group)
        try:
            return attempt(
                "table write",
                _SYSTEM,
                lambda: self._write(group),
                again=NOT_DONE_ONLY if is_conditional else MAY_BE_REPEATED,
                create=self._client.create_table,
            )
        except Failed as error:
            raise _of_a_write(error) from error

    def delete(self, partition: str, keys: Sequence[str]) -> None:
        """Delete rows of one partition in one transaction; see ``Table``."""
        operations = [("delete", {"PartitionKey": partition, "RowKey": key}) for key in keys]

        def delete_all() -> bool:
            self._client.submit_transaction(operations)
            return True

        def delete_one_by_one() -> None:
            for key in keys:
                self._client.delete_entity(partition, key)  # a row that is gone is no error here

        if not self._read("table delete", delete_all, False):
            # One of them is gone already, and the whole transaction was refused for it.
            self._read("table delete", delete_one_by_one, None)

    def _write(self, group: Sequence[Row]) -> list[str]:
        if len(group) > 1:
            written = self._client.submit_transaction([_operation(row) for row in group])
            return [_etag(metadata) for metadata in written]
        (row,) = group
        if row.is_new:
            return [_etag(self._client.create_entity(row.entity))]
        if row.etag is None:
            return [_etag(self._client.upsert_entity(row.entity, mode=UpdateMode.REPLACE))]
        updated = self._client.update_entity(
            row.entity, mode=UpdateMode.REPLACE, etag=row.etag, match_condition=MatchConditions.IfNotModified
        )
        return [_etag(updated)]

    def _read(self, name: str, ask: Callable[[], T], missing: T, *, again: Collection[Outcome] = MAY_BE_REPEATED) -> T:
        """Read, or do what may be done twice."""
        try:
            return attempt(name, _SYSTEM, ask, again=again)
        except Failed as error:
            if error.failure.outcome is Outcome.MISSING:
                return missing
            error.failure.log("table storage")
            raise StorageUnavailable from error


def _of_a_write(error: Failed) -> Exception:
    failure = error.failure
    if failure.outcome in (Outcome.CONFLICT, Outcome.MISSING):
        # After a repetition the conflict may be with this very write.
        return WriteUnknown() if error.was_repeated else Conflict()
    failure.log("table storage")
    if failure.outcome is Outcome.TOO_LARGE:
        return TooLarge("More is to be stored than a row of storage holds.")
    return WriteUnknown() if failure.outcome is Outcome.UNKNOWN or error.was_repeated else StorageUnavailable()


def _etag(written: Mapping[str, Any]) -> str:
    """Return the new ETag of a row; the library accepts a response that was cut in its headers.

    Raises:
        ValueError: there is no whole ETag, so storage may have written the row.
    """
    etag = written["etag"]
    if not isinstance(etag, str) or not etag.endswith('"'):
        message = "the response has no whole ETag"
        raise ValueError(message)
    return etag


def _with_etag(entity: Any) -> dict[str, Any]:
    return {**entity, "etag": entity.metadata["etag"]}


def _operation(row: Row) -> tuple[Any, ...]:
    if row.is_new:
        return ("create", row.entity)
    if row.etag is None:
        return ("upsert", row.entity, {"mode": UpdateMode.REPLACE})
    guarded = {"mode": UpdateMode.REPLACE, "etag": row.etag, "match_condition": MatchConditions.IfNotModified}
    return ("update", row.entity, guarded)
