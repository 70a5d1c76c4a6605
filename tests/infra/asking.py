"""Application Insights for one machine: its tables, filled with what an exporter sent, and queries that are really run.

The queries run on DuckDB, by a translation of Kusto that refuses what it does not know. It is not Azure's engine.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import duckdb_kql

from tests.infra.queries import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TYPES = {"datetime": "TIMESTAMP", "dynamic": "JSON", "int": "INTEGER", "real": "DOUBLE", "string": "VARCHAR"}
_SEVERITIES = ("Verbose", "Information", "Warning", "Error", "Critical")
_DURATION = re.compile(r"(\d+)\.(\d+):(\d+):([\d.]+)")


@dataclass
class Insights:
    """The tables, empty at first."""

    _connection: Any = field(default_factory=duckdb_kql.connect)

    def __post_init__(self) -> None:
        for name, columns in tables().items():
            kinds = ", ".join(f'"{column}" {_TYPES[kind]}' for column, kind in columns.items())
            self._connection.execute(f'CREATE TABLE "{name}" ({kinds})')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row; strings that it does not have are empty, as in Application Insights."""
        whole = {column: "" for column, kind in tables()[table].items() if kind == "string"} | {**row}
        columns = ", ".join(f'"{column}"' for column in whole)
        values = [json.dumps(value) if isinstance(value, dict) else value for value in whole.values()]
        places = ", ".join("?" * len(values))
        self._connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', values)  # noqa: S608

    def take(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Add what an exporter sent, as the documented columns have it."""
        for item in items:
            content, kind = item["data"]["baseData"], item["data"]["baseType"]
            common = {
                "timestamp": item["time"].removesuffix("Z"),
                "customDimensions": content.get("properties", {}),
                "operation_Id": item.get("tags", {}).get("ai.operation.id", ""),
            }
            if kind == "MetricData":
                for metric in content["metrics"]:
                    own = {"name": metric["name"], "value": metric["value"], "valueSum": metric["value"]}
                    self.add("customMetrics", {**common, **own, "valueCount": metric.get("count") or 1})
            elif kind in _ROWS:
                table, row = _ROWS[kind]
                self.add(table, {**common, "itemCount": 1, **row(content)})

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Run a query and return its rows."""
        found = duckdb_kql.query(self._connection, query)
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def _line(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"message": content["message"], "severityLevel": _severity(content)}


def _exception(content: Mapping[str, Any]) -> dict[str, Any]:
    first = content["exceptions"][0]
    return {"outerMessage": first["message"], "type": first["typeName"], "severityLevel": _severity(content)}


def _dependency(content: Mapping[str, Any]) -> dict[str, Any]:
    found = _DURATION.fullmatch(content["duration"])
    assert found
    days, hours, minutes, seconds = map(float, found.groups())
    duration = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
    success = str(content["success"])
    return {"name": content["name"], "type": content.get("type", ""), "success": success, "duration": duration}


def _severity(content: Mapping[str, Any]) -> int:
    level = content["severityLevel"]
    return level if isinstance(level, int) else _SEVERITIES.index(level)


_ROWS = {
    "MessageData": ("traces", _line),
    "ExceptionData": ("exceptions", _exception),
    "RemoteDependencyData": ("dependencies", _dependency),
}
