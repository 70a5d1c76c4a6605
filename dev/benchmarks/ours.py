"""A worker that does our side of the work without sockets, and tells its processor time in microseconds."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import resource
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import azure.functions as func
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import invite.http
import notifications.http
import web.edge
from dev.benchmarks import inside
from dev.benchmarks.bodies import invite_body, operation_report, roster_report
from dev.benchmarks.rows import entities
from dev.benchmarks.serving import serve
from graph.client import GraphClient  # noqa: TC001
from invite.reading import invitees, read_body
from invite.request import InviteBody
from notifications.payload import reports_of
from observability import telemetry
from storage import rows
from storage.documents import read_invitation
from web.answers import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STATUS_ACCEPTED = 202


class Ours:
    """The pieces of work."""

    def __init__(self) -> None:
        self.inside = inside.build()
        self._token = self.inside.token()

    def works(self) -> dict[str, Callable[[int], Any]]:
        """Return the pieces of work by name; each takes how often it is to be done."""
        return {
            "invite": lambda count: _microseconds(invite.http.invite_participants, self._invites(count)),
            "callback": lambda count: _callbacks(self._callbacks(count)),
            "first-callback": lambda count: _callbacks(self._callbacks(count, fresh=True)),
            "roster": lambda count: _callbacks(self._rosters(count)),
            "graph": self._graph,
            "body": self._body,
            "row": self._row,
            "edge": lambda count: _alone(_edge, count),
            "log": self._log,
            "read-token": lambda count: _alone(lambda: self._validate(self._token), count),
            "first-token": self._first_token,
            "rsa": self._rsa,
            "reading-roster": self._reading_roster,
            "fixed": lambda count: _alone(_fixed, count),
            "mixed": self._mixed,
            "trips": self._trips,
        }

    def _invite(self) -> tuple[str, str, func.HttpRequest]:
        call_id, context = str(uuid.uuid4()), uuid.uuid4().hex
        path = f"/calls/{call_id}/participants/invite"
        return call_id, context, inside.request("POST", path, body=invite_body(context), callId=call_id)

    def _invites(self, count: int) -> list[func.HttpRequest]:
        return [self._invite()[2] for _ in range(count)]

    def _callback(self, body: Any, token: str) -> func.HttpRequest:
        return inside.request("POST", "/notifications", body=body, headers={"Authorization": f"Bearer {token}"})

    def _callbacks(self, count: int, *, fresh: bool = False) -> list[func.HttpRequest]:
        made = []
        for _ in range(count):
            call_id, context, request = self._invite()
            operation_id = _operation_id(invite.http.invite_participants(request))
            token = self.inside.token() if fresh else self._token
            made.append(self._callback(operation_report(call_id, context, operation_id), token))
        return made

    def _rosters(self, count: int) -> list[func.HttpRequest]:
        return [self._callback(roster_report(str(uuid.uuid4())), self._token) for _ in range(count)]

    def _graph(self, count: int) -> float:
        """The request to Graph alone, from its body to its read answer."""
        graph: GraphClient = vars(vars(self.inside.app.inviting)["_sender"])["_graph"]
        body, call_id, scenario = invite_body("context"), str(uuid.uuid4()), str(uuid.uuid4())
        return _alone(lambda: graph.invite(call_id, body, scenario_id=scenario, read_seconds=15), count)

    def _body(self, count: int) -> float:
        """An invite's body, from its bytes to people."""
        asked, cloud = Request(body=json.dumps(invite_body("context")).encode()), self.inside.app.settings.cloud
        return _alone(lambda: invitees(read_body(asked, InviteBody, cloud).participants), count)

    @staticmethod
    def _row(count: int) -> float:
        """An invitation's row, read and written again, but for the storage library."""
        (entity,) = entities(0, 1)
        return _alone(lambda: rows.invitation_entity(read_invitation(rows.document_of(entity))), count)

    @staticmethod
    def _log(count: int) -> float:
        """One line of the log, as the app writes it, through the net that keeps secrets out."""
        events = telemetry.Events("benchmark")
        named = {"invitation": "C46Q3W77ANAZH6WOPTTA2P2YWQ", "call": "0123456789ab", "people": 1, "requests": 1}
        return _alone(lambda: events.info("inviting", **named, scenario_id=str(uuid.UUID(int=1))), count)

    def _validate(self, token: str) -> None:
        vars(self.inside.app.receiving)["_validator"].validate(f"Bearer {token}")

    def _first_token(self, count: int) -> float:
        tokens = iter([self.inside.token() for _ in range(count)])
        return _alone(lambda: self._validate(next(tokens)), count)

    def _rsa(self, count: int) -> float:
        """The signature alone, by ``cryptography``: what no check of a new token can go below."""
        signed, _, signature = self._token.rpartition(".")
        content, raw = signed.encode(), base64.urlsafe_b64decode(signature + "==")
        key = self.inside.private_key.public_key()
        return _alone(lambda: key.verify(raw, content, padding.PKCS1v15(), hashes.SHA256()), count)

    @staticmethod
    def _reading_roster(count: int) -> float:
        """The part of a roster's notification that the SDK's counterpart does: JSON to typed people."""
        body = roster_report(str(uuid.uuid4()))
        return _alone(lambda: [list(reports_of(item)) for item in body["value"]], count)

    def _mixed(self, count: int) -> dict[str, float]:
        """Serve invites, polls and callbacks in turn, each of a call of its own; tell the process's memory."""
        for _ in range(-(-count // 3)):
            call_id, context, request = self._invite()
            accepted = invite.http.invite_participants(request)
            assert accepted.status_code == _STATUS_ACCEPTED
            path, _, token = accepted.headers["Location"].partition("?token=")
            poll = inside.request(
                "GET", path, params={"token": token}, callId=call_id, invitationId=path.split("/")[-2]
            )
            assert operations.http.await_invitation(poll).status_code == _STATUS_ACCEPTED
            token = self.inside.token() if int(context[:2], 16) == 0 else self._token
            report = operation_report(call_id, context, _operation_id(accepted))
            answer = notifications.http.receive_notifications(self._callback(report, token))
            assert answer.status_code == _STATUS_ACCEPTED
        gc.collect()
        return {"mebibytes": _memory()}

    def _trips(self, _: int) -> dict[str, Any]:
        """Count what an invite, a finished operation and a poll ask of table, queue and Graph."""
        table, queue, network = self.inside.table, self.inside.queue, self.inside.network
        self._invites(1)
        invite.http.invite_participants(self._invites(1)[0])  # tokens and keys are there
        call_id, context, request = self._invite()
        table.counts, before = True, (queue.sent, network.invites)
        accepted = invite.http.invite_participants(request)
        invited = list(table.requests)
        asked = {"queue": queue.sent - before[0], "graph": network.invites - before[1]}
        table.requests.clear()
        report = operation_report(call_id, context, _operation_id(accepted))
        notifications.http.receive_notifications(self._callback(report, self._token))
        reported = list(table.requests)
        table.requests.clear()
        path, _, token = accepted.headers["Location"].partition("?token=")
        operations.http.await_invitation(
            inside.request("GET", path, params={"token": token}, callId=call_id, invitationId=path.split("/")[-2])
        )
        polled = list(table.requests)
        table.counts = False
        table.requests.clear()
        return {"invite": invited, "report": reported, "poll": polled, **asked}


def _callbacks(requests: Iterable[func.HttpRequest]) -> float:
    return _microseconds(notifications.http.receive_notifications, list(requests))


def _microseconds(answer: Callable[[func.HttpRequest], func.HttpResponse], requests: list[func.HttpRequest]) -> float:
    started = time.process_time()
    answers = [answer(request) for request in requests]
    seconds = time.process_time() - started
    assert {one.status_code for one in answers} == {_STATUS_ACCEPTED}
    return seconds / len(requests) * 1e6


def _operation_id(accepted: func.HttpResponse) -> str:
    (operation,) = json.loads(accepted.get_body())["operations"]
    return str(operation["id"])


def _edge() -> None:
    """The Functions library's answer with as many headers as an invite's has."""
    headers = {"Cache-Control": "no-store", "Location": "l", "Retry-After": "2", "Operation-Location": "o"}
    func.HttpResponse(b"{}", status_code=202, headers=headers, mimetype="application/json", charset="utf-8")


def _fixed() -> None:
    """A piece of Python that never changes, of the kind that requests are made of: what the ceilings are told in."""
    people = [{"id": f"person-{number}", "kind": "user", "muted": False} for number in range(10)]
    read = json.loads(json.dumps(people))
    assert {hashlib.sha256(entry["id"].encode()).hexdigest()[:24] for entry in read if not entry["muted"]}


def _alone(work: Callable[[], Any], count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - started) / count * 1e6


def _memory() -> float:
    """Return the memory that the process holds now, in MiB; where only the highest is known, that."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)
    return pages * resource.getpagesize() / (1024 * 1024)


def main() -> None:
    """Be a worker."""
    inside.log_as_in_azure()
    serve(Ours().works())


if __name__ == "__main__":
    main()
