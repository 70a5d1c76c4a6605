"""The secrets that sign what flows are sent, as Standard Webhooks has them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from domain.configuration.faults import Fault, Kind

if TYPE_CHECKING:
    from domain.configuration.environment import Environment

_NAME = "FLOW_CALLBACK_SECRET"
_PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64
_NEW = "make one with: echo whsec_$(openssl rand -base64 32)"


def read_flow_secrets(environment: Environment) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
    """Read ``FLOW_CALLBACK_SECRET``: one or more secrets, separated by spaces.

    Returns:
        The secrets, and the faults of the setting. They concern what the app sends only, so they are not among those
        that keep the app from recording what Graph reports.
    """
    value = environment.get(_NAME)
    if value is None:
        return (), ()
    if environment.is_unresolved(_NAME):
        unresolved = tuple(fault for fault in environment.faults if fault.setting == _NAME)
        environment.faults = [fault for fault in environment.faults if fault.setting != _NAME]
        return (), unresolved
    secrets = tuple(dict.fromkeys(value.split()))
    problem = next(filter(None, map(_problem, secrets)), None)
    return (secrets, ()) if problem is None else ((), (Fault(_NAME, Kind.INVALID, f"{_NAME} {problem}"),))


def _problem(secret: str) -> str | None:
    text = secret.removeprefix(_PREFIX)
    if text == secret:
        return f"is not whsec_ and Base64, or several of these with spaces between: {_NEW}"
    if "-" in text or "_" in text:
        # The Standard Webhooks libraries drop these two, or read them: https://www.standardwebhooks.com
        return f"holds - or _, with which half of all receivers read another key: {_NEW}"
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        return f"is not standard Base64 with its = after whsec_: {_NEW}"
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        return f"is a key of fewer than {_LEAST_BYTES} or more than {_MOST_BYTES} bytes: {_NEW}"
    return None
