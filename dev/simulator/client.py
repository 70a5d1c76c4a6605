"""Controls a simulator that runs in another process, with the names that ``Simulator`` has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import requests
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from pathlib import Path

    from dev.simulator.options import Outcome

ADDRESS_FILE = "simulator.json"
"""Written into a simulator's folder while it runs: its URL and its authority's certificate."""
_TIMEOUT = 65


class SimulatorError(Exception):
    """The simulator does not run, or did not accept the request."""


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

    def create_call(self, callback_uri: str, *, call_id: str | None = None, **options: Any) -> str:
        """Make a call whose events go to ``callback_uri``, and return its id."""
        return str(self._ask("POST", "calls", callback_uri=callback_uri, id=call_id, **options)["id"])

    def meeting(self, **options: Any) -> dict[str, str]:
        """Add a meeting; return its links and coordinates, with camelCase names."""
        meeting: dict[str, str] = self._ask("POST", "meetings", **options)
        return meeting

    def incoming_call(self, callback_uri: str, source: object, **options: Any) -> str:
        """Have a person call the app at its webhook, and return the call's id."""
        return str(self._ask("POST", "incoming", callback_uri=callback_uri, source=source, **options)["id"])

    def limits(self, **options: Any) -> None:
        """Change limits of the service and settings of the tenant."""
        self._ask("PUT", "limits", **options)

    def report(self, **options: Any) -> None:
        """Change how everything is reported."""
        self._ask("PUT", "reporting", **options)

    def join(self, call_id: str, identity_id: str, *, in_lobby: bool = False) -> None:
        """Have a person come by themselves."""
        self._ask("POST", f"calls/{_quoted(call_id)}/join", identity_id=identity_id, in_lobby=in_lobby)

    def call(self, call_id: str) -> dict[str, Any]:
        """Return a call as it is now."""
        call: dict[str, Any] = self._ask("GET", f"calls/{_quoted(call_id)}")
        return call

    def end_call(self, call_id: str, **options: Any) -> None:
        """End a call; the options are those of ``Simulator.end_call``."""
        self._ask("POST", f"calls/{_quoted(call_id)}/end", **options)

    def leave(self, call_id: str, identity_id: str) -> None:
        """Have a person leave a call."""
        self._ask("POST", f"calls/{_quoted(call_id)}/leave", identity_id=identity_id)

    def post_notification(self, call_id: str, items: list[object], *, token: str | None = None) -> int | None:
        """Have a callback of any items posted once; return the status of the response."""
        path = f"calls/{_quoted(call_id)}/notifications"
        status: int | None = self._ask("POST", path, items=items, token=token)["status"]
        return status

    def person(self, identity_id: str, outcome: Outcome = "answers", **options: Any) -> None:
        """Set what a person does when called."""
        self._ask("PUT", f"people/{_quoted(identity_id)}", outcome=outcome, **options)

    def everyone(self, outcome: Outcome = "answers", **options: Any) -> None:
        """Set what people do who have no behaviour of their own."""
        self._ask("PUT", "everyone", outcome=outcome, **options)

    def fault(self, **options: Any) -> int:
        """Add a fault and return its number."""
        return int(self._ask("POST", "faults", **options)["number"])

    def remove_faults(self) -> None:
        """Remove every fault."""
        self._ask("DELETE", "faults")

    def log(self, *, bodies: bool = True) -> dict[str, list[dict[str, Any]]]:
        """Return the log, by kind, with camelCase properties."""
        log: dict[str, list[dict[str, Any]]] = self._ask("GET", f"log?bodies={bodies}")
        return log

    def wait_idle(self, timeout: float = 10) -> bool:
        """Wait until nothing is under way, at most ``timeout`` seconds (and a minute); return whether that is so."""
        return bool(self._ask("GET", f"idle?timeout={timeout}")["idle"])

    def rotate_keys(self, **options: Any) -> str:
        """Sign callbacks with a new key from now on and return its id; the options are those of ``Simulator``."""
        return str(self._ask("POST", "keys/rotate", **options)["kid"])

    def token(self, **options: Any) -> str:
        """Mint a callback token; the options are those of ``Simulator.token``, with ``claims`` as one of them."""
        return str(self._ask("POST", "tokens", **options)["token"])

    def revoke_tokens(self) -> None:
        """Make Graph return 401 for all access tokens issued so far."""
        self._ask("POST", "tokens/revoke")

    def reset(self) -> None:
        """Forget calls, people, faults and the log."""
        self._ask("POST", "reset")

    def _ask(self, method: str, path: str, **members: object) -> Any:
        body = {to_camel(name): value for name, value in members.items()}
        # A session for each request: the environment's REQUESTS_CA_BUNDLE and proxies must not apply here.
        with requests.Session() as session:
            session.trust_env = False
            try:
                response = session.request(
                    method,
                    f"{self.base_url}/simulator/{path}",
                    json=body or None,
                    verify=self.ca_file,
                    timeout=_TIMEOUT,
                )
            except (requests.RequestException, OSError) as error:
                raise SimulatorError(f"no simulator answers at {self.base_url}") from error
        if not response.ok:
            raise SimulatorError(response.json()["error"]["message"])
        return response.json() if response.content else None


def _quoted(part: str) -> str:
    return quote(part, safe="")
