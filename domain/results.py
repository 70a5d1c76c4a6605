"""What Graph reports of an operation or a call's end, as plain values; ``graph.wire`` reads them from JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResultInfo:
    """Graph's ``resultInfo``: HTTP-like ``code``, ``subcode`` of the calling service, free text."""

    code: int | None = None
    subcode: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class OperationState:
    """What Graph reports of one operation, in a response, a notification or a read."""

    id: str | None
    client_context: str | None
    status: str | None
    """``notstarted``, ``running``, ``completed`` or ``failed``, in lower case; None where Graph gave none."""
    result: ResultInfo | None
