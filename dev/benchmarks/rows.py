"""Rows of invitations as the app writes them, as many as wanted: a hundred in each call, row by number."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.model import Invitation, Invitee, KeyKind, Operation
from storage import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.data.tables import TableClient

IN_A_CALL = 100
_NAMESPACE = uuid.UUID("0b2f6c1e-5d1a-4f0e-8c3d-2a9e7b4c6d10")


@dataclass(frozen=True, slots=True)
class Known:
    """What names a row."""

    call_id: str
    client_context: str
    operation_id: str

    @property
    def invitation_id(self) -> str:
        """Return the invitation's id."""
        return rows.invitation_id(self.client_context)


def row_of(number: int) -> Known:
    """Return what names the row with this number."""
    context = str(uuid.uuid5(_NAMESPACE, f"context {number}"))
    call_id = str(uuid.uuid5(_NAMESPACE, f"call {number // IN_A_CALL}"))
    return Known(call_id, context, str(uuid.uuid5(_NAMESPACE, f"operation {number}")))


def entities(first: int, after: int) -> Iterator[dict[str, Any]]:
    """Give the rows of running invitations with these numbers."""
    # Asked just now: nobody looks after them while they are measured.
    now = datetime.now(UTC)
    for number in range(first, after):
        row = row_of(number)
        yield rows.invitation_entity(
            Invitation(
                id=row.invitation_id,
                call_id=row.call_id,
                client_context=row.client_context,
                key_kind=KeyKind.CLIENT_CONTEXT,
                fingerprint="f" * 64,
                participants=(Invitee("user", {"id": str(uuid.uuid5(_NAMESPACE, f"person {number}"))}),),
                operations=(Operation(row.client_context, (0,), id=row.operation_id),),
                created=now,
                updated=now,
                asked=now,
                token="t" * 43,
                watch="w" * 16,
                check_due=now + timedelta(hours=1),
            )
        )


def load(client: TableClient, count: int) -> Iterator[int]:
    """Write so many rows, a hundred in each transaction; tell how many are there."""
    for first in range(0, count, IN_A_CALL):
        group = list(entities(first, min(first + IN_A_CALL, count)))
        client.submit_transaction([("upsert", entity) for entity in group])
        yield first + len(group)
