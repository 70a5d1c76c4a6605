"""The documented bodies, bent in structure, in values and in bytes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

_PAYLOADS = Path(__file__).parents[1] / "payloads"
_STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 2**53, 10**40, "", " ", "\x00", "\ud800", "null", "💥" * 40, "A" * 5_000, [], {},
    [[]], [None], {"": None}, "+1", "+12345678901", "00000000-0000-4000-8000-000000000000", "Completed", "FAILED",
    "deleted", "/communications/calls/../x", "/app/calls/a%2Fb/operations/null", "/app/calls/x/participants",
    "#microsoft.graph.participant", "#microsoft.graph.deltaParticipants", "#microsoft.graph.call", "terminated",
)  # fmt: skip
_NAMES = (
    "participants",
    "identity", "user", "phone", "id", "clientContext", "status", "resultInfo", "code", "value", "state",
    "resourceData", "resourceUrl", "resource", "changeType", "@odata.type", "info", "isInLobby", "sequenceNumber",
    "rosterSequenceNumber", "removedState", "displayName", "replacesCallId", "participantId", "hidden", "nonsense",
)  # fmt: skip


def corpus(kinds: tuple[str, ...]) -> list[Any]:
    """The documented bodies of these kinds."""
    return [
        json.loads((_PAYLOADS / f"{number}-{kind}.json").read_text(encoding="utf-8"))
        for number in range(1, 6)
        for kind in kinds
    ]


FLAT: tuple[Any, ...] = (
    {"phoneNumber": "+12345678901", "displayName": "Somebody", "clientContext": "flat"},
    {"userId": "682b6c37-0729-4fab-ace6-d730d5d9137e", "fromCallId": "another", "participantId": "one"},
)


def bent(chance: random.Random, bodies: list[Any]) -> bytes:
    """One of the bodies, changed in up to six places, and now and then in its bytes."""
    body = copy.deepcopy(chance.choice(bodies))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
        body = _bend(chance, body, bodies)
    try:
        raw = json.dumps(body).encode()
    except (ValueError, RecursionError):
        raw = b"{"
    return _scratched(chance, raw) if chance.random() < 0.15 else raw


def _bend(chance: random.Random, body: Any, bodies: list[Any]) -> Any:
    spots: list[tuple[Any, Any]] = []
    _collect(body, spots)
    if not spots or chance.random() < 0.02:
        return copy.deepcopy(chance.choice(_STRANGE))
    holder, key = chance.choice(spots)
    match chance.randrange(7):
        case 0:
            holder[key] = copy.deepcopy(chance.choice(_STRANGE))
        case 1 if isinstance(holder, dict):
            holder[chance.choice(_NAMES)] = holder.pop(key)
        case 2 if isinstance(holder, dict):
            del holder[key]
        case 3 if isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[: chance.randint(0, 60)]))
        case 4:
            holder[key] = [copy.deepcopy(holder[key])]
        case 5 if isinstance(holder, dict):
            holder[chance.choice(_NAMES)] = copy.deepcopy(chance.choice(_STRANGE))
        case _:
            other: list[tuple[Any, Any]] = []
            _collect(chance.choice(bodies), other)
            source, place = chance.choice(other)
            holder[key] = copy.deepcopy(source[place])
    return body


def _collect(value: Any, spots: list[tuple[Any, Any]]) -> None:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        spots.append((value, key))
        _collect(value[key], spots)


def _scratched(chance: random.Random, raw: bytes) -> bytes:
    scratched = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        if not scratched:
            break
        place = chance.randrange(len(scratched))
        match chance.randrange(4):
            case 0:
                scratched[place] = chance.randrange(256)
            case 1:
                del scratched[place : place + chance.randint(1, 20)]
            case 2:
                scratched[place:place] = bytes([chance.choice(b'[]{}",:\\0\xff')]) * chance.randint(1, 3)
            case _:
                del scratched[place:]
    if chance.random() < 0.05:
        scratched = bytearray(b"[" * 20_000) + scratched
    return bytes(scratched)
