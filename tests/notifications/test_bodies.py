"""A callback that is refused for its body leaves one line in the log and one count."""

from __future__ import annotations

import gzip
import json
import logging
from typing import Any

import pytest

from notifications.bodies import LARGEST_BODY, Callback, callback_of
from observability import tracing
from web.answers import Request
from web.errors import ApiError

BODY = json.dumps({"value": [{"id": 1}]}).encode()


def _many(count: int, data: Any) -> bytes:
    item = {"resourceUrl": "/app/calls/a/participants", "changeType": "updated", "resourceData": data}
    return json.dumps({"value": [item] * count}).encode()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was counted."""
    counts: list[dict[str, Any]] = []
    monkeypatch.setattr(tracing, "count", lambda name, **more: counts.append({"name": name, **more}))
    return counts


def test_read(counted: list[dict[str, Any]]) -> None:
    """Compressed or not, whatever its content type."""
    for headers, content in (
        ({}, BODY),
        ({"content-type": "text/plain"}, b"\xef\xbb\xbf" + BODY),
        ({"content-encoding": "gzip"}, gzip.compress(BODY, mtime=0)),
        ({"content-encoding": "gzip"}, gzip.compress(BODY[:7], mtime=0) + gzip.compress(BODY[7:], mtime=0)),
    ):
        assert callback_of(Request(headers=headers, body=content)) == Callback({}, items=1, ignored=1)
    assert counted == []


@pytest.mark.parametrize(
    ("headers", "content", "status", "reason"),
    [
        ({"transfer-encoding": "chunked"}, b"", 400, "EmptyBody"),
        ({}, b" \r\n", 400, "EmptyBody"),
        ({}, b"<xml/>", 400, "NotJson"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=b", 400, "NotJson"),
        ({}, b"[]", 400, "NoValue"),
        ({}, b'{"value": {}}', 400, "NoValue"),
        ({"content-encoding": "br"}, b"\x0b\x02\x80", 400, "UnknownEncoding"),
        ({"content-encoding": "gzip"}, gzip.compress(BODY, mtime=0)[:-9], 400, "WrongEncoding"),
        ({"content-encoding": "gzip"}, gzip.compress(b" " * (LARGEST_BODY + 1), mtime=0), 413, "BodyTooLarge"),
        ({}, b" " * (LARGEST_BODY + 1), 413, "BodyTooLarge"),
        ({}, _many(1_001, {"id": "o", "status": "completed"}), 413, "TooManyReports"),
        ({}, _many(251, []), 413, "TooManyReports"),
        ({}, json.dumps({"value": [{}] * 10_001}).encode(), 413, "TooManyReports"),
        ({}, _many(60, [{"@odata.type": "x.participant", "id": "p"}] * 200), 413, "TooManyReports"),
        ({"content-encoding": "zstd"}, b"(\xb5/\xfd", 400, "UnknownEncoding"),
        (
            {"content-encoding": "gzip, gzip"},
            gzip.compress(gzip.compress(BODY, mtime=0), mtime=0),
            400,
            "UnknownEncoding",
        ),
        ({"content-encoding": "gzip"}, gzip.compress(b"", mtime=0), 400, "EmptyBody"),
        ({}, gzip.compress(BODY, mtime=0), 400, "NotJson"),
        ({}, BODY.decode().encode("utf-16"), 400, "NotJson"),
        ({}, b"null", 400, "NoValue"),
    ],
)
def test_refused(
    headers: dict[str, str],
    content: bytes,
    status: int,
    reason: str,
    *,
    caplog: pytest.LogCaptureFixture,
    counted: list[dict[str, Any]],
) -> None:
    """The line has the reason, the size and the headers that explain it."""
    with caplog.at_level(logging.INFO), pytest.raises(ApiError) as caught:
        callback_of(Request(headers=headers, body=content))
    assert caught.value.status == status
    (line,) = [record.getMessage() for record in caplog.records]
    values = {
        "encoding": headers.get("content-encoding", "-"),
        "transfer-encoding": headers.get("transfer-encoding", "-"),
        "content-type": headers.get("content-type", "-"),
    }
    shown = " ".join(f"{name}={value}" for name, value in values.items())
    assert line == f"callback body refused reason={reason} size={len(content)} {shown}"
    assert counted == [{"name": "callback_bodies_refused", "reason": reason}]


def test_header_from_outside(caplog: pytest.LogCaptureFixture) -> None:
    """A header that is none is not copied into the log."""
    with pytest.raises(ApiError):
        callback_of(Request(headers={"content-type": 'x\n"forged line"'}, body=b""))
    assert "content-type=other" in caplog.text
    assert "forged" not in caplog.text
