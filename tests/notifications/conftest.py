"""The endpoint for Graph's callbacks on real parts: Azurite, HTTPS, and the simulator's JWKS."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

from app import ERRORS, App, build
from dev.simulator import Simulator
from domain.record import CallRecord, Needs
from notifications.token_rules import TokenKind
from settings import load
from storage.errors import StorageError
from storage.store import TableStore
from storage.table import StorageTable, table_client
from web.answers import Answer, Request, error_answer
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.call import Call
    from domain.invitation import Invitation
    from domain.record import OperationEntry
    from flows.queries import Queries
    from storage.reading import Held


class CountingTransport(RequestsTransport):  # type: ignore[misc]  # azure.core has no types here
    """The real transport to storage, which counts requests and breaks on request."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []
        self.breaks_after: int | None = None
        """How many requests still get through; None for all."""

    def send(self, request: Any, **kwargs: Any) -> Any:
        self.requests.append(f"{request.method} {request.url.partition('?')[0].rpartition('/')[2]}")
        if self.breaks_after is not None:
            if self.breaks_after == 0:
                raise ServiceRequestError("broken on request")
            self.breaks_after -= 1
        return super().send(request, **kwargs)


@dataclass
class Door:
    """The app as Graph sees it, and what it has stored."""

    app: App
    store: TableStore
    simulator: Simulator
    transport: CountingTransport

    def post(self, body: Any, *, authorization: str | None = "", **headers: str) -> Answer:
        """Post a callback: bytes as they are, a list as its items, anything else as JSON; with a good token."""
        if isinstance(body, list):
            body = {"@odata.type": "#microsoft.graph.commsNotifications", "value": body}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if authorization == "":
            authorization = f"Bearer {self.simulator.token()}"
        given = {"content-type": "application/json", **headers}
        if authorization is not None:
            given["authorization"] = authorization
        try:
            return self.app.notifications.receive(Request(headers=given, body=content))
        except ApiError as error:
            return error_answer(error)
        except StorageError as error:
            return error_answer(ERRORS[type(error)]())

    def accept(self, body: Any) -> None:
        """Post a callback that has to be acknowledged."""
        answer = self.post(body)
        assert (answer.status, answer.body) == (202, None)

    def keep(self, *invitations: Invitation) -> Invitation:
        """Store invitations of one call as if they had just been sent; return the first."""
        call_id = invitations[0].call_id

        def insert(record: CallRecord) -> CallRecord:
            for invitation in invitations:
                record = record.with_invitation(invitation)
            return record

        self.store.update(call_id, Needs(), insert, held=self.store.nothing_yet(call_id))
        return invitations[0]

    def invitation(self, invitation: Invitation) -> Invitation:
        """Read an invitation as it is now."""
        return self.held(invitation).record.invitations[invitation.id]

    def held(self, invitation: Invitation) -> Held:
        """Read an invitation with its ETag."""
        return self.store.read(invitation.call_id, Needs(invitations=frozenset({invitation.id})))

    def open(self, call_id: str) -> list[Invitation]:
        """Return the open invitations of a call."""
        return list(self.store.read(call_id, Needs(open_invitations=True)).record.invitations.values())

    def operation(self, call_id: str, operation_id: str) -> OperationEntry | None:
        """Return what is known under Graph's id of an operation."""
        needs = Needs(operations=frozenset({operation_id}))
        return self.store.read(call_id, needs).record.operations.get(operation_id)

    def stored_call(self, call_id: str) -> Call | None:
        """Return a call as stored."""
        return self.store.read(call_id, Needs(call=True)).record.call

    @property
    def reading(self) -> Queries:
        """What flows can read."""
        return self.app.queries

    def presence(self, invitation: Invitation) -> list[str]:
        """Return the presence of each invited person, as a flow reads it."""
        answer = self.reading.invitation(Request(route={"callId": invitation.call_id, "invitationId": invitation.id}))
        assert answer.body is not None
        return [entry["presence"] for entry in answer.body["participants"]]

    def call(self, call_id: str) -> dict[str, Any]:
        """Return a call as a flow reads it."""
        answer = self.app.page.call(Request(route={"callId": call_id}))
        return dict(answer.body or {})

    def roster(self, call_id: str, **query: str) -> list[dict[str, Any]]:
        """Return who is in a call, as a flow reads it."""
        answer = self.reading.participants(Request(route={"callId": call_id}, query=query))
        value: list[dict[str, Any]] = (answer.body or {})["value"]
        return value


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """A Graph that announces keys and mints tokens."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def door(azurite: str, simulator: Simulator) -> Iterator[Door]:
    """The app on a table of its own; each test uses calls of its own."""
    settings = load(
        {
            **simulator.settings(),
            "PUBLIC_BASE_URL": "https://app.example",
            "AzureWebJobsStorage": azurite,
            "STATE_TABLE": f"t{uuid.uuid4().hex}",
        }
    )
    transport = CountingTransport()
    with pytest.MonkeyPatch.context() as patch, table_client(settings, transport=transport) as client:
        patch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)
        client.create_table()
        table = StorageTable(client)
        app = build(settings, table=table)
        yield Door(app, TableStore(table), simulator, transport)
        app.notifications._validator._keys[TokenKind.OLDER]._session.close()  # type: ignore[attr-defined]


@pytest.fixture
def call_id() -> str:
    """A call that no other test knows."""
    return str(uuid.uuid4())
