"""An app that calls the simulated Graph, over TLS and with a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from dev.simulator import Simulator

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

    def get(self, call_id: str, path: str = "") -> requests.Response:
        return self.session.get(self.url(call_id, path), timeout=10)

    def url(self, call_id: str, path: str) -> str:
        return f"{self._graph.base_url}/v1.0/communications/calls/{call_id}/{path}".rstrip("/")


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
