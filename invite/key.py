"""What makes two requests the same invitation.

The key is the first of these that is there: the body's ``clientContext``; ``Idempotency-Key``;
``Repeatability-Request-ID``; the flow's own run and action, with a fingerprint of call and body, since all rounds of
an *Apply to each* share run and action; else a new one.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.invitation import KeyKind
from web.errors import KeyReused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.invitation import Invitation, Invitee

# Made for this app: equal keys give equal GUIDs on every instance and after every restart.
_NOT_COMPARED = frozenset({"@odata.type", "displayName"})
_NAMESPACE = uuid.UUID("5b0c8f3e-8f0a-4d0e-9d3c-0a7a6f2d6f11")
_NAMED_DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Key:
    """An invitation's key, and the hash of the body that it was first used with."""

    kind: KeyKind
    value: str
    fingerprint: str

    def client_context(self, call_id: str, attempt: int) -> str:
        """Return what Graph is given as ``clientContext``: the caller's own, or a GUID of the key and the attempt."""
        if self.kind is KeyKind.CLIENT_CONTEXT:
            return self.value
        # For an explicit key the fingerprint stays out, or another body would not be noticed.
        own = self.fingerprint if self.kind is KeyKind.FLOW else ""
        return str(uuid.uuid5(_NAMESPACE, json.dumps([call_id, self.kind.value, self.value, own, attempt])))


def key_of(
    client_context: str | None,
    headers: Mapping[str, str],
    participants: Sequence[Invitee],
    *,
    separately: bool = False,
) -> Key:
    """Return the key of a request; ``headers`` are by name in lower case."""
    fingerprint = fingerprint_of(participants, separately=separately)
    if client_context is not None:
        return Key(KeyKind.CLIENT_CONTEXT, client_context, fingerprint)
    idempotency = _unquoted(headers.get("idempotency-key", ""))
    if idempotency:
        return Key(KeyKind.IDEMPOTENCY_KEY, idempotency, fingerprint)
    repeatability = _unquoted(headers.get("repeatability-request-id", ""))
    if repeatability:
        return Key(KeyKind.REPEATABILITY, repeatability, fingerprint)
    run = headers.get("x-ms-workflow-run-id", "").strip()
    action = headers.get("x-ms-workflow-operation-name", "").strip()
    if run and action:
        return Key(KeyKind.FLOW, json.dumps([run, action]), fingerprint)
    return Key(KeyKind.FRESH, str(uuid.uuid4()), fingerprint)


def fingerprint_of(participants: Sequence[Invitee], *, separately: bool = False) -> str:
    """Return a hash of who is invited and how.

    The order of properties, ``@odata.type`` and ``displayName`` make no difference.
    """
    people = [comparable(invitee) for invitee in participants]
    # Without it the hash is the previous release's, so that a repeat across an upgrade is the same body.
    text = json.dumps([*people, {"separately": True}] if separately else people, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Sequence[Invitee], now: Sequence[Invitee]) -> list[str]:
    """Name where two invitations differ, as paths and never as values."""
    if len(before) != len(now):
        return ["participants (their number)"]
    paths: list[str] = []
    for place, (old, new) in enumerate(zip(before, now, strict=True)):
        one, other = comparable(old), comparable(new)
        if old.kind != new.kind:
            paths.append(f"participants[{place}].identity")
            continue
        for name in sorted({*one, *other}):
            if name == "identity":
                members = {*one["identity"], *other["identity"]}
                paths += [
                    f"participants[{place}].identity.{new.kind}.{member}"
                    for member in sorted(members)
                    if one["identity"].get(member) != other["identity"].get(member)
                ]
            elif one.get(name) != other.get(name):
                paths.append(f"participants[{place}].{name}")
    return paths


def refuse_other_body(key: Key, found: Invitation, people: Sequence[Invitee]) -> None:
    """Refuse a key that was used for another invitation.

    Raises:
        KeyReused: it names where the two differ.
    """
    if key.fingerprint == found.fingerprint:
        return
    names = differences(found.participants, people)
    shown = ", ".join(names[:_NAMED_DIFFERENCES]) + (", ..." if len(names) > _NAMED_DIFFERENCES else "")
    message = (
        f"This key was used before for another invitation into this call; they differ in {shown or 'separately'}. "
        "Use a new key for a new invitation, or send the same body again."
    )
    target = "clientContext" if key.kind is KeyKind.CLIENT_CONTEXT else key.kind.value
    raise KeyReused("KeyReused", message, target=target)


def comparable(invitee: Invitee) -> dict[str, Any]:
    """Return what counts of a person when two bodies are compared."""
    members: dict[str, Any] = {
        "kind": invitee.kind,
        "identity": {name: value for name, value in invitee.identity.items() if name not in _NOT_COMPARED},
        "replacesCallId": invitee.replaces_call_id,
        "participantId": invitee.participant_id,
        "hidden": invitee.hidden,
        "removeFromDefaultAudioRoutingGroup": invitee.remove_from_default_audio_routing_group,
    }
    return {name: value for name, value in members.items() if value is not None}


def _unquoted(value: str) -> str:
    """Read a structured-field string; makers type it without the quotes."""
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':  # noqa: PLR2004 - two quotes
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\").strip()
    return value
