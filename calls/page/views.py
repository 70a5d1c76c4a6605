"""The timeline as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calls.page.texts import Names, text_of
from domain.roster import is_application
from domain.timeline import shown
from flows.views import iso_time

if TYPE_CHECKING:
    from domain.record import CallRecord
    from domain.timeline import Event

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t")


def timeline_view(record: CallRecord, client_id: str) -> list[dict[str, Any]]:
    """Return the events of a call, oldest first; the app itself, with this client ID, is none of its people."""
    names = Names(record.roster.values())
    view = []
    for event in _events(record, client_id):
        one: dict[str, Any] = {
            "dateTime": iso_time(event.time),
            "event": event.kind.value,
            "text": text_of(event, names),
            "participants": [{"identity": {person.kind: dict(person.identity)}} for person in event.people],
        }
        optional = {"invitationId": event.invitation_id, "escalationId": event.escalation_id, "by": event.by}
        view.append(one | {name: value for name, value in optional.items() if value is not None})
    return view


def timeline_csv(record: CallRecord, client_id: str) -> str:
    """Return the same as CSV (RFC 4180), the people by name."""
    names = Names(record.roster.values())
    people = ["; ".join(names.of(person) for person in event.people) for event in _events(record, client_id)]
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(["dateTime", "event", "text", "participants", "invitationId", "escalationId", "by"])
    for event, who in zip(timeline_view(record, client_id), people, strict=True):
        cells = (event["text"], who, event.get("invitationId", ""), event.get("escalationId", ""), event.get("by", ""))
        writer.writerow([event["dateTime"], event["event"], *map(_cell, cells)])
    return output.getvalue()


def _events(record: CallRecord, client_id: str) -> list[Event]:
    found = []
    for event in record.events:
        people = tuple(one for one in event.people if not is_application(one.kind, one.identity, client_id))
        if people or not event.people:
            found.append(replace(event, people=people))
    return shown(found)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
