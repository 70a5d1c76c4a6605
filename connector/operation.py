"""What an operation of the API is, and what its statuses mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from connector.words import Visibility, Words

# The description of a response by its status; that of 200 is its body's.
STATUSES: dict[int, str] = {
    201: "The people are being called. The outcome is sent to the flow; a DELETE of Location ends the wait.",
    202: "The people are being called. GET Location after Retry-After seconds; it needs no key.",
    204: "The flow no longer waits.",
    400: "The request has errors. The message names each one.",
    401: "The function key is missing or wrong. The response has no body.",
    403: "This caller is not among those who may use the app.",
    404: "The call, the invitation or the token was not found.",
    409: "The invitation name was already used for other people, or five flows wait already.",
    413: "The request is too large.",
    422: "The invitation was refused, or no one accepted. The message explains what to do.",
    429: "Microsoft Graph is busy and no person was called. Power Automate tries again.",
    503: "The app isn't available and no person was called. Power Automate tries again.",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What makers see of a body that the app accepts in more forms than one."""

    members: tuple[str, ...]
    """Its properties in this form."""
    required: str
    """The property that this form needs, though the app accepts the body without it."""
    words: Mapping[str, Words] = field(default_factory=dict)
    """Words that replace those of ``words.MEMBERS``."""
    only_users: bool = False
    """Whether the people are users, in no other call."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One HTTP function."""

    summary: str
    description: str
    statuses: tuple[int, ...]
    response: type[BaseModel] | None = None
    """The body of a success, or the outcome that a flow receives later."""
    action: str | None = None
    """The operation's ID in the connector; without one it isn't in the connector."""
    visibility: Visibility | None = None
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    """Query parameters; those of an internal operation are required."""
    headers: tuple[str, ...] = ()
    """Header parameters."""
    texts: Mapping[int, str] = field(default_factory=dict)
    """Descriptions that replace those of ``STATUSES``."""
    form: Form | None = None
    """The form of the body in the connector, if it isn't the whole of it."""
    routed: tuple[str, str] | None = None
    """The function that it uses, which another operation is named after, and its own path: a policy routes that."""
