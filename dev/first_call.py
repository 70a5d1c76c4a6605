"""``make first-call``: join a meeting with the deployed app and call one person, each step shown as it happens.

    python -m dev.first_call --url https://<app>.azurewebsites.net --meeting <link> --person <object ID or phone number>

It asks for what is not given. The key is read from ``CALL_INVITES_KEY`` or asked for, so that no shell keeps it.
Exit status: 0 the person joined, 1 not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TIMEOUT = 60.0
_LONGEST_SECONDS = 300.0
_KEY = "CALL_INVITES_KEY"
_WRONG_USAGE = 2
_NO_ADDRESS = (
    'Check the URL, and that the app is running: az functionapp show -n "$app" -g "$group" --query state.',
    "Behind a proxy, set HTTPS_PROXY; with its own certificate authority, REQUESTS_CA_BUNDLE.",
)
_CHECKS: dict[int, tuple[str, ...]] = {
    400: ("Change what is named above, and try again.",),
    401: ('Use a function key of this app: az functionapp keys list -n "$app" -g "$group" --query functionKeys.',),
    403: (
        "Where callers sign in: the signed-in identity has to be in ALLOWED_PRINCIPALS.",
        "Where the network is restricted: allow this machine's address.",
    ),
    404: ("Check that the URL is this app's, without a path, and that the latest version is deployed.",),
    422: (
        "Run make doctor: it names a missing permission, consent or registration.",
        "7503: the Azure Bot and its Teams channel, with calling turned on. 7504: permissions and admin consent.",
        "7505: the tenant. 8526 to 8561: the meeting link, its ID and passcode, or a locked meeting.",
    ),
    429: ("Wait a minute, and try again.",),
    503: ("Look at GET /api/health and at the app's log: a setting, storage or Microsoft Graph.",),
}
_NEVER_ESTABLISHED = (
    "Is the app in the meeting's lobby? Admit it, or ask the administrator to check the policy for bots in meetings.",
    "Do Graph's callbacks arrive? PUBLIC_BASE_URL has to be the app's public URL (docs/operate.md).",
)
_NOT_REACHED = (
    "Is the person signed in to Teams on a device, and in this tenant?",
    "A phone: docs/deploy.md, Phone numbers.",
)
_STATES = {
    "establishing": "The app is joining the meeting",
    "established": "The app is in the meeting",
    "terminating": "The call is ending",
    "terminated": "The call has ended",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is tried."""

    url: str
    key: str
    meeting: str
    person: str

    def body(self) -> dict[str, Any]:
        """Return the start's body."""
        kind = "phone" if self.person.startswith("+") else "user"
        return {
            "meeting": {"joinWebUrl": self.meeting},
            "participants": [{"identity": {kind: {"id": self.person}}}],
            "clientContext": f"first-call-{uuid.uuid4()}",
        }


