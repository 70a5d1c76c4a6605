"""What a check of the doctor found: how bad it is, one sentence, and the fix."""

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
    fix: str | None = None
    """The command or the portal's page that fixes it."""


def ok(text: str) -> Finding:
    """Return something that is as it should be."""
    return Finding(Status.OK, text)


def warning(text: str, fix: str | None = None) -> Finding:
    """Return something that deserves a look, though the app works with it."""
    return Finding(Status.WARNING, text, fix)


def fault(text: str, fix: str) -> Finding:
    """Return something that keeps the app from working."""
    return Finding(Status.FAULT, text, fix)


def not_checked(text: str, fix: str | None = None) -> Finding:
    """Return something that could not be checked, and why."""
    return Finding(Status.NOT_CHECKED, text, fix)
