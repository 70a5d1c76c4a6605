"""How a callback is answered: 202, or why not."""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from app import ERRORS, build
from notifications.receiving import NotificationReceiver
from notifications.token_rules import TokenKind
from settings import load
from storage.budget import remaining
from storage.errors import StorageUnavailable
from storage.table import StorageTable, table_client
from tests.graph.servers import closed_port
from tests.notifications.forge import Forge
from tests.notifications.reports import (
    DECLINED,
    kept,
    operation_item,
    roster_item,
    statuses_of,
)
from web.answers import Request
from web.errors import Unauthorized
from web.http import HttpEdge

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.notifications.conftest import Door


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"x",
        b"<xml/>",
        b"null",
        b"5",
        b'"x"',
        b"[]",
        b"{}",
        b'{"value": null}',
        b'{"value": {}}',
        b'{"value": "x"}',
        b'{"value": [',
        b"\xff\xfe\x00",
        '{"value": []}'.encode("utf-16"),
        b"[" * 200_000,
        b'{"value":' * 100_000,
        b'{"value": [' + b"9" * 5000 + b"]}",
        b'{"VALUE": []}',
        # The old Skype form of an incoming call, which must not get the 204 that asks for it again.
        json.dumps({"callInvitation": {"links": {}}, "conversationInvitation": {"conversationType": "x"}}).encode(),
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(body: bytes, door: Door) -> None:
    """Neither a 500, nor a 204, which means something else to Graph."""
    answer = door.post(body)
    assert answer.status == 400
    assert answer.body is not None
    assert answer.body["error"]["code"] == "NotNotifications"


@pytest.mark.parametrize("body", [b'{"value": []}', b'\xef\xbb\xbf{"value": []}', b'{"value": [null, 1, []], "x": 1}'])
def test_nothing_to_do_is_acknowledged(body: bytes, door: Door) -> None:
    """202 with an empty body, also with a byte-order mark in front."""
    answer = door.post(body)
    assert (answer.status, answer.content()) == (202, None)


def test_largest_body(door: Door) -> None:
    """Up to the limit it is read, beyond it is not."""
    shell = b'{"value": [""]}'
    fitting = shell.replace(b'""', b'"' + b"x" * (4 * 1024 * 1024 - len(shell)) + b'"')
    assert len(fitting) == 4 * 1024 * 1024
    assert door.post(fitting).status == 202
    answer = door.post(fitting + b" ")
    assert answer.status == 413
    assert answer.body is not None
    assert answer.body["error"]["code"] == "BodyTooLarge"


def test_storage_that_fails_is_a_503(door: Door, call_id: str) -> None:
    """Nothing is acknowledged that is not written down; Graph sends it again, and then it is."""
    invitation = kept(door, call_id)
    body = [operation_item(call_id, clientContext=invitation.client_context)]
    for passes in (0, 1):
        door.transport.breaks_after = passes
        try:
            answer = door.post(body)
        finally:
            door.transport.breaks_after = None
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert statuses_of(door.invitation(invitation)) == ["running"]
    door.accept(body)
    assert statuses_of(door.invitation(invitation)) == ["completed"]


def test_time_without_storage(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, call_id: str) -> None:
    """Graph gives up after five seconds, so the app says so before."""
    port = closed_port()
    storage = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
        f"TableEndpoint=http://127.0.0.1:{port}/devstoreaccount1;QueueEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )
    settings = load({**simulator.settings(), "PUBLIC_BASE_URL": "https://app.example", "AzureWebJobsStorage": storage})
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)
    with table_client(settings) as client:
        app = build(settings, table=StorageTable(client))
        try:
            headers = {"authorization": f"Bearer {simulator.token()}"}
            body = json.dumps({"value": [roster_item(call_id, "alice")]}).encode()
            started = time.perf_counter()
            with pytest.raises(StorageUnavailable):
                app.notifications.receive(Request(headers=headers, body=body))
            assert time.perf_counter() - started < 5
            # A callback that needs no storage is acknowledged all the same.
            empty = app.notifications.receive(Request(headers=headers, body=b'{"value": []}'))
            assert empty.status == 202
        finally:
            app.notifications._validator._keys[TokenKind.OLDER]._session.close()  # type: ignore[attr-defined]


