"""What a flow gets when Graph took no part of an invitation."""

from __future__ import annotations

import json

import pytest

from domain.results import OperationState, ResultInfo
from flows.advice import advice_for_refusal
from graph.errors import (
    CredentialRefused,
    GraphError,
    NothingSent,
    OutcomeUnknown,
    Refused,
    Throttled,
    TokenUnavailable,
)
from invite.refusals import answer_for_refusals, result_of_refusal
from invite.sending import Sent
from web.answers import error_answer
from web.errors import ApiError, Busy, GraphRefused, NotFound, Unavailable

PERSONAL = "participant 8:orgid:278405a3-f568-4b3e-b684-009193463064 or 4:+12345678901, bob@contoso.example"


def _answer(*errors: GraphError) -> ApiError:
    return answer_for_refusals([Sent(place, error=error) for place, error in enumerate(errors)])


@pytest.mark.parametrize(
    ("error", "kind", "status", "code", "retry_after"),
    [
        (Throttled(429, retry_after=2.128), Busy, 429, "GraphBusy", 2.128),
        (Throttled(429), Busy, 429, "GraphBusy", 10.0),
        (Throttled(503, retry_after=30.0), Unavailable, 503, "GraphUnavailable", 30.0),
        (Throttled(503), Unavailable, 503, "GraphUnavailable", 10.0),
        (NothingSent("Microsoft Graph could not be reached"), Unavailable, 503, "GraphUnavailable", 10.0),
        (TokenUnavailable("Entra ID could not be reached"), Unavailable, 503, "EntraUnavailable", 10.0),
        (CredentialRefused("Entra ID refused the app's credential"), Unavailable, 503, "AppNotAuthorized", 60),
        (Refused(404, code="8522"), NotFound, 404, "CallNotFound", None),
        (Refused(404), NotFound, 404, "CallNotFound", None),
        (Refused(400, code="8523"), GraphRefused, 422, "GraphRefused", None),
        (Refused(401), GraphRefused, 422, "GraphRefused", None),
        (Refused(403, code="7504"), GraphRefused, 422, "GraphRefused", None),
        (Refused(409, code="8519"), GraphRefused, 422, "GraphRefused", None),
        (Refused(418), GraphRefused, 422, "GraphRefused", None),
    ],
)
def test_responses(error: GraphError, kind: type[ApiError], status: int, code: str, retry_after: float | None) -> None:
    """What passes by itself is a 429 or 503 with a time; what doesn't is a 4xx that no flow repeats."""
    got = _answer(error)
    assert type(got) is kind
    assert (got.status, got.code, got.retry_after) == (status, code, retry_after)
    assert got.message.endswith(".")
    assert ("Retry-After" in error_answer(got).headers) == (status in {429, 503})
    # A flow takes 408, 429 and 5xx for "again": a definite no must be none of these.
    assert isinstance(error, Refused) != (status in {408, 429} or status >= 500)


@pytest.mark.parametrize("code", ["7503", "7504", "7505", "8522", "8523"])
def test_each_known_code_brings_its_advice(code: str) -> None:
    """A maker reads what the code means and what to do, not the code."""
    got = _answer(Refused(403, code=code))
    assert got.message == advice_for_refusal(Refused(403, code=code))
    assert got.inner is not None
    assert got.inner["code"] == code


def test_consent_and_tenant_are_named() -> None:
    """The two refusals that every deployer meets say exactly what to do."""
    assert "Calls.InitiateGroupCall.All" in _answer(Refused(403, code="7504")).message
    assert "GRAPH_TENANT_ID" in _answer(Refused(403, code="7505")).message


@pytest.mark.parametrize("error", [Throttled(429), Throttled(503), NothingSent("x"), TokenUnavailable("x")])
def test_repeatable_says_not_called(error: GraphError) -> None:
    """The maker need not fear a second call."""
    assert "so the person was not called" in _answer(error).message


def test_inner_error() -> None:
    """Codes and request ids are there for support; names and numbers are not."""
    error = Refused(403, code="7504", message=f"failed for {PERSONAL}", request_id="r", client_request_id="c")
    got = _answer(error)
    assert got.inner == {
        "code": "7504",
        "message": "failed for participant [participant] or [participant], [address]",
        "request-id": "r",
        "client-request-id": "c",
    }


def test_inner_error_without_a_code() -> None:
    """A refusal without a body still has a code for support."""
    assert _answer(Refused(418)).inner == {"code": "418"}


def test_entras_code() -> None:
    """An expired secret shows its AADSTS code."""
    assert _answer(CredentialRefused("no", code="AADSTS7000222")).inner == {"code": "AADSTS7000222"}
    assert _answer(CredentialRefused("no")).body()["error"].keys() == {"code", "message"}


@pytest.mark.parametrize(
    "error",
    [
        Throttled(429, code="429", message=PERSONAL),
        Refused(400, code="8523", message=PERSONAL),
        Refused(404, message=PERSONAL),
        Refused(418, code="x", message=PERSONAL),
    ],
)
def test_no_answer_names_anybody(error: GraphError) -> None:
    """Whatever Graph writes into its refusal, no number, id or address gets into a run history."""
    for text in (json.dumps(_answer(error).body()), str(result_of_refusal(error).message)):
        for personal in ("278405a3", "12345678901", "bob", "contoso"):
            assert personal not in text


def test_what_passes_by_itself_comes_first() -> None:
    """Of a refused part and a throttled part the throttled one answers, so that the flow tries again."""
    got = _answer(Refused(403, code="7504"), Throttled(429, retry_after=3.0), Refused(404))
    assert (got.code, got.retry_after) == ("GraphBusy", 3.0)


def test_longest_wait_counts() -> None:
    """The flow comes back when Graph is ready for all parts."""
    assert _answer(Throttled(429, retry_after=3.0), Throttled(503, retry_after=40.0)).retry_after == 40.0


def test_first_of_definite_refusals() -> None:
    """Several parts refused for good give the first one's advice."""
    assert _answer(Refused(403, code="7505"), Refused(404)).message == advice_for_refusal(Refused(403, code="7505"))


@pytest.mark.parametrize(
    ("error", "code", "subcode"),
    [
        (Refused(403, code="7504"), 403, 7504),
        (Refused(400, code="BadRequest"), 400, None),
        (Refused(400, code=""), 400, None),
        (Refused(400), 400, None),
        (Refused(400, code="9" * 400), 400, None),
        (Throttled(429, code="8516"), 429, 8516),
        (NothingSent("Graph could not be reached"), 503, None),
        (CredentialRefused("no"), 503, None),
    ],
)
def test_stored_result(error: GraphError, code: int, subcode: int | None) -> None:
    """The stored invitation has Graph's status, its code where it is a number, and the advice."""
    kept = result_of_refusal(error)
    assert (kept.code, kept.subcode) == (code, subcode)
    assert kept.message == _answer(error).message


def test_what_is_no_refusal() -> None:
    """Only what Graph surely did not take counts as refused."""
    assert not Sent(0, answer=OperationState("op", None, "failed", ResultInfo(500))).was_refused
    assert not Sent(0, error=OutcomeUnknown("?")).was_refused
    assert Sent(0, error=Refused(403)).was_refused
