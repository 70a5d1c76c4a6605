"""What each exception of the storage libraries means; what they raise is listed in ``test_faults``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import TableClient

from storage.connections import CLIENT_OPTIONS
from storage.errors import StorageUnavailable
from storage.outcomes import Outcome, failure_of
from storage.transport import StorageTransport
from tests.graph.servers import closed_port, listening

if TYPE_CHECKING:
    import socket


class Response:
    """A response, as far as an error of the library reads it."""

    reason = "reason"

    def __init__(self, status: int, code: str = "", **headers: str) -> None:
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._code = code

    def text(self, encoding: str | None = None) -> str:
        return json.dumps({"odata.error": {"code": self._code}})

    def json(self) -> Any:
        return json.loads(self.text())


def error(status: int, code: str = "", **headers: str) -> HttpResponseError:
    """Return the library's error of a response."""
    return HttpResponseError(response=Response(status, code, **headers))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (202, "", Outcome.UNKNOWN),
        (400, "InvalidInput", Outcome.REFUSED),
        (400, "EntityTooLarge", Outcome.TOO_LARGE),
        (401, "", Outcome.REFUSED),
        (403, "AuthorizationFailure", Outcome.REFUSED),
        (404, "TableNotFound", Outcome.MISSING),
        (408, "", Outcome.UNKNOWN),
        (409, "EntityAlreadyExists", Outcome.CONFLICT),
        (412, "UpdateConditionNotSatisfied", Outcome.CONFLICT),
        (413, "RequestBodyTooLarge", Outcome.TOO_LARGE),
        (429, "", Outcome.NOT_DONE),
        *((status, "", Outcome.UNKNOWN) for status in (500, 502, 503, 504)),
    ],
)
def test_statuses(status: int, code: str, outcome: Outcome) -> None:
    """What storage refused was not done; what it failed at may have been done."""
    failure = failure_of(error(status, code))
    assert (failure.outcome, failure.status, failure.code) == (outcome, status, code)


def _refusing(connection: socket.socket) -> None:
    connection.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("is_listening", [True, False])
def test_never_sent(scheme: str, *, is_listening: bool) -> None:
    """Without a connection nothing was done: no server, or no TLS; with one, it may have been done."""
    with listening(_refusing) as open_port:
        url = f"{scheme}://127.0.0.1:{open_port if is_listening else closed_port()}/a"
        key = AzureNamedKeyCredential("a", "a2V5")
        client = TableClient(url, "any", credential=key, transport=StorageTransport(), **CLIENT_OPTIONS)
        with client, pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the library raises
            client.create_entity({"PartitionKey": "p", "RowKey": "r"})
    was_sent = scheme == "http" and is_listening
    assert failure_of(caught.value).outcome is (Outcome.UNKNOWN if was_sent else Outcome.NOT_DONE)


def test_no_token() -> None:
    """Without a token nothing is sent."""
    assert failure_of(StorageUnavailable()).outcome is Outcome.NOT_DONE


@pytest.mark.parametrize(
    "raised",
    [
        ServiceResponseError("x"),
        ServiceRequestError("x", error=ConnectionResetError()),
        IncompleteReadError("x"),
        ClientAuthenticationError("x"),
        AttributeError("'NoneType' object has no attribute 'pop'"),
        json.JSONDecodeError("x", "", 0),
        KeyError("etag"),
        TimeoutError(),
        OSError(),
    ],
)
def test_unknown(raised: BaseException) -> None:
    """What is neither done nor refused may have been done."""
    assert failure_of(raised).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("value", "seconds"), [("1", 1.0), ("0.5", 0.5), ("20", 1.0), ("-3", 0.0), ("Wed, 21 Oct 2026", None), ("", None)]
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """What storage asks for is kept up to a second."""
    assert failure_of(error(503, Retry_After=value)).retry_after == seconds


def test_log_names_no_content(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the kind, status and code of a failure, and not its text."""
    failure_of(error(403, "AuthorizationFailure")).log("table storage")
    (record,) = caplog.records
    assert record.getMessage() == ("table storage failed kind=HttpResponseError status=403 code=AuthorizationFailure")
