"""What a rule finds, and the rules' common register."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that Microsoft's validator would refuse."""

    rule: str
    message: str
    place: str
    """A JSON pointer into the document, or the name of a file."""

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.message}"


class Break(NamedTuple):
    """Where a rule is broken; the rule gives it its id and its message."""

    place: str
    detail: str = ""


Check = Callable[[Document], Iterator[Break]]
_AnyCheck = TypeVar("_AnyCheck", bound=Callable[..., Iterator[Break]])


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, the message of all its findings, and what looks for them."""

    id: str
    message: str
    check: Callable[..., Iterator[Break]]

    def findings(self, subject: Any) -> Iterator[Finding]:
        """Look at a document, or at a file's bytes."""
        for place, detail in self.check(subject):
            yield Finding(self.id, f"{self.message} ({detail})" if detail else self.message, place)


class Register:
    """The rules of one kind of file."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def rule(self, identifier: str, message: str) -> Callable[[_AnyCheck], _AnyCheck]:
        """Register the function below as the check of a rule."""

        def register(check: _AnyCheck) -> _AnyCheck:
            self.rules.append(Rule(identifier, message, check))
            return check

        return register


def pointer(*steps: object) -> str:
    """Return a JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
