"""``docs/openapi.yaml`` stays what generators of typed clients take without a warning.

The rules are those of Microsoft's Kiota, https://github.com/microsoft/kiota/tree/main/src/Kiota.Builder/Validation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from connector import openapi

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMATS = {"string": {"date-time", "uri"}, "integer": {"int32", "int64"}, "number": {"double"}}


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for item in openapi.document()["paths"].values():
        yield from item.items()


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _schemas(inner)


def test_one_server() -> None:
    """There is one server, whose host has a default."""
    (server,) = openapi.document()["servers"]
    assert server["variables"]["host"]["default"]


def test_bodies() -> None:
    """Only POST has a body, and a 204 and a 304 have none."""
    for method, operation in _operations():
        assert method == "post" or "requestBody" not in operation
        assert not any("content" in operation["responses"].get(status, {}) for status in ("204", "304"))


def test_one_kind_of_success() -> None:
    """All successes of an operation have the same body, which is a named object of JSON."""
    for _, operation in _operations():
        contents = [each["content"] for status, each in operation["responses"].items() if "content" in each]
        found = {json.dumps(one) for one in contents if "Error" not in json.dumps(one)}
        assert len(found) <= 1, operation["operationId"]
        assert all(list(one) == ["application/json"] for one in contents)
        assert all("$ref" in one["application/json"]["schema"] for one in contents)


def test_types() -> None:
    """No union of objects, for which a client would need a discriminator, and no format that fits no type."""
    for schema in _schemas(openapi.document()["components"]["schemas"]):
        assert "oneOf" not in schema
        others = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
        assert len(others) <= 1
        kinds = [kind for kind in [schema.get("type", "")] if isinstance(kind, str)] or schema.get("type", [])
        if isinstance(schema.get("format"), str):
            assert any(schema["format"] in _FORMATS.get(kind, ()) for kind in kinds), schema
