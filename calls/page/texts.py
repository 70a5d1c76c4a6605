"""One sentence for each event of a call, for a person who reads along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.roster import identity_hash
from domain.timeline import Event, EventKind, Person
from flows.advice import advice_for_call_end, advice_for_outcome
from observability.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.roster import RosterEntry

_MOST_NAMES = 6
_LONGEST_NAME = 100


class Names:
    """What people are called: as the flow named them, else as the roster did, now or earlier."""

    def __init__(self, roster: Iterable[RosterEntry], events: Iterable[Event] = ()) -> None:
        self._by_identity: dict[str, str] = {}
        seen = []
        for event in events:
            if event.kind in (EventKind.INVITED, EventKind.STEP_STARTED):
                self._learn(person.identity for person in event.people)
            else:
                seen += [person.identity for person in event.people]
        self._learn(entry.identity for entry in roster)
        self._learn(seen)

    def _learn(self, identities: Iterable[Mapping[str, Any]]) -> None:
        for identity in identities:
            name, identity_id = _given(identity), identity.get("id")
            if name and identity_id:
                self._by_identity.setdefault(identity_hash(str(identity_id)), name)

    def of(self, person: Person) -> str:
        """Return a person's name; of a phone the last two digits only."""
        identity_id = str(person.identity.get("id") or "")
        if person.kind == "phone":
            digits = [one for one in identity_id if one.isdigit()]
            return _given(person.identity) or ("A phone ending in " + "".join(digits[-2:]) if digits else "A phone")
        return _given(person.identity) or self._by_identity.get(identity_hash(identity_id)) or "A user"

    def together(self, people: Iterable[Person]) -> str:
        """Return several names as one subject: ``Alex, Ben and 3 others``."""
        names = [self.of(person) for person in people]
        if len(names) > _MOST_NAMES:
            names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} others"]
        if not names:
            return "A user"
        *most, last = names
        return f"{', '.join(most)} and {last}" if most else last


def _given(identity: Mapping[str, object]) -> str | None:
    name = identity.get("displayName")
    if not isinstance(name, str) or not (name := " ".join(name.split())):
        return None
    return redact(name[:_LONGEST_NAME])


_TEXTS = {
    EventKind.CALL_STARTING: "The app is starting the call.",
    EventKind.CALL_ESTABLISHED: "The app is connected to the call.",
    EventKind.CALL_ENDED: "The call has ended.",
    EventKind.INVITED: "{who} {was} invited.",
    EventKind.IN_LOBBY: "{who} {is} waiting in the lobby.",
    EventKind.JOINED: "{who} joined the call.",
    EventKind.LEFT: "{who} left the call.",
    EventKind.ANSWERED: "{who} answered after {seconds}.",
    EventKind.CANCELLED: "The call to {who} was cancelled.",
    EventKind.NEVER_CONFIRMED: (
        "Microsoft Graph never confirmed {who}. Check who is in the call before you invite them again."
    ),
    EventKind.NOT_REACHED: "{who} {was} not reached. {why}",
    EventKind.STEP_STARTED: "{step} started: {called}.",
    EventKind.ESCALATION_ENDED: "{end}",
}


def text_of(event: Event, names: Names) -> str:
    """Return what happened, in one or two sentences."""
    who = names.together(event.people)
    is_one = len(event.people) == 1
    return _TEXTS[event.kind].format(
        who=who,
        was="was" if is_one else "were",
        **{"is": "is" if is_one else "are"},
        seconds=_seconds(event.seconds or 0),
        why=_why(event),
        step=f"Step {event.step}" + (f" of round {event.round}" if (event.round or 1) > 1 else ""),
        called=f"calling {who}" if event.people else "everybody was in the call already",
        end=_escalation_end(event),
    )


def _seconds(seconds: int) -> str:
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def _why(event: Event) -> str:
    own = event.result.message if event.result is not None and not event.by_graph else None
    if own:
        return redact(own)
    # Whom the create itself called has no invitation: the end of the call is their result.
    return advice_for_call_end(event.result) if event.invitation_id is None else advice_for_outcome(event.result)


def _escalation_end(event: Event) -> str:
    if event.outcome == "stopped":
        return "The escalation was stopped."
    if event.outcome == "completed":
        return "The escalation is complete: enough people joined."
    message = event.result.message if event.result is not None else None
    return f"The escalation failed. {redact(message)}" if message else "The escalation failed."
