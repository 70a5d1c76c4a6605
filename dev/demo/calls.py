"""The demo's calls, as a flow would make them: meetings joined, a one-to-one call, keep-alive, the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dev.demo.parts import TIME_SCALE
from dev.demo.uses import short

if TYPE_CHECKING:
    import requests

    from dev.demo.parts import Parts
    from dev.demo.play import Flow
    from dev.demo.screen import Screen

_PEOPLE = {
    "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a01": "Johanna Lorenz",
    "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a02": "Isaiah Langer",
    "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a03": "Patti Fernandez",
}
_DECLINES = "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a03"
_ALONE = {"9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a04": "Nestor Wilke"}
_ON_CALL = {
    "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a05": "Lidia Holloway",
    "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a06": "Grady Archie",
    "9f4fe8ea-e6e2-4f0b-a1a2-5f4b8c1d7a07": "Miriam Graham",
}
_MINUTES = 45
_KEPT_SECONDS = 5.0
"""What the 45 minutes last here within which Graph wants to be asked to keep a call."""
_LONGEST_SECONDS = 30.0
_ACCEPTED = 202


class Calls:
    """Starts calls, keeps one and leaves it; ``faults`` are what was not as expected."""

    def __init__(self, parts: Parts, flow: Flow, screen: Screen) -> None:
        self._graph = parts.graph
        self._flow = flow
        self._screen = screen
        self.faults: list[str] = []

    def play(self, number: int) -> None:
        """Play all of it; the parts are numbered from ``number``."""
        # It counts for the calls that the app itself makes.
        self._graph.limits(keep_alive=_KEPT_SECONDS / TIME_SCALE)
        call_id = self._join(number)
        self._call_one(number + 1)
        self._escalate(number + 2)
        if call_id is not None:
            self._keep(number + 3, call_id)
            self._leave(number + 4, call_id)

    def _join(self, number: int) -> str | None:
        meeting = self._graph.meeting()
        self._graph.person(_DECLINES, "declines")
        self._screen.title(f"{number}  A meeting joined by its link, and three people called into it")
        body = {"meeting": {"joinWebUrl": meeting.join_web_url}, "participants": _users(_PEOPLE)}
        started = self._start(body, f"Join_{number}", _PEOPLE)
        if started is None:
            return None
        expected = {one: "failed" if one == _DECLINES else "completed" for one in _PEOPLE}
        self._compare("partiallyCompleted", started, expected, _PEOPLE)
        self._screen.line("page", f"watch the call: {started['call']['pageUrl']}")
        return str(started["callId"])

    def _call_one(self, number: int) -> None:
        self._screen.title(f"{number}  A one-to-one call")
        started = self._start({"participants": _users(_ALONE)}, f"Call_{number}", _ALONE)
        if started is not None:
            self._compare("completed", started, dict.fromkeys(_ALONE, "completed"), _ALONE)
            self._flow.hang_up(str(started["callId"]))

    def _escalate(self, number: int) -> None:
        meeting, (first, second, third) = self._graph.meeting(), _ON_CALL
        self._graph.person(first, "ringsOut", after=15)
        self._screen.title(f"{number}  A meeting joined, and people called into it until somebody joins")
        steps = [{"participants": _users({one: name})} for one, name in _ON_CALL.items()]
        body = {"meeting": {"joinWebUrl": meeting.join_web_url}, "steps": steps}
        started = self._start(body, f"Escalate_{number}", _ON_CALL)
        if started is not None:
            expected = {first: "failed", second: "completed", third: "notStarted"}
            self._compare("completed", started, expected, _ON_CALL, called=[first, second])
            self._flow.hang_up(str(started["callId"]))

    def _keep(self, number: int, call_id: str) -> None:
        self._screen.title(f"{number}  A call kept alive for more than {_MINUTES} minutes", f"call {short(call_id)}")
        before = self._kept()
        with self._screen.waiting(f"{_MINUTES} minutes, which are {_KEPT_SECONDS:.0f} seconds here"):
            time.sleep(_KEPT_SECONDS * 1.3)
        kept, state = self._kept() - before, self._flow.read(f"/calls/{call_id}")["state"]
        self._screen.line("kept", f"the app asked Graph {kept} times to keep its calls")
        self._expect(state == "established" and kept > 0, f"the call is {state}", "the call had to be established")

    def _leave(self, number: int, call_id: str) -> None:
        self._screen.title(f"{number}  Hanging up", f"call {short(call_id)}")
        status = self._flow.hang_up(call_id).status_code
        call, listed = self._flow.read(f"/calls/{call_id}"), self._flow.read("/calls")["value"]
        self._screen.line(str(status), f"the app has left, and the call is {call['state']}")
        is_listed = call_id in {one["id"] for one in listed}
        is_right = status == 204 and call["state"] == "terminated" and not is_listed  # noqa: PLR2004 - no content
        self._expect(is_right, "the call is no longer listed", "the call had to end and to be listed no longer")

    def _start(self, body: dict[str, Any], action: str, people: dict[str, str]) -> dict[str, Any] | None:
        self._screen.line("starts", ", ".join(people.values()))
        with self._screen.waiting("starting"):
            response = self._flow.start(body, action)
        if response.status_code != _ACCEPTED:
            self._wrong(f"the app responded {response.status_code}: {response.text}")
            return None
        start_id = response.json()["id"]
        self._screen.line("202", f"accepted: start {short(start_id)}")
        with self._screen.waiting("calling"):
            outcome = self._outcome(response)
        found: dict[str, Any] = self._flow.read(f"/starts/{start_id}")
        self._screen.line("outcome", f"{outcome.status_code} {found['status']}")
        return found

    def _outcome(self, response: requests.Response) -> requests.Response:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while response.status_code == _ACCEPTED and time.monotonic() < deadline:
            time.sleep(float(response.headers["Retry-After"]) * TIME_SCALE)
            response = self._flow.poll(response.headers["Location"])
        return response

    def _compare(
        self,
        status: str,
        start: dict[str, Any],
        expected: dict[str, str],
        people: dict[str, str],
        *,
        called: list[str] | None = None,
    ) -> None:
        found = {one["identity"]["user"]["id"]: one for one in start["participants"]}
        for person, name in people.items():
            one = found[person]
            self._screen.line("person", f"{name}: {one['status']}, {one['presence']}. {one['reason'] or ''}".strip())
        statuses = {person: one["status"] for person, one in found.items()}
        rings = sorted(ring.person for ring in self._graph.log.rings if ring.person in people)
        is_right = start["status"] == status and statuses == expected and rings == sorted(called or people)
        good = "as expected, and each person was called once"
        if called is not None:
            good = "as expected, each person was called once, and no one after who joined"
        self._expect(is_right, good, f"this had to be {status}")

    def _kept(self) -> int:
        return sum(entry.route == "keepAlive" for entry in self._graph.log.requests)

    def _expect(self, is_right: bool, good: str, wrong: str) -> None:  # noqa: FBT001 - what is expected
        if is_right:
            self._screen.good("right", good)
        else:
            self._wrong(wrong)

    def _wrong(self, text: str) -> None:
        self.faults.append(text)
        self._screen.wrong(text)


def _users(people: dict[str, str]) -> list[dict[str, Any]]:
    return [{"identity": {"user": {"id": one, "displayName": name}}} for one, name in people.items()]
