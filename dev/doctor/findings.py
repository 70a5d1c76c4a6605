"""What a check of the doctor found: how bad it is, in one sentence, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How bad something is, from good to bad."""

    OK = "ok"
    NOT_CHECKED = "not checked"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; neither text holds a secret."""

    status: Status
    text: str
    mend: str | None = None
    """The command or the portal's page that mends it."""


def ok(text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Status.OK, text)


def warning(text: str, mend: str | None = None) -> Finding:
    """Return that somebody should look at something, though the app works with it."""
    return Finding(Status.WARNING, text, mend)


def fault(text: str, mend: str) -> Finding:
    """Return that something keeps the app from working."""
    return Finding(Status.FAULT, text, mend)


def not_checked(text: str, mend: str | None = None) -> Finding:
    """Return that something could not be looked at, and why."""
    return Finding(Status.NOT_CHECKED, text, mend)
