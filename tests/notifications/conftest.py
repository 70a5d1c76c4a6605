"""The door at which Graph's callbacks arrive, on real parts: Azurite, HTTPS, and keys announced by the simulator."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

from app import App, build
from dev.simulator import Simulator
from notifications.token_rules import TokenKind
from settings import load
from storage.calls import CallTable
from storage.table import StorageTable, table_client
from web.answers import Answer, Request, error_answer
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.model import Invitation
    from flows.queries import Reading


class CountingTransport(RequestsTransport):  # type: ignore[misc]  # azure.core has no types here
    """The real way to storage, counting what goes there, and breaking on request."""

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
    """The app as Graph sees it, and a look behind it."""

    app: App
    table: CallTable
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

    def accept(self, body: Any) -> None:
        """Post a callback that has to be acknowledged."""
        answer = self.post(body)
        assert (answer.status, answer.body) == (202, None)

    def keep(self, invitation: Invitation) -> Invitation:
        """Store an invitation as if it had just been sent."""
        return self.table.insert_invitation(invitation).value

    def invitation(self, invitation: Invitation) -> Invitation:
        """Read an invitation as it is now."""
        stored = self.table.invitation(invitation.call_id, invitation.id)
        assert stored is not None
        return stored.value

    @property
    def reading(self) -> Reading:
        """What flows can read."""
        return self.app.queries

    def presence(self, invitation: Invitation) -> list[str]:
        """Return the presence of each invited person, as a flow reads it."""
        answer = self.reading.invitation(Request(route={"callId": invitation.call_id, "invitationId": invitation.id}))
        assert answer.body is not None
        return [entry["presence"] for entry in answer.body["participants"]]

    def call(self, call_id: str) -> dict[str, Any]:
        """Return a call as a flow reads it."""
        answer = self.reading.call(Request(route={"callId": call_id}))
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
        app = build(settings, client=client)
        yield Door(app, CallTable(StorageTable(client)), simulator, transport)
        app.notifications._validator._keys[TokenKind.OLDER]._session.close()  # type: ignore[attr-defined]


@pytest.fixture
def call_id() -> str:
    """A call that no other test knows."""
    return str(uuid.uuid4())
