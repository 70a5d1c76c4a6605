"""From one invitation to the requests that Graph can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.contexts import part_context
from domain.invitation import Operation
from invite.rules import MOST_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.invitation import Invitee


def split(participants: Sequence[Invitee], client_context: str, *, separately: bool = False) -> tuple[Operation, ...]:
    """Return the Graph requests of an invitation, in the order of its people.

    A person who replaces a call or is moved goes alone, since Graph would drop the people after the first; the others
    go in groups of up to five, or alone where that is asked for.
    """
    groups: list[list[int]] = []
    open_group: list[int] | None = None
    for place, invitee in enumerate(participants):
        if separately or invitee.goes_alone:
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
