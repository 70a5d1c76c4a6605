"""The timeline as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calls.page.texts import Names, text_of
from domain.roster import is_application
from domain.timeline import shown
from flows.views import iso_time

if TYPE_CHECKING:
    from domain.record import CallRecord
    from domain.timeline import Event


def timeline_view(record: CallRecord, client_id: str) -> list[dict[str, Any]]:
    """Return the events of a call, oldest first; the app itself, with this client ID, is none of its people."""
    events = events_of(record, client_id)
    names = Names(record.roster.values(), events)
    view = []
    for event in events:
        one: dict[str, Any] = {
            "dateTime": iso_time(event.time),
            "event": event.kind.value,
            "text": text_of(event, names),
            "participants": [{"identity": {person.kind: dict(person.identity)}} for person in event.people],
        }
        optional = {"invitationId": event.invitation_id, "escalationId": event.escalation_id, "by": event.by}
        view.append(one | {name: value for name, value in optional.items() if value is not None})
    return view


def events_of(record: CallRecord, client_id: str) -> list[Event]:
    """Return what is shown of the events, without the app itself."""
    found = []
    for event in record.events:
        people = tuple(one for one in event.people if not is_application(one.kind, one.identity, client_id))
        if people or not event.people:
            found.append(replace(event, people=people))
    return shown(found)
