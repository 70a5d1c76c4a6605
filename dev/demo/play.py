"""Plays one use as a flow would: invite, poll the ``Location`` until the outcome, list who is in the call."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any

import requests

from dev.demo.parts import KEY, TIME_SCALE
from dev.demo.uses import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.demo.parts import Parts
    from dev.demo.screen import Screen
    from dev.demo.uses import Use

_ACCEPTED = 202
_LONGEST_SECONDS = 30.0
_TIMEOUT = 30.0
_LONG_ID = re.compile(r"(?<=/)[A-Za-z0-9-]{20,}(?=/)")
_TOKEN = re.compile(r"(?<=token=).+")


class Flow:
    """A flow's HTTP actions: with the key, except where it polls the ``Location``."""

    def __init__(self, address: str) -> None:
        self._api = f"{address}/api"
        self._run = uuid.uuid4().hex
        self._session = requests.Session()
        self._session.trust_env = False  # a developer's proxy can't reach this app

    def invite(self, call_id: str, body: Mapping[str, Any], action: str) -> requests.Response:
        """Invite, with the headers by which the app recognises a repeated action of the same run."""
        headers = {
            "x-functions-key": KEY,
            "x-ms-workflow-run-id": self._run,
            "x-ms-workflow-operation-name": action,
        }
        address = f"{self._api}/calls/{call_id}/participants/invite"
        return self._session.post(address, json=body, headers=headers, timeout=_TIMEOUT)

    def start(self, body: Mapping[str, Any], action: str) -> requests.Response:
        """Join a meeting or start a call, with the headers of the same run."""
        headers = {"x-functions-key": KEY, "x-ms-workflow-run-id": self._run, "x-ms-workflow-operation-name": action}
        return self._session.post(f"{self._api}/calls/start", json=body, headers=headers, timeout=_TIMEOUT)

    def hang_up(self, call_id: str) -> requests.Response:
        """Leave a call."""
        return self._session.delete(f"{self._api}/calls/{call_id}", headers={"x-functions-key": KEY}, timeout=_TIMEOUT)

    def poll(self, location: str) -> requests.Response:
        """Poll for the result."""
        return self._session.get(location, timeout=_TIMEOUT)

    def read(self, path: str) -> Any:
        """Read something below ``/api``; what is not found is None."""
        response = self._session.get(self._api + path, headers={"x-functions-key": KEY}, timeout=_TIMEOUT)
        return response.json() if response.ok else None