def test_without_keys_nobody_is_judged(door: Door, simulator: Simulator) -> None:
    """Where the keys can't be had, it is a 503, neither a 401 nor a way in."""
    simulator.keys.failing = 500
    keys: Any = door.app.notifications._validator._keys[TokenKind.OLDER]
    before = keys._read_at
    keys._read_at = float("-inf")
    try:
        answer = door.post([])
    finally:
        simulator.keys.failing = None
        keys._read_at, keys._failed_at, keys._last_failed = before, float("-inf"), False
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert door.post([]).status == 202


def test_slow_graph_leaves_storage_its_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Graph request of a callback takes does not count, or its answer could not be written down."""
    left: list[float] = []

    def slow(_: object) -> None:
        time.sleep(0.3)
        left.append(remaining())

    monkeypatch.setattr("notifications.receiving.CALLBACK_SECONDS", 0.25)
    monkeypatch.setattr("notifications.receiving.run_duties", slow)
    assert door.post([]).status == 202
    assert left == [pytest.approx(0.25, abs=0.1)]


@pytest.mark.parametrize("kind", TokenKind)
def test_the_kind_of_a_token_is_in_the_log(kind: TokenKind, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """So that an operator sees when Microsoft changes over."""
    with caplog.at_level(logging.INFO, logger="call_invites"):
        assert door.post([], authorization=Forge(door.simulator, "", kind).good()).status == 202
    assert f"callback kind={kind.value} items=0" in caplog.text


def test_a_refused_caller_is_named_once_a_minute(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """With the setting that would allow it; every refusal is counted all the same."""
    now = [1000.0]
    app: Any = door.app.notifications
    receiving = NotificationReceiver(app._validator, app._progress, app._calls, clock=lambda: now[0])
    caller = str(uuid.uuid4())
    token = Forge(door.simulator, "", TokenKind.ENTRA).with_claims(azp=caller)
    for seconds in (0, 1, 58.9, 0.2):
        now[0] += seconds
        with pytest.raises(Unauthorized):
            receiving.receive(Request(headers={"authorization": token}, body=b""))
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count("callback refused reason=caller") == 4
    named = f"callback of another app refused caller-id={caller} setting=CALLBACK_CALLER_IDS"
    assert lines.count(named) == 2


def _request(door: Door, body: Any, **headers: str) -> func.HttpRequest:
    given = {"Content-Type": "application/json", **headers}
    return func.HttpRequest(
        "POST", "https://app.example/api/notifications", headers=given, body=json.dumps(body).encode()
    )


def test_through_the_edge(door: Door, call_id: str) -> None:
    """202 and nothing more, or 401 and how to come in; header names in any case, ids of the message in the log."""
    edge = HttpEdge(lambda: door.app, ERRORS)

    def receive(request: func.HttpRequest) -> func.HttpResponse:
        return edge.answer(request, None, lambda app, asked: app.notifications.receive(asked))

    token = f"Bearer {door.simulator.token()}"
    body = {"value": [roster_item(call_id, "alice")]}
    accepted = receive(_request(door, body, AUTHORIZATION=token))
    assert (accepted.status_code, accepted.get_body()) == (202, b"")
    refused = receive(_request(door, body))
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    unreadable = receive(_request(door, 5, authorization=token))
    assert unreadable.status_code == 400


def test_the_log_names_no_person(door: Door, call_id: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither numbers, names, contexts nor tokens; the ids that support asks for are there, made harmless."""
    invitation = kept(door, call_id)
    item = roster_item(call_id, "8:orgid:278405a3-f568-4b3e-b684-009193463064")
    item["resourceData"][0]["info"]["identity"]["phone"] = {"id": "+12345678901", "displayName": "Alice Secret"}
    scenario = "5fca7b02-2e24-4f28-8551-7c0938b2312e"
    with caplog.at_level(logging.DEBUG, logger="call_invites"):
        door.post(
            [operation_item(call_id, "failed", clientContext=invitation.client_context, resultInfo=DECLINED), item],
            **{"x-microsoft-skype-message-id": "4915112345678\r\nforged line", "scenario-id": scenario},
        )
    assert "message-id=- " in caplog.text
    assert f"scenario-id={scenario}" in caplog.text
    for private in ("278405a3", "+12345678901", "Alice", "orgid", "4915112345678", invitation.client_context, "eyJ"):
        assert private not in caplog.text
