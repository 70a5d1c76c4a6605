"""The process's log records: redacted whichever library writes them, with named values where telemetry is on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from observability.events import Events
from observability.redaction import RecordFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSON = "278405a3-f568-4b3e-b684-009193463064"
REQUEST = "5fca7b02-2e24-4f28-8551-7c0938b2312e"
events = Events("test")


@pytest.fixture
def factory() -> Iterator[RecordFactory]:
    """A factory of its own, installed."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    made = RecordFactory()
    logging.setLogRecordFactory(made)
    yield made
    logging.setLogRecordFactory(before)


def test_event(caplog: pytest.LogCaptureFixture) -> None:
    """Names have dashes, and unknown values are a dash, so that all lines of a kind have one form."""
    with caplog.at_level(logging.INFO):
        events.info("graph invite", call="abc", status=200, request_id=None)
        events.warning("100% odd")
    assert caplog.messages == ["graph invite call=abc status=200 request-id=-", "100% odd"]
    assert {record.name for record in caplog.records} == {"call_invites.test"}
    assert {record.funcName for record in caplog.records} == {test_event.__name__}


def test_dimensions(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """The attributes that OpenTelemetry sends are redacted like the line."""
    factory.keep_values()
    log = logging.getLogger("call_invites.graph")
    with caplog.at_level(logging.INFO):
        events.info("x", count=3, request_id=REQUEST, who=PERSON, number="+4915112345678")
        log.warning("x count=%(count)s who=%(who)s", {"count": 3, "who": PERSON})
    first, second = caplog.records
    assert {name: vars(first)[name] for name in ("count", "request-id", "who", "number")} == {
        "count": 3,
        "request-id": REQUEST,
        "who": "[id]",
        "number": "[number]",
    }
    assert first.getMessage() == f"x count=3 request-id={REQUEST} who=[id] number=[number]"
    assert (vars(second)["count"], vars(second)["who"], second.getMessage()) == (3, "[id]", "x count=3 who=[id]")


def test_no_dimensions(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """Without telemetry the values are in the line only."""
    with caplog.at_level(logging.INFO):
        events.info("x", count=3)
    assert not hasattr(caplog.records[0], "count")


def test_extras(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """What other libraries give a record with ``extra`` is redacted before a handler sees it."""
    factory.keep_values()
    caplog.handler.addFilter(factory.clean_extras)
    try:
        with caplog.at_level(logging.INFO):
            logging.getLogger("other").info("x", extra={"url": "https://h/?sig=secret", "who": 4915112345678, "n": 3})
            events.info("y", request_id=REQUEST)
    finally:
        caplog.handler.removeFilter(factory.clean_extras)
    other, ours = caplog.records
    assert (vars(other)["url"], vars(other)["who"], vars(other)["n"]) == ("https://h/?sig=[secret]", "[number]", 3)
    assert vars(ours)["request-id"] == REQUEST


@pytest.mark.swallows
def test_trace(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """An exception is logged with its class and trace, without the personal data of its text."""
    factory.keep_values()
    try:
        int(f"of {PERSON}")
    except ValueError:
        events.exception("unforeseen")
    (record,) = caplog.records
    assert vars(record)["exception.type"] == "ValueError"
    assert "test_records.py" in vars(record)["exception.stacktrace"]
    assert "\n" in vars(record)["exception.stacktrace"]
    assert "of [id]" in vars(record)["exception.stacktrace"]
    assert PERSON not in str(vars(record))


def test_known_secret(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """A value that the app knows is replaced whatever its form; what is too short for a secret is not."""
    factory.learn(["p~ass phrase", "short", None])
    logging.getLogger("other").error("with p~ass phrase, and short words")
    assert caplog.messages == ["with [secret], and short words"]


def test_forged_line(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """A value can't begin a line of its own."""
    events.error("refused", code="x\nconcluded status=completed")
    assert caplog.messages == ["refused code=x\\nconcluded status=completed"]


def test_wrong_arguments(factory: RecordFactory, caplog: pytest.LogCaptureFixture) -> None:
    """A library's line whose arguments don't fit is logged as it is."""
    logging.getLogger("other").error("one %s", *("two", "three"))
    assert caplog.messages == ["one %s"]
