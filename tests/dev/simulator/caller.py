"""An app that calls the simulated Graph, over TLS and with a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from dev.simulator.meetings import Meeting
    from tests.dev.simulator.inbox import Inbox

ALICE = "278405a3-f568-4b3e-b684-009193463064"
BOB = "7e1b4346-85a6-4bdd-abe3-d11c5d420efe"
CAROL = "1e126418-44a0-4a94-a6f8-0efe1ad71acb"
PHONE = "+12345678901"


class Caller:
    def __init__(self, graph: Simulator) -> None:
        self._graph = graph
        self.session = requests.Session()
        # A certificate bundle named in the environment would be used instead of the one below.
        self.session.trust_env = False
        self.session.verify = graph.ca_file
        self.session.headers["Authorization"] = f"Bearer {graph.entra.access_token()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def invite(self, call_id: str, *people: str, context: str | None = "context", **headers: str) -> requests.Response:
        """Invite people by their ids; header names are written with underscores."""
        body: dict[str, Any] = {"participants": [participant(person) for person in people]}
        if context is not None:
            body["clientContext"] = context
        return self.post(call_id, body, **headers)

    def post(self, call_id: str, body: object, **headers: str) -> requests.Response:
        """Send any body as an invite."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.post(self.url(call_id, "participants/invite"), json=body, headers=named, timeout=10)

    def create(self, graph: Simulator, inbox: Inbox, **members: object) -> requests.Response:
        """Create a call; what isn't given is as Microsoft's SDK sends it."""
        body = {name: value for name, value in {**call_body(graph, inbox), **members}.items() if value is not None}
        return self.session.post(f"{graph.base_url}/v1.0/communications/calls", json=body, timeout=10)

    def act(self, call_id: str, action: str, body: object = None) -> requests.Response:
        """POST to a call: ``keepAlive``, ``answer`` or ``reject``."""
        return self.session.post(self.url(call_id, action), json=body, timeout=10)

    def delete(self, call_id: str, path: str = "") -> requests.Response:
        return self.session.delete(self.url(call_id, path), timeout=10)

    def get(self, call_id: str, path: str = "") -> requests.Response:
        return self.session.get(self.url(call_id, path), timeout=10)

    def url(self, call_id: str, path: str) -> str:
        return f"{self._graph.base_url}/v1.0/communications/calls/{call_id}/{path}".rstrip("/")


MEDIA = {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"}


def call_body(graph: Simulator, inbox: Inbox) -> dict[str, Any]:
    """What requests to create a call have in common, as Microsoft.Graph.Communications.Calls 1.2.0 writes them."""
    application = {"@odata.type": "#microsoft.graph.identity", "displayName": "CallInvites", "id": graph.client_id}
    identity = {"@odata.type": "#microsoft.graph.identitySet", "application": application}
    return {
        "@odata.type": "#microsoft.graph.call",
        "callbackUri": inbox.url,
        "direction": "Outgoing",
        "mediaConfig": MEDIA,
        "requestedModalities": ["Audio"],
        "source": {"@odata.type": "#microsoft.graph.participantInfo", "identity": identity},
        "tenantId": graph.tenant_id,
    }


def targets(*people: str) -> list[dict[str, Any]]:
    """The people that a call is made to."""
    return [{"@odata.type": "#microsoft.graph.invitationParticipantInfo", **participant(person)} for person in people]


def coordinates(meeting: Meeting, **organizer: object) -> dict[str, Any]:
    """A meeting by its thread and organizer."""
    user = {"@odata.type": "#microsoft.graph.identity", "tenantId": meeting.tenant_id, "id": meeting.organizer}
    return {
        "chatInfo": {"@odata.type": "#microsoft.graph.chatInfo", "messageId": "0", "threadId": meeting.thread_id},
        "meetingInfo": {
            "@odata.type": "#microsoft.graph.organizerMeetingInfo",
            "organizer": {"@odata.type": "#microsoft.graph.identitySet", "user": {**user, **organizer}},
            "allowConversationWithoutHost": True,
        },
    }


def by_id(meeting: Meeting, passcode: str | None = None) -> dict[str, Any]:
    """A meeting by its id and passcode."""
    info = {"joinMeetingId": meeting.join_meeting_id, "passcode": passcode or meeting.passcode}
    return {
        "chatInfo": {"@odata.type": "#microsoft.graph.chatInfo"},
        "meetingInfo": {"@odata.type": "#microsoft.graph.joinMeetingIdMeetingInfo", **info},
    }


def by_token(token: str) -> dict[str, Any]:
    """A meeting by a token of a notification."""
    return {"meetingInfo": {"@odata.type": "#microsoft.graph.tokenMeetingInfo", "token": token}}


def participant(person: str, **members: object) -> dict[str, Any]:
    """An invitationParticipantInfo of a user, or of a phone where ``person`` is a number."""
    kind = "phone" if person.startswith("+") else "user"
    return {"identity": {kind: {"id": person}}, **members}


def error_of(response: requests.Response) -> tuple[int, str]:
    """The status and Graph's code of a refusal, whose body must be as Graph has it."""
    error = response.json()["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
    return response.status_code, error["code"]
