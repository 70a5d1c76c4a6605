"""What can be chosen: how a person behaves and how Graph reports it, as checked values with a name each.

The same options are taken as Python keywords (``snake_case``) and as JSON members (``camelCase``).
Every duration is in Graph's seconds: it is multiplied by the simulator's ``time_scale``.
"""

from __future__ import annotations

import math
import re
import types
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping

Outcome = Literal["answers", "declines", "ringsOut", "busy", "lobby", "fails"]
CallKind = Literal["group", "peerToPeer"]

# https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/
# lists call-end codes: 603/0 declined, 487/10004 nobody accepted in time, 486/560486 a busy phone line.
FAILURES: dict[str, tuple[int, int, str]] = {
    "declines": (603, 0, "Declined"),
    "ringsOut": (487, 10004, "Call was canceled on timeout, no callee endpoint accepted the call"),
    "busy": (486, 560486, "Busy here"),
    "fails": (500, 0, "Internal server error"),
}
_AFTER: dict[str, float] = {"answers": 3, "declines": 3, "ringsOut": 60, "busy": 2, "lobby": 3, "fails": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """How Graph reports what happened to an invitation; the defaults are what its documentation prints."""

    lost: Literal["none", "operation", "roster", "all"] = "none"
    """Callbacks that are never sent."""
    late: float = 0
    """Seconds by which the reports come late."""
    copies: int = 1
    """How often each report is sent: 2 sends every one twice."""
    before_response: bool = False
    """The final report is sent before the invite is answered."""
    roster_first: bool = False
    """The roster is sent before the operation's end."""
    together: bool = False
    """Operation and roster come as two items of one POST."""
    foreign_items: bool = False
    """Each POST also holds items that do not concern an invitation, one of them of an unknown type."""
    running: Literal["none", "first", "late"] = "none"
    """A notification with status running: none, at once, or after the final report."""
    response_status: str | None = "Running"
    """The status in the HTTP answer; None sends null. ``completed`` and ``failed`` mean that no report follows."""
    response_empty: bool = False
    """The HTTP answer to a taken invite has no operation in it."""
    operation_id_null: bool = False
    """The finished operation has id null and the path ``.../operations/participants``."""
    operation_resource: Literal["app", "communications", "none"] = "app"
    """The root of the operation's ``resource``; ``none`` leaves the member out."""
    roster_resource: Literal["app", "communications", "none"] = "app"
    """The root of the roster's ``resource``."""
    roster_under_operations: bool = False
    """The roster comes under ``.../operations/participants``."""
    replaced_call_id: Literal["none", "roster", "all"] = "none"
    """Reports of an invitation with ``replacesCallId`` that name the replaced call instead."""
    as_application: Literal["none", "first", "all"] = "none"
    """Invited users that the roster shows as ``application``."""
    roster_info_type: Literal["participantInfo", "invitationParticipantInfo"] = "participantInfo"
    roster_ids: bool = False
    """Participants in notified rosters have their id, instead of null as documented."""
    roster_sequence: bool = False
    """Participants carry ``rosterSequenceNumber``."""
    removed_state: bool = False
    """People who left stay in the roster's list with a ``removedState``."""
    result_info: Literal["failed", "always", "never"] = "failed"
    """Which finished operations have a ``resultInfo``."""
    string_codes: bool = False
    """``code`` and ``subcode`` come as strings."""
    casing: Literal["documented", "lower", "upper", "title"] = "documented"
    """The letter case of ``status``, ``changeType`` and ``state``."""
    without_client_context: bool = False
    """Notifications of operations lack ``clientContext``."""


class ReportingOptions(TypedDict, total=False):
    """The members of :class:`Reporting`, as keywords."""

    lost: Literal["none", "operation", "roster", "all"]
    late: float
    copies: int
    before_response: bool
    roster_first: bool
    together: bool
    foreign_items: bool
    running: Literal["none", "first", "late"]
    response_status: str | None
    response_empty: bool
    operation_id_null: bool
    operation_resource: Literal["app", "communications", "none"]
    roster_resource: Literal["app", "communications", "none"]
    roster_under_operations: bool
    replaced_call_id: Literal["none", "roster", "all"]
    as_application: Literal["none", "first", "all"]
    roster_info_type: Literal["participantInfo", "invitationParticipantInfo"]
    roster_ids: bool
    roster_sequence: bool
    removed_state: bool
    result_info: Literal["failed", "always", "never"]
    string_codes: bool
    casing: Literal["documented", "lower", "upper", "title"]
    without_client_context: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a person does when rung."""

    outcome: Outcome = "answers"
    after: float | None = None
    """Seconds from ringing to the outcome; by default 60 for ``ringsOut``, 2 or 3 for the others."""
    code: int | None = None
    subcode: int | None = None
    reason: str | None = None
    """The text in a failure's message."""
    admitted_after: float | None = None
    """Seconds that somebody in the lobby waits to be let in; None: is not."""
    leaves_after: float | None = None
    """Seconds until somebody who joined leaves again; None: stays."""
    reporting: dict[str, object] = field(default_factory=dict)
    """Members of :class:`Reporting` for invitations of this person."""

    @property
    def delay(self) -> float:
        """Seconds from ringing to the outcome."""
        return _AFTER[self.outcome] if self.after is None else self.after

    @property
    def failure(self) -> tuple[int, int, str] | None:
        """Code, subcode and text of the failure; None for those who come."""
        if self.outcome in {"answers", "lobby"}:
            return None
        code, subcode, reason = FAILURES[self.outcome]
        return (
            code if self.code is None else self.code,
            subcode if self.subcode is None else self.subcode,
            reason if self.reason is None else self.reason,
        )


class OptionError(ValueError):
    """Options that cannot be; ``faults`` names each one."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


_T = TypeVar("_T")
_known_hints: dict[type, dict[str, Any]] = {}


def read(kind: type[_T], members: Mapping[str, object]) -> _T:
    """Make a ``kind`` (a dataclass) of ``members``, in snake_case; raises OptionError with all faults."""
    hints = _hints(kind)
    faults = [f"{to_camel_case(name)}: not an option" for name in members if name not in hints]
    faults += [
        f"{to_camel_case(name)}: must be {_describe(hints[name])}"
        for name, value in members.items()
        if name in hints and not _fits(value, hints[name])
    ]
    if faults:
        raise OptionError(faults)
    return kind(**members)


def reporting(*layers: Mapping[str, object]) -> Reporting:
    """Merge layers of options, later ones first in right, over the documented defaults."""
    merged: dict[str, object] = {}
    for layer in layers:
        merged |= layer
    return read(Reporting, merged)


def split_reporting(members: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Part ``members`` into those of Reporting and all others; raises OptionError for bad reporting."""
    if "reporting" in members:
        raise OptionError(["reporting: give its members beside the others"])
    names = {option.name for option in fields(Reporting)}
    chosen = {name: value for name, value in members.items() if name in names}
    read(Reporting, chosen)
    return chosen, {name: value for name, value in members.items() if name not in names}


def to_snake_case(name: str) -> str:
    """``replacedCallId`` -> ``replaced_call_id``."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def to_camel_case(name: str) -> str:
    """``replaced_call_id`` -> ``replacedCallId``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _hints(kind: type) -> dict[str, Any]:
    """Read a dataclass's types once: every invite is reported with options of its own."""
    if kind not in _known_hints:
        _known_hints[kind] = get_type_hints(kind)
    return _known_hints[kind]


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in {Union, types.UnionType}:
        return any(_fits(value, part) for part in get_args(hint))
    if hint in {int, float}:
        if isinstance(value, bool) or not isinstance(value, int | float if hint is float else int):
            return False
        return math.isfinite(value) and value >= 0
    return isinstance(value, origin or hint)


def describe(kind: type) -> dict[str, str]:
    """Say of each option of ``kind``, by its camelCase name, what it may be."""
    return {to_camel_case(name): _describe(hint) for name, hint in _hints(kind).items() if name != "reporting"}


def _describe(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    if origin in {Union, types.UnionType}:
        return " or ".join(_describe(part) for part in get_args(hint))
    names = {
        float: "a number",
        int: "a whole number",
        bool: "true or false",
        str: "a text",
        type(None): "null",
    }
    return names.get(origin or hint, "an object")
