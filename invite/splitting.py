"""From one invitation to the requests that Graph can take, and their bodies in Graph's documented form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.contexts import part_context
from domain.model import Operation
from graph.wire import ODATA_TYPE, odata_type
from invite.rules import MOST_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.model import Invitation, Invitee


def split(participants: Sequence[Invitee], client_context: str) -> tuple[Operation, ...]:
    """Return the Graph requests of an invitation, in the order of its people.

    Whoever replaces a call or is moved goes alone, since Graph would drop everybody after the first; the others go
    in groups of up to five.
    """
    groups: list[list[int]] = []
    open_group: list[int] | None = None
    for place, invitee in enumerate(participants):
        if invitee.goes_alone:
            groups.append([place])
        elif open_group is None or len(open_group) == MOST_PER_REQUEST:
            open_group = [place]
            groups.append(open_group)
        else:
            open_group.append(place)
    if len(groups) == 1:
        return (Operation(client_context, tuple(groups[0])),)
    count = len(groups)
    return tuple(
        Operation(part_context(client_context, number, count), tuple(group))
        for number, group in enumerate(groups, start=1)
    )


def graph_body(invitation: Invitation, operation: Operation) -> dict[str, Any]:
    """Return the body of one Graph request."""
    return {
        "participants": [_participant(invitation.participants[place]) for place in operation.people],
        "clientContext": operation.client_context,
    }


def _participant(invitee: Invitee) -> dict[str, Any]:
    members: dict[str, Any] = {
        ODATA_TYPE: odata_type("invitationParticipantInfo"),
        "replacesCallId": invitee.replaces_call_id,
        "participantId": invitee.participant_id,
        "hidden": invitee.hidden,
        "removeFromDefaultAudioRoutingGroup": invitee.remove_from_default_audio_routing_group,
        "identity": {
            ODATA_TYPE: invitee.identity_set_type or odata_type("identitySet"),
            invitee.kind: {ODATA_TYPE: odata_type("identity"), **invitee.identity},
        },
    }
    return {name: value for name, value in members.items() if value is not None}
