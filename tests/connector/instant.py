"""An app in place of the real one that knows every outcome at once, for what a flow does with bad input.

It refuses what the real app refuses, by the app's own form and rules. Everything else about it is the simplest that can
be: people join, except those of whom a test says why not, and the same key with another body is a conflict.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from calls.request import StartAndWaitBody
from calls.rules import start_faults
from connector.routes import ROOT
from invite.reading import read_body
from tests.configured import TENANT, loaded
from tests.connector import expressions
from tests.connector.engine_http import Callbacks, Gateway, Reply, Wire, connector_files
from tests.connector.interpreter import Run, printed, with_settings
from tests.connector.office import Office
from tests.connector.teams import Teams
from web.answers import Request
from web.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.connector.referee import Referee

PAGE = "https://app.example/api/page#call=c&token=t"


def meeting_link() -> str:
    """Return the link of a meeting that the app can join."""
    context = quote(json.dumps({"Tid": TENANT, "Oid": str(uuid.uuid4())}))
    thread = quote(f"19:meeting_{uuid.uuid4().hex}@thread.v2")
    return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}"


@dataclass(frozen=True, slots=True)
class _Meeting:
    join_web_url: str


class InstantApp(Gateway):
    """The app behind the connector.

    Args:
        callbacks: where waiting flows are.
        not_joining: the reasons of people who don't join, by id.
    """

    def __init__(self, callbacks: Callbacks, not_joining: Mapping[str, str]) -> None:
        super().__init__(*connector_files(), "", "", Wire())
        self._callbacks = callbacks
        self._not_joining = not_joining
        self._settings = loaded(GRAPH_TENANT_ID=TENANT, FLOW_CALLBACK_LOCAL_HOSTS=f"127.0.0.1:{callbacks.port}")
        self._known: dict[str, Any] = {}
        self.calls: list[list[str]] = []
        """The ids of the people who were called together, in order."""
        self.refuses: tuple[int, str] | None = None
        """The status and message with which everything is refused."""
        self.answers: dict[str, Reply] = {}
        """What comes back in place of an operation's own response; of one that waits, as its outcome."""
        self.timeline: dict[str, Any] = {"value": []}
        self.open_calls: list[str] = []
        """The titles of calls that go on."""
        self.left = 0
        """How often a call was left."""
        self.states: list[str] = []
        """The call's states, each for one *Get call*."""

    def meeting(self) -> _Meeting:
        """Return a meeting that the app can join, as the simulator does."""
        return _Meeting(meeting_link())

    def call(
        self, operation_id: str, given: Mapping[str, Any], headers: Mapping[str, str], callback_url: str | None = None
    ) -> Reply:
        """Do an operation, or answer what a test says."""
        found = self.answers.get(operation_id)
        if found is None:
            return super().call(operation_id, given, headers, callback_url)
        if callback_url is not None and found.status == HTTPStatus.OK:
            self._callbacks.deliver(callback_url, found.body or {})  # an outcome is never null
        return found

    def _forward(self, method: str, rest: str, headers: Mapping[str, str], body: Any) -> Reply:
        del headers
        if self.refuses is not None:
            return _error(self.refuses[0], "Refused", self.refuses[1])
        if method.upper() == "GET":
            return self._got(rest)
        if method.upper() == "DELETE":
            self.left += 1
            return Reply(204, {}, None)
        assert (method.upper(), rest) == ("POST", "/calls/start-and-wait")
        request = Request(body=json.dumps(body).encode())
        faults: list[Any] = []
        try:
            read_body(request, StartAndWaitBody, self._settings.cloud, self._settings.phone_prefixes)
        except BadRequest as error:
            faults = list(error.details)
        faults += start_faults(body, self._settings, waits=True)
        if faults:
            return Reply(400, {}, dict(BadRequest.of(faults).body()))
        key, url = body.get("clientContext"), body.pop("callbackUrl")
        if key in self._known and self._known[key] != body:
            return _error(409, "KeyReused", "The name was used for another request.")
        if key not in self._known:
            self._call(body)
        if body.get("subject"):
            self.open_calls.append(body["subject"])
        if key is not None:
            self._known[key] = body
        self._callbacks.deliver(url, self._outcome(body))
        return Reply(201, {}, {})

    def _got(self, rest: str) -> Reply:
        if rest == "/calls":
            return Reply(200, {}, {"value": [{"id": "c", "title": title} for title in self.open_calls]})
        if urlsplit(rest).path.endswith("/timeline"):
            return Reply(200, {}, self.timeline)
        state = self.states.pop(0)
        if state == "unknown call":
            return _error(404, "CallNotFound", "There is no such call.")
        return Reply(200, {}, {"id": "c", "title": "P1", "state": state})

    def _call(self, body: dict[str, Any]) -> None:
        for together in [body.get("participants") or [], *(step["participants"] for step in body.get("steps") or [])]:
            ids = [_identity(person)["id"] for person in together]
            if ids:
                self.calls.append(ids)
            if body.get("steps") and any(one not in self._not_joining for one in ids):
                break

    def _outcome(self, body: dict[str, Any]) -> dict[str, Any]:
        people, won = [], False
        for together in [body.get("participants") or [], *(step["participants"] for step in body.get("steps") or [])]:
            for person in together:
                why = self._not_joining.get(_identity(person)["id"])
                status = "notStarted" if won else "completed" if why is None else "failed"
                why = "This person was not called, because the escalation ended before." if won else why
                people.append({"identity": person["identity"], "status": status, "reason": why, "presence": "unknown"})
            won = bool(body.get("steps")) and any(person["status"] == "completed" for person in people)
        joined = sum(person["status"] == "completed" for person in people)
        status = "failed" if people and not joined else "completed"
        call = {"id": "c", "pageUrl": PAGE}
        return {"status": status, "reason": None, "call": call, "participants": people, "joinedCount": joined}


def _identity(person: dict[str, Any]) -> dict[str, Any]:
    (identity,) = person["identity"].values()
    return dict(identity)


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {}, {"error": {"code": code, "message": message}})


@dataclass(slots=True)
class Instant:
    """Runs sample flows against an app and a tenant that are only in this process."""

    office: Office = field(default_factory=Office)
    not_joining: dict[str, str] = field(default_factory=dict)
    referee: Referee = expressions
    callbacks: Callbacks = field(default_factory=Callbacks)
    app: InstantApp = field(init=False)
    teams: Teams = field(init=False)

    def __post_init__(self) -> None:
        self.callbacks.server_close()  # it only keeps what is waited for
        self.app = InstantApp(self.callbacks, self.not_joining)
        self.teams = Teams(self.app)

    def run(self, name: str, trigger_body: Any, settings: Mapping[str, Any] | None = None) -> Run:
        """Run a sample flow with its *Settings* filled in; somebody has to read about it."""
        run = self.run_any(name, trigger_body, settings)
        assert self.teams.messages or self.teams.chats or self.office.mails, printed(run)
        return run

    def run_any(self, name: str, trigger_body: Any, settings: Mapping[str, Any] | None = None) -> Run:
        """Run a sample flow, which may also say nothing."""
        file = ROOT / "connector" / "flows" / f"{name}.json"
        flow = with_settings(json.loads(file.read_text(encoding="utf-8")), settings or {})
        connections = {"shared_teams": self.teams, **self.office.connections}
        run = Run(flow, trigger_body, Wire(0.0), self.app, self.callbacks, 5.0, self.referee, connections)
        run.start()
        return run

    @property
    def called(self) -> list[str]:
        """The ids of everybody who was called, in order."""
        return [one for together in self.app.calls for one in together]
