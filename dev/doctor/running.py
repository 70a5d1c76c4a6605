"""One check of the doctor, run for no longer than it may take."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.doctor.findings import Finding, Status, fault

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_ANSWER = (
    "Run it again; if it stays, something on the way drops requests: HTTPS_PROXY and NO_PROXY, a firewall; "
    "docs/settings.md#proxy-and-ca-bundle"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at, and for how many seconds at most."""

    name: str
    seconds: float
    look: Callable[[], list[Finding]]

    def findings(self) -> list[Finding]:
        """Look, and give up when the time is over: name servers, above all, take as long as they like."""
        answers: queue.SimpleQueue[list[Finding]] = queue.SimpleQueue()

        def looking() -> None:
            try:
                answers.put(self.look())
            except Exception as error:  # noqa: BLE001 - one check that breaks must not hide what the others find
                text = f"the doctor itself failed here ({type(error).__name__})"
                answers.put([fault(text, "Please report it, with the names of the settings but not their values")])

        threading.Thread(target=looking, name=self.name, daemon=True).start()
        try:
            return answers.get(timeout=self.seconds)
        except queue.Empty:
            return [fault(f"no answer within {self.seconds:g} seconds", _NO_ANSWER)]


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found."""

    name: str
    seconds: float
    findings: list[Finding]

    @property
    def status(self) -> Status:
        """The worst of what was found."""
        order = list(Status)
        return max((finding.status for finding in self.findings), key=order.index)
