"""A worker that does the same work with Microsoft's SDK (msgraph-sdk), as far as the SDK does it.

It runs in an environment of its own and imports nothing of the app. An adapter answers in place of the network. The SDK
has no model of a callback's envelope (commsNotifications), so that is read as plain JSON.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from importlib.metadata import version

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_serialization_json.json_parse_node import JsonParseNode
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.communications.calls.item.participants.invite.invite_post_request_body import (
    InvitePostRequestBody,
)
from msgraph.generated.models.identity_set import IdentitySet
from msgraph.generated.models.invitation_participant_info import InvitationParticipantInfo
from msgraph.generated.models.invite_participants_operation import InviteParticipantsOperation
from msgraph.generated.models.participant import Participant
from msgraph_core import GraphClientFactory

from dev.benchmarks.bodies import invite_body, operation_report, roster_report
from dev.benchmarks.measure import serve, timed


def _answer(request: httpx.Request) -> httpx.Response:
    asked = json.loads(request.content)
    return httpx.Response(
        200,
        json={
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "id": str(uuid.uuid4()),
            "status": "running",
            "clientContext": asked["clientContext"],
        },
    )


class Sdk:
    """A client over an adapter that answers at once."""

    def __init__(self) -> None:
        network = httpx.AsyncClient(transport=httpx.MockTransport(_answer))
        http = GraphClientFactory.create_with_default_middleware(client=network)
        self._client = GraphServiceClient(request_adapter=GraphRequestAdapter(AnonymousAuthenticationProvider(), http))
        self._loop = asyncio.new_event_loop()

    def invite(self, _: object) -> None:
        """Build an invite in the SDK's models, send it, and read the response."""
        self._loop.run_until_complete(self._invite())

    async def _invite(self) -> None:
        context = uuid.uuid4().hex
        post = self._client.communications.calls.by_call_id(str(uuid.uuid4())).participants.invite.post
        answer = await post(_body(context))
        assert answer is not None
        assert answer.client_context == context


def report(raw: str) -> None:
    """Read a report's operation into the SDK's model."""
    for item in json.loads(raw)["value"]:
        assert JsonParseNode(item["resourceData"]).get_object_value(InviteParticipantsOperation).client_context


def roster(raw: str) -> None:
    """Read a report's participants into the SDK's models."""
    for item in json.loads(raw)["value"]:
        assert JsonParseNode(item["resourceData"]).get_collection_of_object_values(Participant)


def _body(context: str) -> InvitePostRequestBody:
    """Return the body of an invite in the SDK's own models."""
    (asked,) = invite_body(context)["participants"]
    # The SDK has no model of what an identity of a call adds, so these members go as additional data.
    identity = IdentitySet(
        odata_type=asked["identity"]["@odata.type"], additional_data={"user": asked["identity"]["user"]}
    )
    participant = InvitationParticipantInfo(odata_type=asked["@odata.type"], identity=identity)
    return InvitePostRequestBody(participants=[participant], client_context=context)


if __name__ == "__main__":
    sdk = Sdk()
    serve(
        {
            "invite": lambda count: timed(lambda: None, sdk.invite, count),
            "report": lambda count: timed(lambda: json.dumps(operation_report("call", "context", "id")), report, count),
            "roster": lambda count: timed(lambda: json.dumps(roster_report("call")), roster, count),
            "version": lambda _: version("msgraph-sdk"),
        }
    )
