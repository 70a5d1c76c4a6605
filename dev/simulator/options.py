"""What can be chosen, each option once: the same models check Python's keywords, JSON and the command line.

Options are written in ``snake_case`` or in ``camelCase``. Every duration is in Graph's seconds, which the simulator
multiplies by its ``time_scale``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from collections.abc import Mapping

Outcome = Literal["answers", "declines", "ringsOut", "busy", "lobby", "fails"]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]

# https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/
# lists call-end codes: 603/0 declined, 487/10004 no endpoint accepted in time, 486/560486 a busy phone line.
FAILURES: dict[str, tuple[int, int, str]] = {
    "declines": (603, 0, "Declined"),
    "ringsOut": (487, 10004, "Call was canceled on timeout, no callee endpoint accepted the call"),
    "busy": (486, 560486, "Busy here"),
    "fails": (500, 0, "Internal server error"),
}
_AFTER: dict[str, float] = {"answers": 3, "declines": 3, "ringsOut": 60, "busy": 2, "lobby": 3, "fails": 2}


class OptionError(ValueError):
    """Invalid options; ``faults`` names each one."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults

    @classmethod
    def of(cls, error: ValidationError) -> Self:
        """Return the faults that pydantic found, with the path of each option as JSON writes it."""
        return cls([_fault(found["loc"], found["msg"], found["type"]) for found in error.errors()])


def _fault(path: tuple[int | str, ...], text: str, kind: str) -> str:
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        text = "not an option"
    text = text.removeprefix("Value error, ")
    parts = [f"[{part}]" if isinstance(part, int) else to_camel(part) for part in path]
    name = ".".join(parts).replace(".[", "[")
    return f"{name}: {text}" if name else text


