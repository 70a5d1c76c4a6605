"""One good token of each kind, then every part of it broken: Graph is accepted and no other sender."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from notifications.token_rules import TokenKind
from tests import states
from tests.graph.servers import listening
from tests.notifications.forge import Forge
from tests.notifications.forgeries import ACCEPTED, ENTRA_ACCEPTED, ENTRA_FORGERIES, FORGERIES

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from dev.simulator import Simulator
    from domain.invitation import Invitation
    from tests.notifications.conftest import Door

# Far above what any of them takes, far below what a hole would cost.
_GENEROUS_SECONDS = 1.0


@pytest.fixture(scope="module")
def forge(simulator: Simulator) -> Forge:
    """A maker of tokens; ``elsewhere`` is never to be asked for anything."""
    return Forge(simulator, "https://keys.invalid/keys")


@pytest.fixture(scope="module")
def forges(simulator: Simulator) -> dict[TokenKind, Forge]:
    """The same for each kind."""
    return {kind: Forge(simulator, "https://keys.invalid/keys", kind) for kind in TokenKind}


@pytest.fixture(scope="module")
def running(door: Door) -> Invitation:
    """An invitation that stays as it is, however often strangers say that it ended."""
    return door.keep(states.invitation(call_id=str(uuid.uuid4())))


def _ended(invitation: Invitation) -> list[dict[str, Any]]:
    call = f"/communications/calls/{invitation.call_id}"
    return [
        {
            "changeType": "deleted",
            "resourceUrl": f"{call}/operations/o-1",
            "resourceData": {"id": "o-1", "status": "completed", "clientContext": invitation.client_context},
        },
        {"changeType": "updated", "resourceUrl": f"{call}/participants", "resourceData": []},
        {"changeType": "deleted", "resourceUrl": call, "resourceData": {"state": "terminated"}},
    ]


_ALL_FORGERIES = [
    *(pytest.param(TokenKind.OLDER, make, id=name) for name, make in FORGERIES.items()),
    *(pytest.param(TokenKind.ENTRA, make, id=f"entra, {name}") for name, make in FORGERIES.items()),
    *(pytest.param(TokenKind.ENTRA, make, id=f"entra, {name}") for name, make in ENTRA_FORGERIES.items()),
]


@pytest.mark.parametrize(("kind", "make"), _ALL_FORGERIES)
def test_a_forgery_is_refused_at_small_cost(
    kind: TokenKind,
    make: Callable[[Forge], str | None],
    forges: dict[TokenKind, Forge],
    door: Door,
    running: Invitation,
) -> None:
    """401 with the scheme that is wanted, without a reason; nothing changes, and the work is small."""
    forge = forges[kind]
    authorization = make(forge)
    before = door.held(running)
    assert authorization is None or authorization != forge.good()
    started = time.perf_counter()
    answer = door.post(_ended(running), authorization=authorization)
    assert time.perf_counter() - started < _GENEROUS_SECONDS
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.body is not None
    assert answer.body["error"]["code"] == "NotFromGraph"
    assert door.held(running) == before
    assert door.stored_call(running.call_id) is None


def test_there_are_many_forgeries() -> None:
    """The list above is long, and each entry of it is another token."""
    assert len(FORGERIES) >= 100
    assert len(ENTRA_FORGERIES) >= 15


def test_the_same_report_with_a_good_token_is_recorded(forge: Forge, door: Door, call_id: str) -> None:
    """So the forgeries above were refused for what they are, and not for what came with them."""
    invitation = door.keep(states.invitation(call_id=call_id))
    answer = door.post(_ended(invitation), authorization=forge.good())
    assert answer.status == 202
    assert door.invitation(invitation) != invitation
    assert door.call(call_id)["state"] == "terminated"


_ALL_ACCEPTED = [
    *(pytest.param(TokenKind.OLDER, make, id=name) for name, make in ACCEPTED.items()),
    *(pytest.param(TokenKind.ENTRA, make, id=f"entra, {name}") for name, make in ENTRA_ACCEPTED.items()),
]


@pytest.mark.parametrize(("kind", "make"), _ALL_ACCEPTED)
def test_what_graph_may_send_is_accepted(
    kind: TokenKind, make: Callable[[Forge], str], forges: dict[TokenKind, Forge], door: Door
) -> None:
    """Lifetimes, letter case and slashes differ between pages and messages; none of them excludes Graph."""
    assert door.post([], authorization=make(forges[kind])).status == 202


def test_another_header_is_not_looked_at(forge: Forge, door: Door) -> None:
    """Only ``Authorization`` counts, though a sample on one of Graph's pages prints ``Authentication``."""
    headers = {name: forge.good() for name in ("authentication", "x-authorization", "proxy-authorization")}
    assert door.post([], authorization=None, **headers).status == 401


def test_a_refusal_tells_a_stranger_nothing(forge: Forge, door: Door) -> None:
    """Every forgery gets the same answer to the letter, so that a stranger learns nothing."""
    answers = {door.post([], authorization=make(forge)).content() for make in list(FORGERIES.values())[::7]}
    assert len(answers) == 1


def test_the_log_tells_why_and_never_what(forge: Forge, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """An operator finds the reason of a refusal; the token itself is not in the log."""
    authorization = forge.with_claims(tid=str(uuid.uuid4()))
    door.post([], authorization=authorization)
    assert "reason=tenant" in caplog.text
    assert "eyJ" not in caplog.text
    assert authorization.rpartition(".")[2] not in caplog.text


def test_a_token_is_judged_before_its_body_is_read(door: Door) -> None:
    """A stranger learns nothing from sizes and forms, and no body of theirs is parsed."""
    for body in (b"[" * 100_000, b"x" * (4 * 1024 * 1024 + 1), b""):
        assert door.post(body, authorization=None).status == 401


def test_a_token_leads_the_app_nowhere(forge: Forge, door: Door) -> None:
    """Addresses in a token's header are not followed, whatever signed it."""
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        asked.append(connection.recv(16))

    with listening(serve) as port:
        forge = Forge(forge.simulator, f"http://127.0.0.1:{port}/keys")
        for name in ("key elsewhere by jku", "certificate elsewhere by x5u", "kid as address"):
            assert door.post([], authorization=FORGERIES[name](forge)).status == 401
        assert door.post([], authorization=forge.with_header(jku=forge.elsewhere)).status == 202
    assert asked == []


@pytest.mark.parametrize("kind", TokenKind)
def test_a_rotated_key_is_accepted_at_once(
    kind: TokenKind, simulator: Simulator, forges: dict[TokenKind, Forge], door: Door
) -> None:
    """Graph changes its key between two callbacks, and neither is refused."""
    # The pause between two downloads for an unknown key belongs to the forgeries of the other tests.
    keys: Any = door.app.notifications._validator._keys[kind]
    keys._asked_for_unknown_at = float("-inf")
    forge = forges[kind]
    old = forge.good()
    simulator.rotate_keys(kind=kind.value)
    assert door.post([], authorization=forge.good()).status == 202
    assert door.post([], authorization=old).status == 202
