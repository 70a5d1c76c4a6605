"""What callers ask of the simulator, checked: a call to be made, a person's behaviour."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from dev.simulator.calls import Call, Identity
from dev.simulator.options import Behaviour, CallKind, OptionError, ReportingOptions, read, split_reporting

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """A call to be made."""

    callback_uri: str
    """Where the call's events go: https, or http on this machine."""
    id: str | None = None
    """The call's id; by default a new GUID."""
    kind: CallKind = "group"
    participants: list[object] = field(default_factory=list)
    """Who is in it: user ids, phone numbers (``+...``) or identitySets."""
    tenant_id: str | None = None
    """The call's tenant; another one than the app's makes Graph refuse with 7505."""
    client_id: str | None = None
    """The app registration whose call it is; another one than the app's makes Graph refuse with 8522."""
    delta_roster: bool = False
    """Rosters come as deltaParticipants, as with ``isDeltaRosterEnabled``."""
    operations_readable: bool = False
    """Operations can be read; Graph documents that for none of these."""
    roster_read: Literal["empty", "error"] = "empty"
    """What reading the roster of a peer-to-peer call gives."""
    mixed: Literal["failed", "completed"] = "failed"
    """How an operation ends of which some came and some did not."""
    announce: bool = True
    """Notify that the call is established, and its roster."""
    behaviour: dict[str, object] | None = None
    """What people do in this call of whom nothing else is known."""


class CallOptions(ReportingOptions, total=False):
    """The members of :class:`CallScript` and of Reporting, as keywords."""

    kind: CallKind
    participants: list[object]
    tenant_id: str | None
    client_id: str | None
    delta_roster: bool
    operations_readable: bool
    roster_read: Literal["empty", "error"]
    mixed: Literal["failed", "completed"]
    announce: bool
    behaviour: dict[str, object] | None


class BehaviourOptions(ReportingOptions, total=False):
    """The members of :class:`Behaviour` and of Reporting, as keywords."""

    after: float | None
    code: int | None
    subcode: int | None
    reason: str | None
    admitted_after: float | None
    leaves_after: float | None


def new_behaviour(members: Mapping[str, object]) -> Behaviour:
    """Make a behaviour of snake_case ``members``, those of Reporting among them; raises OptionError."""
    reporting, own = split_reporting(members)
    return read(Behaviour, {**own, "reporting": reporting})


def new_call(members: Mapping[str, object], tenant_id: str, client_id: str) -> tuple[Call, list[Identity], bool]:
    """Make a call of snake_case ``members``: the call, who is in it, and whether to announce it.

    Raises:
        OptionError: ``members`` cannot be; all faults at once.
    """
    if "callback_uri" not in members:
        raise OptionError(["callbackUri: is missing"])
    reporting, own = split_reporting(members)
    script = read(CallScript, own)
    faults = []
    address = urlsplit(script.callback_uri)
    if address.scheme != "https" and (address.scheme != "http" or address.hostname not in LOOPBACK):
        faults.append("callbackUri: must be https, or http on this machine")
    if not script.callback_uri.isprintable() or not address.hostname:
        faults.append("callbackUri: must be an absolute URL")
    participants: list[Identity] = []
    for index, someone in enumerate(script.participants):
        identity = _identity(someone)
        if identity is None:
            faults.append(f"participants[{index}]: must be a user id, a phone number or an identitySet")
        else:
            participants.append(identity)
    if faults:
        raise OptionError(faults)
    call = Call(
        id=script.id or str(uuid.uuid4()),
        callback_uri=script.callback_uri,
        tenant_id=script.tenant_id or tenant_id,
        client_id=script.client_id or client_id,
        kind=script.kind,
        delta_roster=script.delta_roster,
        operations_readable=script.operations_readable,
        roster_read=script.roster_read,
        mixed=script.mixed,
        behaviour=None if script.behaviour is None else new_behaviour(script.behaviour),
        reporting=reporting,
    )
    return call, participants, script.announce


def _identity(someone: object) -> Identity | None:
    if isinstance(someone, str) and someone:
        return Identity("phone" if someone.startswith("+") else "user", {"id": someone})
    return Identity.of(someone)
