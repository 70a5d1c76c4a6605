"""Azure Table Storage, as rows under ETags; the only module that knows ``azure.data.tables``."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from observability import telemetry
from storage.connections import storage_transport
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from settings import Settings
    from storage.rows import Row

_events = telemetry.Events("storage")
_CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "retry_connect": 1,
    "retry_read": 0,
    "retry_backoff_factor": 0.2,
    "retry_backoff_max": 1,
    "logging_enable": False,
}


class AlreadyThere(Exception):
    """The row to be inserted is there already."""


class Conflict(Exception):
    """Somebody changed a row since it was read."""


class Table(Protocol):
    """Rows with ETags. Every method raises ``StorageUnavailable`` where storage fails."""

    def get(self, partition: str, row_key: str) -> dict[str, Any] | None:
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
        """Write rows of one partition in one entity-group transaction: one request.

        Returns:
            Their new ETags.

        Raises:
            AlreadyThere: a row that had to be new was there; nothing was written.
            Conflict: a row was changed by somebody else; nothing was written.
        """

    def delete(self, partition: str, row_keys: Sequence[str]) -> None:
        """Delete rows of one partition in one transaction, whatever their ETags."""


def table_client(settings: Settings, **options: Any) -> TableClient:
    """Return a client of the state table; nothing is asked of storage yet.

    Raises:
        ValueError: the connection string, or the address, can't be used.
    """
    location = settings.storage
    options = {**_CLIENT_OPTIONS, "transport": storage_transport(), **options}
    if location.connection_string is not None:
        return TableClient.from_connection_string(location.connection_string, settings.state_table, **options)
    # Imported only where a managed identity is used: it costs as much as the rest of the app.
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

    credential = ManagedIdentityCredential(client_id=location.identity_client_id)
    return TableClient(str(location.table_endpoint), settings.state_table, credential=credential, **options)


class StorageTable:
    """A table of a storage account, made with its first row; see ``Table``."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    def get(self, partition: str, row_key: str) -> dict[str, Any] | None:
        """Read one row; see ``Table``."""
        with _asking("get"):
            try:
                return _with_etag(self._client.get_entity(partition, row_key))
            except ResourceNotFoundError:
                return None

    def query(
        self, partition: str, *spans: tuple[str, str | None], open_only: bool = False, select: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Read rows of a partition; see ``Table``."""
        conditions, parameters = [], {"partition": partition}
        for place, (first, after) in enumerate(spans):
            parameters[f"first{place}"] = first
            if after is None:
                conditions.append(f"RowKey eq @first{place}")
            else:
                parameters[f"after{place}"] = after
                conditions.append(f"( RowKey ge @first{place} and RowKey lt @after{place} )")
        # The library finds @parameters only between spaces.
        text = f"PartitionKey eq @partition and ( {' or '.join(conditions)} )"
        text += " and open eq true" if open_only else ""
        with _asking("query"):
            try:
                found = self._client.query_entities(text, parameters=parameters, select=list(select) or None)
                return [_with_etag(entity) for entity in found]
            except ResourceNotFoundError:
                return []

    def keys_in(self, first_partition: str, after_partition: str) -> Iterator[tuple[str, str]]:
        """Read the keys of all rows in a range of partitions; see ``Table``."""
        pages = self._client.query_entities(
            "PartitionKey ge @first and PartitionKey lt @after",
            parameters={"first": first_partition, "after": after_partition},
            select=["PartitionKey", "RowKey"],
        ).by_page()
        while True:
            with _asking("query keys"):
                try:
                    page = next(pages, None)
                    keys = [(entity["PartitionKey"], entity["RowKey"]) for entity in page or ()]
                except ResourceNotFoundError:
                    return
            if page is None:
                return
            yield from keys

    def write(self, group: Sequence[Row]) -> list[str]:
        """Write rows of one partition in one transaction; see ``Table``."""
        with _asking("write") as span:
            span.note({"rows": len(group)})
            if len(group) == 1:
                return [self._creating_table(lambda: self._write_one(group[0]))["etag"]]
            operations = [_operation(row) for row in group]
            written = self._creating_table(lambda: self._client.submit_transaction(operations))
            return [metadata["etag"] for metadata in written]

    def delete(self, partition: str, row_keys: Sequence[str]) -> None:
        """Delete rows of one partition in one transaction; see ``Table``."""
        with _asking("delete"):
            try:
                self._client.submit_transaction(
                    [("delete", {"PartitionKey": partition, "RowKey": row_key}) for row_key in row_keys]
                )
            except HttpResponseError as error:
                if error_code(error) not in ("ResourceNotFound", "TableNotFound"):
                    raise
                # One of them is gone already, for which the whole transaction is refused.
                for row_key in row_keys:
                    self._client.delete_entity(partition, row_key)

    def _write_one(self, row: Row) -> Mapping[str, Any]:
        if row.is_new:
            return self._client.create_entity(row.entity)
        if row.etag is None:
            return self._client.upsert_entity(row.entity, mode=UpdateMode.REPLACE)
        return self._client.update_entity(
            row.entity, mode=UpdateMode.REPLACE, etag=row.etag, match_condition=MatchConditions.IfNotModified
        )

    def _creating_table(self, write: Callable[[], Any]) -> Any:
        try:
            return write()
        except HttpResponseError as error:
            if error_code(error) != "TableNotFound":
                raise
        with suppress(ResourceExistsError):  # another process was faster
            self._client.create_table()
        return write()


def _with_etag(entity: Any) -> dict[str, Any]:
    return {**entity, "etag": entity.metadata["etag"]}


def _operation(row: Row) -> tuple[Any, ...]:
    if row.is_new:
        return ("create", row.entity)
    if row.etag is None:
        return ("upsert", row.entity, {"mode": UpdateMode.REPLACE})
    guarded = {"mode": UpdateMode.REPLACE, "etag": row.etag, "match_condition": MatchConditions.IfNotModified}
    return ("update", row.entity, guarded)


@contextmanager
def _asking(what: str) -> Iterator[telemetry.Span]:
    """Time a request, and turn what the storage library raises into what a caller can act on."""
    with telemetry.span(f"table {what}", "microsoft.tables") as span:
        try:
            yield span
        except AzureError as error:
            cause, raised = error, _translation(error)
            if isinstance(raised, StorageUnavailable):  # that a row is there, or was changed, is a good answer
                span.failed(type(error).__name__)
        else:
            return
    raise raised from cause


def _translation(error: AzureError) -> Exception:
    code = error_code(error)
    status = getattr(error, "status_code", None)
    if code == "EntityAlreadyExists":
        return AlreadyThere()
    if status == 412 or code in ("UpdateConditionNotSatisfied", "ConditionNotMet", "ResourceNotFound"):  # noqa: PLR2004
        return Conflict()
    _events.warning("table storage failed", kind=type(error).__name__, status=status, code=code or None)
    return StorageUnavailable()


def error_code(error: BaseException) -> str:
    """Return storage's own error code; the library decodes it for some requests and leaves it raw for others."""
    code = getattr(error, "error_code", None)
    if code is None and isinstance(error, HttpResponseError) and error.response is not None:
        response: Any = error.response
        try:
            code = response.json()["odata.error"]["code"]
        except (ValueError, KeyError, TypeError):
            code = response.headers.get("x-ms-error-code")
    return str(getattr(code, "value", code) or "")