class Played:
    """One use being played, and the number of faults in it."""

    def __init__(self, use: Use, parts: Parts, flow: Flow, screen: Screen) -> None:
        self._use = use
        self._graph = parts.graph
        self._flow = flow
        self._screen = screen
        self._call_id = self._graph.create_call(parts.callback_uri)
        self.faults = 0
        for person in use.declining:
            self._graph.person(person, "declines")
        if use.comes_from is not None:
            self._graph.create_call(
                parts.callback_uri,
                call_id=use.comes_from.id,
                kind=use.comes_from.kind,
                participants=list(use.people),
            )

    def play(self, number: int) -> None:
        """Play it to its end."""
        self._screen.title(f"{number}  {self._use.title}", f"call {short(self._call_id)}")
        self._screen.line("invites", ", ".join(self._use.people.values()))
        started = time.monotonic()
        with self._screen.waiting("inviting"):
            response = self._flow.invite(self._call_id, self._use.body, f"Invite_{number}")
        if response.status_code != _ACCEPTED:
            self._wrong(f"the app responded {response.status_code}: {response.text}")
            return
        location, pause = response.headers["Location"], response.headers["Retry-After"]
        self._screen.line("202", f"accepted: poll {_shown(location)} in {pause} s")
        self._screen.line("rings", ", ".join(map(self._name, self._called())) or "no phone yet")
        with self._screen.waiting("ringing"):
            outcome = self._outcome(response)
        self._show_outcome(outcome, time.monotonic() - started)
        with self._screen.waiting("Graph reports the roster"):
            self._graph.wait_idle(_LONGEST_SECONDS)
        self._show_reports()
        self._show_who_is_where(response.json()["id"])

    def _outcome(self, response: requests.Response) -> requests.Response:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while response.status_code == _ACCEPTED and time.monotonic() < deadline:
            time.sleep(float(response.headers["Retry-After"]) * TIME_SCALE)
            response = self._flow.poll(response.headers["Location"])
        return response

    def _show_outcome(self, outcome: requests.Response, seconds: float) -> None:
        body = outcome.json()
        if "error" in body:
            shown, status = f"{body['error']['code']}: {body['error']['message']}", "failed"
        else:
            shown = status = str(body["status"])
        self._screen.good("outcome", f"{outcome.status_code} {shown} ({seconds:.1f} s)")
        if (outcome.status_code, status) != (self._use.answer, self._use.status):
            self._wrong(f"this had to be {self._use.answer} {self._use.status}")

    def _show_reports(self) -> None:
        reports = [entry for entry in self._graph.log.callbacks if entry.call_id == self._call_id]
        reported = [f"{entry.about} → {entry.status}" for entry in reports]
        self._screen.line("reports", f"from Graph, and the app's responses: {', '.join(reported)}")
        if any(entry.status != _ACCEPTED for entry in reports):
            self._wrong("the app had to respond 202 to each of Graph's reports")

    def _show_who_is_where(self, invitation_id: str) -> None:
        invitation = self._flow.read(f"/calls/{self._call_id}/invitations/{invitation_id}")
        roster = self._flow.read(f"/calls/{self._call_id}/participants")
        presence = {_id(entry): str(entry["presence"]) for entry in invitation["participants"]}
        in_call = {_id(entry) for entry in roster["value"]}
        self._screen.line("presence", ", ".join(f"{self._name(who)} {what}" for who, what in presence.items()))
        self._screen.line("roster", ", ".join(map(self._name, sorted(in_call))) or "only the app itself")
        for who in self._use.people:
            comes = who not in self._use.declining
            if presence.get(who) != ("inCall" if comes else "unknown") or (who in in_call) != comes:
                self._wrong(f"{self._name(who)} had to be {'in the call' if comes else 'out of the call'}")
        called = self._called()
        if sorted(called) != sorted(self._use.people):
            self._wrong(f"each person had to be called once, and these were: {', '.join(map(self._name, called))}")
        if self._use.comes_from is not None:
            self._show_where_from(self._use.comes_from.id, self._use.comes_from.name)

    def _show_where_from(self, call_id: str, name: str) -> None:
        has_ended = self._flow.read(f"/calls/{call_id}")["state"] == "terminated"
        roster = self._flow.read(f"/calls/{call_id}/participants")
        still_there = {_id(entry) for entry in roster["value"]} & set(self._use.people)
        people = ", ".join(self._use.people.values())
        if has_ended:
            self._screen.line("left", f"{people} left {name}, which has ended")
        elif still_there:
            self._wrong(f"{people} had to leave {name}")
        else:
            self._screen.line("left", f"{people} left {name}")

    def _called(self) -> list[str]:
        return [entry.person for entry in self._graph.log.rings if entry.call_id == self._call_id]

    def _name(self, identity_id: str) -> str:
        return self._use.people.get(identity_id, short(identity_id))

    def _wrong(self, text: str) -> None:
        self.faults += 1
        self._screen.wrong(text)


def _id(entry: Mapping[str, Any]) -> str:
    """Return the id of a participant's identity."""
    return str(next(iter(entry["identity"].values()))["id"])


def _shown(location: str) -> str:
    """Return a URL without its long ids and its token."""
    path = "/" + location.partition("://")[2].partition("/")[2]
    return _TOKEN.sub("…", _LONG_ID.sub(lambda found: short(found[0]), path))