class FirstCall:
    """Makes the call, and prints each step.

    Args:
        wanted: what is tried.
        say: prints a line.
        pause: waits for seconds.
    """

    def __init__(
        self, wanted: Wanted, say: Callable[[str], object] = print, *, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self._wanted = wanted
        self._say = say
        self._pause = pause
        self._session = requests.Session()
        self._shown: set[str] = set()

    def make(self) -> bool:
        """Join the meeting and call the person; return whether they joined."""
        health = self._request("GET", "/health")
        if health is None:
            return False
        self._step(f"The app responds: {health.status_code}")
        accepted = self._request("POST", "/calls/start", self._wanted.body())
        if accepted is None:
            return False
        if accepted.status_code != requests.codes.accepted:
            self._refused(accepted)
            return False
        self._step("Microsoft Graph has taken the request to join")
        start = self._watch(accepted.json())
        if start is None:
            return False
        return self._show_outcome(start)

    def leave(self, start: dict[str, Any]) -> None:
        """Leave the call."""
        if start.get("callId"):
            self._request("DELETE", f"/calls/{start['callId']}")
            self._step("The app has left the meeting")

    def _watch(self, start: dict[str, Any]) -> dict[str, Any] | None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while start["status"] in ("starting", "running"):
            self._show(start)
            if time.monotonic() > deadline:
                self._step("There is no outcome after five minutes", *_NEVER_ESTABLISHED)
                return None
            self._pause(1.0)
            response = self._request("GET", f"/starts/{start['id']}")
            if response is None or response.status_code != requests.codes.ok:
                if response is not None:
                    self._refused(response)
                return None
            start = response.json()
        self._show(start)
        return start

    def _show(self, start: dict[str, Any]) -> None:
        call = start["call"]
        if call is not None and call["state"] in _STATES:
            self._once(_STATES[call["state"]])
        (person,) = start["participants"]
        if person["status"] == "running":
            self._once("The person is called: their Teams, or phone, rings")

    def _show_outcome(self, start: dict[str, Any]) -> bool:
        (person,) = start["participants"]
        if person["status"] == "completed":
            self._step("The person joined. The first call works.")
        else:
            reason = person["reason"] or start["reason"] or "There is no reason."
            never = person["status"] == "notStarted"
            self._step(f"The person did not join. {reason}", *(_NEVER_ESTABLISHED if never else _NOT_REACHED))
        self.leave(start)
        return bool(person["status"] == "completed")

    def _refused(self, response: requests.Response) -> None:
        try:
            error = response.json()["error"]
            text = str(error["message"])
            more = [f"{one.get('target', '')}: {one['message']}" for one in error.get("details", [])]
            inner = error.get("innerError", {}).get("code")
        except (ValueError, LookupError, TypeError, AttributeError):
            text, more, inner = "It gave no reason.", [], None
        code = "" if inner is None else f" (Graph's code {inner})"
        self._step(
            f"The app responded {response.status_code}{code}: {text}", *more, *_CHECKS.get(response.status_code, ())
        )

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response | None:
        headers = {"x-functions-key": self._wanted.key}
        url = f"{self._wanted.url.rstrip('/')}/api{path}"
        try:
            return self._session.request(
                method, url, json=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except (requests.RequestException, UnicodeError) as error:
            self._step(f"The app can't be reached ({type(error).__name__})", *_NO_ADDRESS)
            return None

    def _once(self, text: str) -> None:
        if text not in self._shown:
            self._step(text)

    def _step(self, text: str, *checks: str) -> None:
        self._shown.add(text)
        self._say(f"==> {text}")
        for check in checks:
            self._say(f"      {check}")


def wanted_of(
    arguments: Sequence[str] | None,
    ask: Callable[[str], str] = input,
    ask_secret: Callable[[str], str] = getpass.getpass,
) -> Wanted:
    """Return what is tried, from options and answers.

    Raises:
        SystemExit: an option is unknown.
    """
    parser = argparse.ArgumentParser(prog="make first-call", description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="the app's URL, https://<app>.azurewebsites.net")
    parser.add_argument("--meeting", help="a Teams meeting's link")
    parser.add_argument("--person", help="a user's object ID, or a phone number with +")
    given = parser.parse_args(arguments)
    url = given.url or ask("The app's URL (https://<app>.azurewebsites.net): ")
    key = os.environ.get(_KEY) or ask_secret("A function key (az functionapp keys list): ")
    meeting = given.meeting or ask("A Teams meeting's link: ")
    person = given.person or ask("Whom to call, an object ID or a phone number with +: ")
    url = url.strip().removesuffix("/").removesuffix("/api")
    return Wanted(url if "://" in url else f"https://{url}", key.strip(), meeting.strip(), person.strip())


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the first call, and return the exit status."""
    try:
        wanted = wanted_of(arguments, input)
    except (EOFError, KeyboardInterrupt):
        print("Nothing was done.", file=sys.stderr)
        return _WRONG_USAGE
    if not all((wanted.key, wanted.meeting, wanted.person)):
        print(f"The URL, a key ({_KEY}), a meeting and a person are needed.", file=sys.stderr)
        return _WRONG_USAGE
    return 0 if FirstCall(wanted).make() else 1


if __name__ == "__main__":
    sys.exit(main())
