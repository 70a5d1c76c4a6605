"""The timeline as CSV (RFC 4180), for people who open it in a spreadsheet."""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING

from calls.page.texts import Names, text_of
from calls.page.views import events_of
from domain.roster import identity_hash
from domain.timeline import EventKind
from flows.views import iso_time

if TYPE_CHECKING:
    from datetime import datetime

    from domain.record import CallRecord
    from domain.timeline import Event, Person

FILE_NAME = "timeline.csv"
_COLUMNS = (
    "dateTime",
    "event",
    "text",
    "participants",
    "secondsToAnswer",
    "secondsToJoin",
    "invitationId",
    "escalationId",
    "by",
)
# A spreadsheet takes a cell that begins with one of these for a formula; some take the wide forms, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def timeline_csv(record: CallRecord, client_id: str) -> str:
    """Return the events of a call, one a row, the people by name.

    Seconds count from the time at which Microsoft Graph was asked to call the person: to the answer, and to the first
    roster that shows them in the call. Of several people there is a number for each, in the order of the names.
    """
    events = events_of(record, client_id)
    names = Names(record.roster.values(), events)
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(_COLUMNS)
    asked: dict[str, datetime] = {}
    for event in events:
        if event.kind in (EventKind.INVITED, EventKind.STEP_STARTED):
            asked |= {_key(person): event.time for person in event.people}
        people = "; ".join(_cell(names.of(person)) for person in event.people)
        seconds = ("" if event.seconds is None else str(event.seconds), _seconds_to_join(event, asked))
        ids = (event.invitation_id or "", event.escalation_id or "", event.by or "")
        cells = (text_of(event, names), people, *seconds, *ids)
        writer.writerow([iso_time(event.time), event.kind.value, *map(_cell, cells)])
    return output.getvalue()


def timeline_file(record: CallRecord, client_id: str) -> dict[str, str]:
    """Return the CSV in the form in which Power Automate's mail actions attach a file."""
    content = timeline_csv(record, client_id).encode("utf-8-sig", "replace")  # without the mark, Excel reads it as ANSI
    return {"name": FILE_NAME, "contentBytes": base64.b64encode(content).decode("ascii")}


def _seconds_to_join(event: Event, asked: dict[str, datetime]) -> str:
    if event.kind is not EventKind.JOINED:
        return ""
    began = [asked.pop(_key(person), None) for person in event.people]
    if not any(began):
        return ""
    return "; ".join("" if one is None else str(max(0, round((event.time - one).total_seconds()))) for one in began)


def _key(person: Person) -> str:
    return identity_hash(str(person.identity.get("id") or ""))


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
