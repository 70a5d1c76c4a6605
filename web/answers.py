"""Requests and answers without the Functions library, so that everything but the thin edges is free of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http import HTTPStatus

    from web.errors import ApiError


@dataclass(frozen=True, slots=True)
class Request:
    """What a use case needs of an HTTP request."""

    route: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case."""
    body: bytes = b""
    arrived: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case answers: a JSON object, a string, or nothing."""

    status: HTTPStatus
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    """Instead of a JSON object."""
    media_type: str = "application/json"

    def content(self) -> bytes | None:
        """Return the body's bytes."""
        if self.text is not None:
            return self.text.encode("utf-8", "replace")
        return None if self.body is None else json.dumps(self.body, ensure_ascii=False).encode("utf-8", "replace")


def error_answer(error: ApiError) -> Answer:
    """Return an error in the form that Graph and Azure use, its code repeated in ``x-ms-error-code``."""
    more = dict(error.headers)
    more["x-ms-error-code"] = error.code
    if error.retry_after is not None:
        # Whole seconds, rounded up: the flow engine reads nothing else.
        more["Retry-After"] = str(max(1, -int(-error.retry_after // 1)))
    return Answer(error.status, error.body(), more)
