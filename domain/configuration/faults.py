"""What can be wrong with a setting, as values: text is for people and is never parsed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What sort of fault it is, for code that has further advice."""

    MISSING = "missing"
    INVALID = "invalid"
    CONTRADICTORY = "contradictory"
    UNRESOLVED = "unresolved"
    """A Key Vault or App Configuration reference that Azure did not resolve."""
    UNSAFE = "unsafe"
    """For trials only, or it widens whom the app trusts."""
    EXPIRING = "expiring"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a setting, or that a deployer should know of it; it never holds the value.

    ``str`` gives the sentence that ``/api/health`` and the log show.
    """

    setting: str
    """The setting to change; the first one where several are concerned."""
    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text
