"""Reading and moving on the small world of ``tests.never_twice.world``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from storage.store import TableStore
from tests.never_twice.world import CALL

if TYPE_CHECKING:
    from domain.invitation import Invitation
    from domain.waiting import WaitingFlow
    from tests.never_twice.world import World


def stored(world: World) -> list[Invitation]:
    """Return all invitations, as stored, oldest first."""
    found = TableStore(world.memory).all_invitations(CALL).invitations.values()
    return sorted(found, key=lambda one: one.created)


def the_invitation(world: World) -> Invitation:
    """Return the one invitation there is."""
    (invitation,) = stored(world)
    return invitation


def the_flow(world: World) -> WaitingFlow:
    """Return the one flow that waits."""
    (flow,) = the_invitation(world).flows
    return flow


def pass_time(world: World, seconds: float) -> None:
    """Let time pass, and the queue's messages be handled."""
    world.clock.moment += timedelta(seconds=seconds)
    world.work_queue()