class Options(BaseModel):
    """Options of one thing; an unknown name or a wrong type is an error."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    @classmethod
    def read(cls, members: Mapping[str, object]) -> Self:
        """Check ``members``; raises OptionError with all faults."""
        try:
            return cls.model_validate(dict(members))
        except ValidationError as error:
            raise OptionError.of(error) from error

    @classmethod
    def describe(cls) -> dict[str, str]:
        """Return the allowed values of each option by its camelCase name, with its description."""
        properties: dict[str, Any] = cls.model_json_schema()["properties"]
        return {name: f"{_values(schema)}. {schema.get('description', '')}" for name, schema in properties.items()}


class Reporting(Options):
    """How Graph reports what happened to an invitation."""

    callback_tokens: Literal["older", "entra"] = "older"
    """Who signs the callbacks' tokens: the calling service with keys of its own, or Entra."""
    lost: Literal["none", "operation", "roster", "call", "end", "all"] = "none"
    """Callbacks that are never sent; ``call`` and ``end``: states of the call, all or the last one."""
    late: Seconds = 0
    """Seconds by which the reports come late."""
    copies: Count = 1
    """How often each report is sent: 2 sends every one twice."""
    before_response: bool = False
    """The final report is sent before the response to the invite; the first one before that to a create."""
    roster_first: bool = False
    """The roster is sent before the operation's end."""
    early_roster: bool = True
    """Where others are still being called, a roster at once for each person who joins."""
    roster_late: Seconds = 0
    """Seconds by which rosters come later than other reports."""
    together: bool = False
    """Operation and roster come as two items of one POST."""
    foreign_items: bool = False
    """Each POST also holds items that do not concern an invitation, one of them of an unknown type."""
    running: Literal["none", "first", "late"] = "none"
    """A notification with status running: none, at once, or after the final report."""
    response_status: str | None = "Running"
    """The status in the HTTP response; None sends null. No report follows ``completed`` and ``failed``."""
    response_empty: bool = False
    """The HTTP response to an accepted invite has no body."""
    operation_id_null: bool = False
    """The finished operation has id null and the path ``.../operations/participants``."""
    operation_resource: Literal["app", "communications", "none"] = "app"
    """The root of the operation's ``resource``; ``none`` leaves the property out."""
    roster_resource: Literal["app", "communications", "none"] = "app"
    """The root of the roster's ``resource``."""
    roster_under_operations: bool = False
    """The roster comes under ``.../operations/participants``."""
    replaced_call_id: Literal["none", "roster", "all"] = "none"
    """Reports of an invitation with ``replacesCallId`` that name the replaced call instead."""
    as_application: Literal["none", "first", "all"] = "none"
    """Invited users that a documented roster shows as ``application``."""
    roster_info_type: Literal["participantInfo", "invitationParticipantInfo"] = "participantInfo"
    """The type of a participant's ``info``."""
    roster: Literal["recorded", "documented"] = "recorded"
    """As the service sends it (everybody with an id, a name and a tenant, the app too) or as its pages print it."""
    ringing: Literal["listed", "reported", "unlisted"] = "listed"
    """People who are still being called: on rosters and in reads; also reported at once; or only after answering."""
    ringing_streams: Literal["empty", "null", "absent"] = "empty"
    """The ``mediaStreams`` of people who are still being called."""
    hidden_identities: Literal["none", "marked", "withoutId"] = "none"
    """People with ``isIdentityAnonymized`` and an alias as id, or with an identity without id."""
    undeclared: Literal["sometimes", "always", "never"] = "sometimes"
    """Participants with properties that no schema declares, such as ``replacementLink``."""
    roster_sequence: bool = False
    """Participants have a ``rosterSequenceNumber``."""
    removed_state: bool = False
    """People who left stay in the roster's list with a ``removedState``."""
    mixed: Literal["failed", "completed"] = "failed"
    """How an operation ends if some people came and others did not."""
    operations_readable: bool = False
    """Operations can be read, which Graph documents for none of these."""
    roster_read: Literal["empty", "error"] = "empty"
    """What reading the roster of a one-to-one call returns."""
    result_info: Literal["failed", "always", "never"] = "failed"
    """Which finished operations have a ``resultInfo``."""
    string_codes: bool = False
    """``code`` and ``subcode`` are strings."""
    casing: Literal["documented", "lower", "upper", "title"] = "documented"
    """The letter case of ``status``, ``changeType`` and ``state``."""
    without_client_context: bool = False
    """Notifications of operations lack ``clientContext``."""

    call_form: Literal["recorded", "documented"] = "recorded"
    """Notifications of a call's state without its ``id``, as the service sends them, or as its pages print them."""
    establishing: Literal["first", "late", "never"] = "first"
    """The notification of that state: first, after ``established``, or none."""
    established: Annotated[int, Field(ge=1)] = 2
    """How often a new call is reported as established; from the second time on with ``mediaState``."""
    chat_info: Literal["early", "late", "never"] = "early"
    """``chatInfo`` and ``meetingInfo`` of a joined meeting: with every state, with the last ``established``, never."""
    bare_end: bool = False
    """A call's end comes without ``state`` and ``resultInfo``."""

    @staticmethod
    def layered(*layers: Reporting) -> Reporting:
        """Merge what was chosen in ``layers``, each over the ones before it, over the defaults."""
        chosen: dict[str, Any] = {}
        for layer in layers:
            chosen |= {name: getattr(layer, name) for name in layer.model_fields_set & Reporting.model_fields.keys()}
        return Reporting.model_construct(**chosen)


class Behaviour(Reporting):
    """What a person does when called, and how Graph reports invitations of this person."""

    outcome: Outcome = "answers"
    """What becomes of the call to this person."""
    after: Seconds | None = None
    """Seconds from ringing to the outcome; by default 60 for ``ringsOut``, 2 or 3 for the others."""
    code: Count | None = None
    """The code of a failure."""
    subcode: Count | None = None
    """The subcode of a failure."""
    reason: str | None = None
    """The text in a failure's message."""
    admitted_after: Seconds | None = None
    """Seconds that a person waits in the lobby; None: is never admitted."""
    leaves_after: Seconds | None = None
    """Seconds until a person who joined leaves again; None: stays."""
    display_name: str | None = None
    """The name that rosters show."""

    @property
    def delay(self) -> float:
        """Seconds from ringing to the outcome."""
        return _AFTER[self.outcome] if self.after is None else self.after

    @property
    def failure(self) -> tuple[int, int, str] | None:
        """Code, subcode and text of the failure; None for people who come."""
        if self.outcome in {"answers", "lobby"}:
            return None
        code, subcode, reason = FAILURES[self.outcome]
        return (
            code if self.code is None else self.code,
            subcode if self.subcode is None else self.subcode,
            reason if self.reason is None else self.reason,
        )


def _values(schema: Mapping[str, Any]) -> str:
    """Return the values that a JSON schema allows, in words."""
    if "anyOf" in schema:
        return " or ".join(_values(part) for part in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    names = {"integer": "whole number", "boolean": "true or false", "array": "list", "$ref": "object"}
    kind = schema.get("type", "object")
    return names.get(kind, str(kind))
