"""The timeline as CSV: its rows, its seconds, and no formula."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calls.page.spreadsheet import timeline_csv, timeline_file
from domain.record import CallRecord
from domain.results import ResultInfo
from domain.timeline import Event, EventKind, Person
from flows.advice import advice_for_call_end

BEGAN = datetime(2026, 3, 1, 2, 3, 4, tzinfo=UTC)
ANNA = Person("user", {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Anna"})
BEN = Person("user", {"id": "22222222-2222-4222-8222-222222222222", "displayName": 'Ben "B", Jr.'})


def _record(*events: Event) -> CallRecord:
    return CallRecord("c", events=events)


def _event(kind: EventKind, second: float, *people: Person, seconds: int | None = None) -> Event:
    return Event(kind, BEGAN + timedelta(seconds=second), people, seconds=seconds)


def _rows(record: CallRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(timeline_csv(record, "app"), newline="")))


def test_seconds() -> None:
    """Seconds to answer and to join count from when each person was called; a return has none."""
    record = _record(
        _event(EventKind.INVITED, 0, ANNA),
        _event(EventKind.STEP_STARTED, 10, BEN),
        _event(EventKind.ANSWERED, 12, BEN, seconds=2),
        _event(EventKind.JOINED, 13.6, ANNA, BEN),
        _event(EventKind.LEFT, 20, ANNA),
        _event(EventKind.JOINED, 30, ANNA),
    )
    rows = _rows(record)
    assert [row["secondsToAnswer"] for row in rows] == ["", "", "2", "", "", ""]
    assert [row["secondsToJoin"] for row in rows] == ["", "", "", "14; 4", "", ""]


def test_who_was_not_called() -> None:
    """Somebody who came by themselves has no seconds."""
    rows = _rows(_record(_event(EventKind.INVITED, 0, ANNA), _event(EventKind.JOINED, 5, BEN, ANNA)))
    assert [row["secondsToJoin"] for row in rows] == ["", "; 5"]


def test_rfc_4180() -> None:
    """Lines end with CR LF, and quotes and commas in a name are quoted."""
    text = timeline_csv(_record(_event(EventKind.INVITED, 0, BEN)), "app")
    assert text.count("\r\n") == text.count("\n") == 2
    assert '"Ben ""B"", Jr."' in text
    assert _rows(_record(_event(EventKind.INVITED, 0, BEN)))[0]["participants"] == 'Ben "B", Jr.'


def test_no_formula() -> None:
    """No cell, and no name in a cell, begins as a formula does, wide forms included."""
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "\t=1"]
    people = [Person("user", {"id": str(number), "displayName": name}) for number, name in enumerate(names)]
    record = _record(_event(EventKind.INVITED, 0, *people), *(_event(EventKind.LEFT, 1, one) for one in people))
    for row in _rows(record):
        for cell in row.values():
            for part in cell.split("; "):
                assert not part.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")), cell


def test_file() -> None:
    """The file is the same text, with the mark by which spreadsheets know UTF-8."""
    record = _record(_event(EventKind.INVITED, 0, ANNA))
    made = timeline_file(record, "app")
    assert made["name"] == "timeline.csv"
    assert base64.b64decode(made["contentBytes"]).decode("utf-8-sig") == timeline_csv(record, "app")


def test_empty() -> None:
    """Of an unknown call there is the first line only."""
    assert timeline_csv(_record(), "app").startswith("dateTime,event,text,participants,secondsToAnswer,secondsToJoin,")
    assert _rows(_record()) == []


def test_names() -> None:
    """A person whom no roster names is called as the flow named them, also where they came and went."""
    unnamed = Person("user", {"id": ANNA.identity["id"]})
    left = _event(EventKind.LEFT, 9, Person("user", {"id": BEN.identity["id"]}))
    joined = _event(EventKind.JOINED, 5, unnamed, BEN)
    texts = [row["text"] for row in _rows(_record(_event(EventKind.INVITED, 0, ANNA), joined, left))]
    assert texts[1:] == ['Anna and Ben "B", Jr. joined the call.', 'Ben "B", Jr. left the call.']


def test_why_a_one_to_one_call_was_not_answered() -> None:
    """The sentence is that of the start, whose result is the call's end."""
    end = ResultInfo(200, 5002, "All others left.")
    event = replace(_event(EventKind.NOT_REACHED, 3, ANNA), result=end)
    assert _rows(_record(event))[0]["text"] == f"Anna was not reached. {advice_for_call_end(end)}"
