"""One good token, then every part of it broken: Graph gets in and nobody else."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from graph.callback_keys import CallbackKeys, KeysUnavailable
from graph.transport import new_session
from notifications.token import NotFromGraph, TokenValidator
from tests import states
from tests.graph.servers import AUTHORITY, answer, listening, read_request, tls
from tests.notifications.forgeries import ACCEPTED, FORGERIES, Forge

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from dev.simulator import Simulator
    from domain.model import Invitation
    from tests.notifications.conftest import Door

# Far above what any of them takes, far below what a hole would cost.
_GENEROUS_SECONDS = 1.0


@pytest.fixture(scope="module")
def forge(simulator: Simulator) -> Forge:
    """A maker of tokens; ``elsewhere`` is never to be asked for anything."""
    return Forge(simulator, "https://keys.invalid/keys")


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


@pytest.mark.parametrize("make", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_is_refused_at_small_cost(
    make: Callable[[Forge], str | None], forge: Forge, door: Door, running: Invitation
) -> None:
    """401 with the scheme that is wanted, no reason told, nothing changed, and no work worth a stranger's while."""
    authorization = make(forge)
    before = door.table.invitation(running.call_id, running.id)
    assert authorization is None or authorization != forge.good()
    started = time.perf_counter()
    answer = door.post(_ended(running), authorization=authorization)
    assert time.perf_counter() - started < _GENEROUS_SECONDS
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.body is not None
    assert answer.body["error"]["code"] == "NotFromGraph"
    assert door.table.invitation(running.call_id, running.id) == before
    assert door.table.call(running.call_id) is None


def test_there_are_many_forgeries() -> None:
    """The list above is long, and each entry of it is another token."""
    assert len(FORGERIES) >= 100


def test_the_same_report_with_a_good_token_is_recorded(forge: Forge, door: Door, call_id: str) -> None:
    """So the forgeries above were refused for what they are, and not for what came with them."""
    invitation = door.keep(states.invitation(call_id=call_id))
    answer = door.post(_ended(invitation), authorization=forge.good())
    assert answer.status == 202
    assert door.invitation(invitation) != invitation
    assert door.call(call_id)["state"] == "terminated"


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_graph_may_send_gets_in(make: Callable[[Forge], str], forge: Forge, door: Door) -> None:
    """Lifetimes, letter case and slashes differ between pages and messages; none of them shuts Graph out."""
    assert door.post([], authorization=make(forge)).status == 202


def test_another_header_is_not_looked_at(forge: Forge, door: Door) -> None:
    """Only ``Authorization`` counts, though a sample on one of Graph's pages prints ``Authentication``."""
    headers = {name: forge.good() for name in ("authentication", "x-authorization", "proxy-authorization")}
    assert door.post([], authorization=None, **headers).status == 401


def test_a_refusal_tells_a_stranger_nothing(forge: Forge, door: Door) -> None:
    """Every forgery gets the same answer to the letter, so nobody can feel their way in."""
    answers = {door.post([], authorization=make(forge)).content() for make in list(FORGERIES.values())[::7]}
    assert len(answers) == 1


def test_the_log_tells_why_and_never_what(forge: Forge, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever runs the app finds the reason of a refusal; the token itself is not in the log."""
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
    """Addresses in a token's header are not followed, whoever signed it."""
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        asked.append(connection.recv(16))

    with listening(serve) as port:
        forge = Forge(forge.simulator, f"http://127.0.0.1:{port}/keys")
        for name in ("key elsewhere by jku", "certificate elsewhere by x5u", "kid as address"):
            assert door.post([], authorization=FORGERIES[name](forge)).status == 401
        assert door.post([], authorization=forge.with_header(jku=forge.elsewhere)).status == 202
    assert asked == []


def test_a_rotated_key_gets_in_at_once(simulator: Simulator, forge: Forge, door: Door) -> None:
    """Graph changes its key between two callbacks, and neither is refused."""
    # The floor between two readings for an unknown key belongs to the forgeries of the other tests.
    keys = door.app.receiving._validator._keys
    keys._asked_for_unknown_at = float("-inf")  # type: ignore[attr-defined]
    old = forge.good()
    simulator.rotate_keys()
    assert door.post([], authorization=forge.good()).status == 202
    assert door.post([], authorization=old).status == 202


class _OneKey:
    """An announcement with one key."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        numbers: Any = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self._key = jwt.PyJWK({**numbers, "kid": "k"}, algorithm="RS256")

    def key(self, key_id: str) -> jwt.PyJWK | None:
        return self._key if key_id == "k" else None


def test_the_leeway_is_five_minutes(simulator: Simulator) -> None:
    """To the second on both sides, as far as a clock can tell."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    validator = TokenValidator(_OneKey(key), audience="a", issuers=["https://i"], tenant_ids=["t"])
    now = int(time.time())

    def judge(**times: int) -> bool:
        claims = {"iss": "https://i", "aud": "a", "tid": "t", "exp": now + 60, **times}
        try:
            validator.validate("Bearer " + jwt.encode(claims, key, "RS256", headers={"kid": "k"}))
        except NotFromGraph:
            return False
        return True

    assert [judge(exp=now - seconds) for seconds in (0, 290, 301, 400)] == [True, True, False, False]
    assert [judge(nbf=now + seconds) for seconds in (0, 290, 320, 400)] == [True, True, False, False]


@pytest.mark.parametrize(("use", "accepted"), [("sig", True), ("enc", False), ("tls", False)])
def test_a_key_for_another_use_opens_nothing(
    use: str, forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, accepted: bool
) -> None:
    """A key that is announced for encryption signs nothing, not even with a perfect token."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    ports: list[int] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            announced = {"keys": [{**forge.simulator.keys.current.jwk(), "use": use}]}
            configuration = {"jwks_uri": f"https://localhost:{ports[0]}/keys"}
            answer(connection, 200, announced if b" /keys " in request else configuration)

    with listening(tls(serve)) as port, new_session(()) as session:
        ports.append(port)
        validator = TokenValidator(
            CallbackKeys(f"https://localhost:{port}/configuration", session),
            audience=forge.simulator.client_id,
            issuers=["https://api.botframework.com"],
            tenant_ids=[forge.simulator.tenant_id],
        )
        if accepted:
            validator.validate(forge.good())
        else:
            with pytest.raises((NotFromGraph, KeysUnavailable)):
                validator.validate(forge.good())
