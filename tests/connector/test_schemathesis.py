"""Generated requests from ``docs/openapi.yaml`` against the running app: every response is as described."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connector.routes import ROOT
from tests.connector.running import KEY

if TYPE_CHECKING:
    from tests.connector.conftest import Running

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_path(str(ROOT / "docs" / "openapi.yaml"))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
FEW, MANY = 8, 400
_BY_LABEL = {operation.label: operation for operation in OPERATIONS}


def _known_things(running: Running) -> dict[str, str]:
    """Make a call with an invitation in it, so that some generated requests find something."""
    call_id = running.new_call()
    answer = requests.post(
        f"{running.app}/api/calls/{call_id}/participants/invite",
        json={"participants": [{"identity": {"user": {"id": "11111111-1111-4111-8111-111111111111"}}}]},
        headers={"x-functions-key": KEY},
        timeout=30,
    )
    assert answer.status_code == 202
    token = answer.headers["Location"].partition("token=")[2]
    return {"callId": call_id, "invitationId": answer.json()["id"], "token": token}


def _explore(running: Running, label: str, examples: int) -> None:
    operation = _BY_LABEL[label]
    known = _known_things(running)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode))

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=cases, use_known=st.booleans())
    def explore(case: Any, use_known: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        if use_known:
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
            if "token" in (case.query or {}):
                case.query["token"] = known["token"]
        case.call_and_validate(
            base_url=f"{running.app}/api", headers={"x-functions-key": KEY}, checks=CHECKS, timeout=30
        )

    explore()


@pytest.mark.parametrize("label", _BY_LABEL)
def test_made_up_requests(running: Running, label: str) -> None:
    """Valid and invalid requests get a described response, never a server error."""
    _explore(running, label, FEW)


@pytest.mark.prove
@pytest.mark.parametrize("label", _BY_LABEL)
def test_many_made_up_requests(running: Running, label: str) -> None:
    """The same, at length."""
    _explore(running, label, MANY)


def test_made_up_notifications_with_a_good_token(running: Running) -> None:
    """A callback with a valid token is recorded or ignored, whatever its content."""
    call_id = running.new_call()
    operation = _BY_LABEL["POST /notifications"]

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def notify(case: Any) -> None:
        content = json.dumps(case.body).encode()
        assert running.graph.post_notification(call_id, content) in (202, 400)

    notify()
