"""Whether the table and the queue can be used, and if not, why: the sentences of ``GET /health``.

Each is read, and made where it is missing, so that a role that only reads shows before the first invitation.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError

from domain.configuration.packages import package_fault
from storage.budget import budget
from storage.errors import StorageUnavailable
from storage.outcomes import Outcome, failure_of
from storage.queue import queue_client
from storage.table import table_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from settings import Settings
    from storage.connections import SharedCredential

_SECONDS = 4.0
"""For each of the two, with all that it takes: together they are within the budget of a request."""
# What the app's own token validation allows; Azure Storage refuses signed requests from 15 minutes on.
_MOST_SKEW_SECONDS = 300
_NO_TOKEN = "the managed identity gives no token: check that it is assigned to the app"  # noqa: S105 - a sentence
# https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
_REASONS = {
    "AuthenticationFailed": "the key in the connection string is wrong, or the identity is of another tenant",
    "InvalidAuthenticationInfo": "the key in the connection string is wrong, or the identity is of another tenant",
    "AuthorizationFailure": "a firewall before the account does not let the app's network in",
    "AuthorizationPermissionMismatch": "the identity, or the signature in the connection string, lacks {role}",
    "AuthorizationResourceTypeMismatch": "the signature in the connection string lacks tables, queues or their service",
    "InsufficientAccountPermissions": "the identity, or the signature in the connection string, lacks {role}",
    "KeyBasedAuthenticationNotPermitted": "the account allows no keys: use a managed identity",
    "AccountIsDisabled": "the account is disabled",
}


def table_faults(settings: Settings, credential: SharedCredential | None) -> list[str]:
    """Return what keeps the app from using its table."""

    def read(hook: Callable[[Any], None]) -> None:
        client.get_entity("health", "health", raw_response_hook=hook)

    with table_client(settings, credential) as client, budget(_SECONDS, whole=True):
        return _faults("table", read, client.create_table)


def queue_faults(settings: Settings, name: str, credential: SharedCredential | None) -> list[str]:
    """Return what keeps the app from using its queue."""

    def read(hook: Callable[[Any], None]) -> None:
        client.get_queue_properties(raw_response_hook=hook)

    try:
        client = queue_client(settings, name, credential)
    except ImportError as error:
        return [str(package_fault(error))]
    with client, budget(_SECONDS, whole=True):
        return _faults("queue", read, client.create_queue)


def _faults(what: str, read: Callable[[Callable[[Any], None]], None], create: Callable[[], object]) -> list[str]:
    dates: list[str] = []

    def hook(response: Any) -> None:
        dates.append(response.http_response.headers.get("Date", ""))

    try:
        read(hook)
    except Exception as error:  # noqa: BLE001 - the libraries raise more than their own errors
        reasons = _of_reading(what, error, create)
    else:
        reasons = []
    return [*reasons, *_clock(dates)]


def _of_reading(what: str, error: Exception, create: Callable[[], object]) -> list[str]:
    failure = failure_of(error)
    if failure.outcome is not Outcome.MISSING:
        return [_reason(what, error)]
    if failure.code not in ("TableNotFound", "QueueNotFound"):
        return []  # the row, which is never there
    try:
        with suppress(ResourceExistsError):
            create()
    except Exception as refused:  # noqa: BLE001 - as above
        return [f"the {what} is missing and can't be made: {_reason(what, refused)}"]
    return []


def _reason(what: str, error: Exception) -> str:
    failure = failure_of(error)
    if failure.status is None:
        if isinstance(error, StorageUnavailable) or failure.kind == "ClientAuthenticationError":
            return _NO_TOKEN
        return "can't be reached: check the connection and the identity's roles on the account"
    role = f"the role Storage {what.capitalize()} Data Contributor"
    reason = _REASONS.get(failure.code, "see Azure Storage's list of error codes").format(role=role)
    return f"storage refuses it (status {failure.status}, {failure.code or 'no code'}): {reason}"


def _clock(dates: list[str]) -> list[str]:
    try:
        skew = (datetime.now(UTC) - parsedate_to_datetime(dates[-1])).total_seconds()
    except (IndexError, ValueError, TypeError):
        return []
    if abs(skew) <= _MOST_SKEW_SECONDS:
        return []
    direction = "ahead of" if skew > 0 else "behind"
    text = f"the clock of this machine is {abs(skew) / 60:.0f} minutes {direction} storage's: set it, else Graph's"
    return [f"{text} tokens are refused"]
