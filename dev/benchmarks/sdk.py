"""A worker that does the same work with Microsoft's SDK (msgraph-sdk), as far as the SDK does it.

It runs in an environment of its own and imports nothing of the app. The network is an adapter here too. The SDK has no
model of a callback's envelope (commsNotifications), so that is read as plain JSON, and nobody checks its token.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

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
from dev.benchmarks.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """The pieces of work."""

    def __init__(self) -> None:
        network = httpx.AsyncClient(transport=httpx.MockTransport(_answer))
        http = GraphClientFactory.create_with_default_middleware(client=network)
        self._client = GraphServiceClient(request_adapter=GraphRequestAdapter(AnonymousAuthenticationProvider(), http))
        self._loop = asyncio.new_event_loop()

    def works(self) -> dict[str, Callable[[int], Any]]:
        """Return the pieces of work by name; each takes how often it is to be done."""
        return {
            "invite": lambda count: self._loop.run_until_complete(self._invite(count)),
            "callback": self._callback,
            "roster": self._roster,
            "version": lambda _: version("msgraph-sdk"),
        }

    async def _invite(self, count: int) -> float:
        call_id = str(uuid.uuid4())
        post = self._client.communications.calls.by_call_id(call_id).participants.invite.post
        started = time.process_time()
        for _ in range(count):
            context = uuid.uuid4().hex
            answer = await post(_body(context))
            assert answer is not None
            assert answer.client_context == context
        return (time.process_time() - started) / count * 1e6

    @staticmethod
    def _callback(count: int) -> float:
        raws = [json.dumps(operation_report(str(uuid.uuid4()), "context", str(uuid.uuid4()))) for _ in range(count)]
        started = time.process_time()
        for raw in raws:
            for item in json.loads(raw)["value"]:
                operation = JsonParseNode(item["resourceData"]).get_object_value(InviteParticipantsOperation)
                assert operation.client_context == "context"
        return (time.process_time() - started) / count * 1e6

    @staticmethod
    def _roster(count: int) -> float:
        raws = [json.dumps(roster_report(str(uuid.uuid4()))) for _ in range(count)]
        started = time.process_time()
        for raw in raws:
            for item in json.loads(raw)["value"]:
                people = JsonParseNode(item["resourceData"]).get_collection_of_object_values(Participant)
                assert len(people) == 50  # noqa: PLR2004 - as many as bodies.py makes
        return (time.process_time() - started) / count * 1e6


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
    serve(Sdk().works())
