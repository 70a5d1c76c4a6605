"""Drives a simulator that runs in another process, with the names that ``Simulator`` has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self, Unpack
from urllib.parse import quote

import requests

from dev.simulator.options import to_camel_case

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dev.simulator.faults import FaultOptions
    from dev.simulator.options import Outcome
    from dev.simulator.scripts import BehaviourOptions, CallOptions

ADDRESS_FILE = "simulator.json"
"""Written into a simulator's folder while it runs: its address and its authority's certificate."""
_TIMEOUT = 65


class SimulatorError(Exception):
    """The simulator does not run, or did not accept what was asked."""


class SimulatorClient:
    """A simulator at ``base_url``, whose authority's certificate is ``ca_file``; safe to share between threads."""

    def __init__(self, base_url: str, ca_file: str) -> None:
        self.base_url = base_url
        self.ca_file = ca_file

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Find the simulator that keeps its files in ``folder``; raises SimulatorError where none runs."""
        try:
            address = json.loads((folder / ADDRESS_FILE).read_text())
        except (OSError, ValueError) as error:
            raise SimulatorError(f"no simulator runs with the folder {folder}") from error
        return cls(address["baseUrl"], address["caFile"])

    def settings(self) -> dict[str, str]:
        """Return the environment variables with which the app uses the simulator."""
        settings: dict[str, str] = self._ask("GET", "settings")
        return settings

    def create_call(self, callback_uri: str, *, call_id: str | None = None, **options: Unpack[CallOptions]) -> str:
        """Make a call whose events go to ``callback_uri``, and return its id."""
        body = {**_camel_cased(options), "callbackUri": callback_uri, "id": call_id}
        return str(self._ask("POST", "calls", body)["id"])

    def call(self, call_id: str) -> dict[str, Any]:
        """Return a call as it is now."""
        call: dict[str, Any] = self._ask("GET", f"calls/{quote(call_id, safe='')}")
        return call

    def end_call(
        self, call_id: str, *, announce: bool = True, forget: bool = True, report_pending: bool = False
    ) -> None:
        """End a call."""
        body = {"announce": announce, "forget": forget, "reportPending": report_pending}
        self._ask("POST", f"calls/{quote(call_id, safe='')}/end", body)

    def leave(self, call_id: str, identity_id: str) -> None:
        """Have somebody leave a call."""
        self._ask("POST", f"calls/{quote(call_id, safe='')}/leave", {"person": identity_id})

    def post_notification(self, call_id: str, items: list[object], *, token: str | None = None) -> int | None:
        """Have a callback of any items posted once; return the status answered."""
        body: dict[str, object] = {"items": items} if token is None else {"items": items, "token": token}
        status: int | None = self._ask("POST", f"calls/{quote(call_id, safe='')}/notifications", body)["status"]
        return status

    def person(self, identity_id: str, outcome: Outcome = "answers", **options: Unpack[BehaviourOptions]) -> None:
        """Say what a person does when rung."""
        self._ask("PUT", f"people/{quote(identity_id, safe='')}", {**_camel_cased(options), "outcome": outcome})

    def everyone(self, outcome: Outcome = "answers", **options: Unpack[BehaviourOptions]) -> None:
        """Say what people do of whom nothing else is known."""
        self._ask("PUT", "everyone", {**_camel_cased(options), "outcome": outcome})

    def fault(self, **options: Unpack[FaultOptions]) -> int:
        """Ask for a fault and return its number."""
        return int(self._ask("POST", "faults", _camel_cased(options))["number"])

    def remove_faults(self) -> None:
        """Ask for no fault any more."""
        self._ask("DELETE", "faults")

    def log(self, *, bodies: bool = True) -> dict[str, list[dict[str, Any]]]:
        """Return the log, by kind, with camelCase members."""
        log: dict[str, list[dict[str, Any]]] = self._ask("GET", f"log?bodies={str(bodies).lower()}")
        return log

    def wait_idle(self, timeout: float = 10) -> bool:
        """Wait until nothing is under way, at most ``timeout`` seconds (and a minute); say whether that is so."""
        return bool(self._ask("GET", f"idle?timeout={timeout}")["idle"])

    def rotate_keys(self, *, keep_old: bool = True) -> str:
        """Sign callbacks with a new key from now on and return its id."""
        return str(self._ask("POST", "keys/rotate", {"keepOld": keep_old})["kid"])

    def revoke_tokens(self) -> None:
        """Make Graph answer 401 to every access token given so far."""
        self._ask("POST", "tokens/revoke")

    def reset(self) -> None:
        """Forget calls, people, faults and the log."""
        self._ask("POST", "reset")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        # A session for each request: an environment's REQUESTS_CA_BUNDLE and proxies must not be heeded here.
        with requests.Session() as session:
            session.trust_env = False
            try:
                response = session.request(
                    method,
                    f"{self.base_url}/simulator/{path}",
                    json=body,
                    verify=self.ca_file,
                    timeout=_TIMEOUT,
                )
            except (requests.RequestException, OSError) as error:
                raise SimulatorError(f"no simulator answers at {self.base_url}") from error
        if not response.ok:
            raise SimulatorError(response.json()["error"]["message"])
        return response.json() if response.content else None


def _camel_cased(members: Mapping[str, object]) -> dict[str, object]:
    """Name members as JSON does; a behaviour within a call is named likewise."""
    return {
        to_camel_case(name): _camel_cased(value) if name == "behaviour" and isinstance(value, dict) else value
        for name, value in members.items()
    }
