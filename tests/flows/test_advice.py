"""What Graph's codes mean to a maker."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.results import ResultInfo
from flows.advice import advice_for_call_end, advice_for_create_refusal, advice_for_outcome, advice_for_refusal
from flows.codes import ADVICE, Advice, When
from graph.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = [pytest.param(advice, id=f"{advice.when.name}-{advice.codes.split()[0]}") for advice in ADVICE]
PERSONAL = "failed for participant 4:+12345678901"
# Every code that public documentation and reports have, by where it is reported.
INVITE_CODES = [
    *(7503, 7504, 7505, 7507, 8522, 9997, 8523, 8501, 8528, 8585, 8519, 8505, 8517, 8548, 8558, 8516, 8529, 8530)
]
CREATE_CODES = [
    *(7500, 7502, 7503, 7504, 7505, 7507, 8517, 8526, 8527, 8561, 8560, 8516, 8529, 8530, 8523, 8520, 9999),
    *(8522, 8501, 8528, 8585),
]
OUTCOME_CODES = [
    (412, 9999),
    (403, 10151),
    (403, None),
    (404, None),
    (500, None),
    (500, 560500),
    (408, 10057),
    (408, 1106),
    (408, 8537),
    (408, 8544),
    *((480, subcode) for subcode in (10037, 10076, 10134, 10199, None)),
    *((487, subcode) for subcode in (10003, 10004, 10024, None)),
    (603, 0),
    (486, 560486),
    (410, 301005),
    (500, 1005),
    *((999, subcode) for subcode in range(8538, 8545)),
]
END_SUBCODES = [
    *(4097, 4521, 18503, 5000, 5300, 5001, 5003, 5002, 5007, 5014, 5010, 5012, 5013, 5020, 5030, 5855),
    *(7000, 10550, 7015, 540000, 560000),
]
END_CODES = [
    *((200, subcode) for subcode in END_SUBCODES),
    *((400, 2203), (500, 3002), (500, 3003), (500, 7106), (500, 7112), (500, 7117), (500, 9999)),
    *((500, 1203002), (500, 1203003)),
]


def _sentences(text: str) -> list[str]:
    return re.findall(r".+?[.](?=\s|$)", text)


@pytest.mark.parametrize("advice", ROWS)
def test_two_sentences(advice: Advice) -> None:
    """A maker reads what happened and what to do, in a line, without the API's property names."""
    sentences = _sentences(advice.text)
    assert len(sentences) == 2
    assert " ".join(sentence.strip() for sentence in sentences) == advice.text
    assert all(sentence.strip()[0].isupper() for sentence in sentences)
    assert len(advice.text) <= 210
    assert not re.search(r"replacesCallId|participantId|clientContext|nobody|telephone|rung", advice.text)


@pytest.mark.parametrize("advice", ROWS)
def test_source(advice: Advice) -> None:
    """Documentation, the calling service's codes, users' threads, or an honest guess."""
    assert re.match(r"\[[DAUG]\]", advice.source)


def test_one_row_for_a_code() -> None:
    """No code is in two rows for the same case, and no two rows for one case have the same text."""
    codes = [(advice.when, code) for advice in ADVICE for code in advice.codes.split()]
    assert len(codes) == len(set(codes))
    assert len({(advice.when, advice.text) for advice in ADVICE}) == len(ADVICE)


@pytest.mark.parametrize("code", INVITE_CODES)
def test_refused_invitation(code: int) -> None:
    """Graph's code decides, since the same one comes with several statuses."""
    texts = {advice_for_refusal(Refused(status, code=str(code))) for status in (400, 403, 404, 409, 418)}
    assert len(texts) == 1
    assert texts <= {advice.text for advice in ADVICE if advice.when in (When.REQUEST, When.INVITE)}


@pytest.mark.parametrize("code", CREATE_CODES)
def test_refused_start(code: int) -> None:
    """The same for a start, whose causes differ."""
    texts = {advice_for_create_refusal(Refused(status, code=str(code))) for status in (400, 403, 404, 418)}
    assert len(texts) == 1
    assert texts <= {advice.text for advice in ADVICE if advice.when in (When.REQUEST, When.CREATE)}


def test_permissions() -> None:
    """A missing permission is named: for an invitation the one, for a start those of all its forms."""
    assert "Calls.InitiateGroupCall.All" in advice_for_refusal(Refused(403, code="7504"))
    start = advice_for_create_refusal(Refused(403, code="7504"))
    for name in ("JoinGroupCall", "Initiate", "InitiateGroupCall"):
        assert f"Calls.{name}.All" in start


@pytest.mark.parametrize("explain", [advice_for_refusal, advice_for_create_refusal])
@pytest.mark.parametrize("code", [None, "", "1234", "BadRequest", "7504 ", "12345678901", "a b", "../x"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418])
def test_unknown_refusal(explain: object, status: int, code: str | None) -> None:
    """Where the code is unknown the sentence is about the status; a code that can be no phone number is named."""
    assert callable(explain)
    text = explain(Refused(status, code=code, message=PERSONAL))
    assert len(_sentences(text)) == 2
    assert ("(code 1234)." in text, "(code BadRequest)." in text) == (code == "1234", code == "BadRequest")
    assert "12345678901" not in text
    assert "../x" not in text


@pytest.mark.parametrize(("code", "subcode"), OUTCOME_CODES)
def test_known_outcome(code: int, subcode: int | None) -> None:
    """Code and subcode together decide, or a subcode under any code."""
    text = advice_for_outcome(ResultInfo(code, subcode, PERSONAL))
    assert text in {advice.text for advice in ADVICE if advice.when is When.PERSON}


@pytest.mark.parametrize(("code", "subcode"), END_CODES)
def test_known_call_end(code: int, subcode: int) -> None:
    """A call that ended has a reason, also with code 200."""
    text = advice_for_call_end(ResultInfo(code, subcode, PERSONAL))
    assert text in {advice.text for advice in ADVICE if advice.when is When.CALL}


@pytest.mark.parametrize(("code", "subcode"), [(486, 560486), (603, 0), (480, 10199), (408, 8537), (999, 8538)])
def test_call_end_as_for_a_person(code: int, subcode: int) -> None:
    """Busy is busy: the codes that a person's call ends with mean the same for a one-to-one call."""
    result = ResultInfo(code, subcode)
    assert advice_for_call_end(result) == advice_for_outcome(result)


def test_call_end_by_its_text() -> None:
    """The second number of the text's code counts, whatever the first is."""
    text = advice_for_call_end(ResultInfo(200, None, "Call ended. DiagCode: 0#5855.@"))
    assert "lobby" in text
    assert advice_for_call_end(ResultInfo(500, 7106, "DiagCode: 3003#7106.@")) == advice_for_call_end(
        ResultInfo(500, 7106)
    )


@pytest.mark.parametrize(("code", "subcode"), [(480, 99999), (486, 560486), (487, None), (603, 0), (408, 1)])
def test_unknown_subcode(code: int, subcode: int | None) -> None:
    """*Busy* is *busy*, whatever subcode the phone network adds."""
    assert advice_for_outcome(ResultInfo(code, subcode)) == advice_for_outcome(ResultInfo(code, None))


def test_subcode_under_any_code() -> None:
    """A subcode for *declined* counts under any code."""
    assert "declined" in advice_for_outcome(ResultInfo(480, 8538))
    assert "declined" in advice_for_outcome(ResultInfo(999, 8538))
    assert "busy" in advice_for_outcome(ResultInfo(486, 8539))


def test_code_in_the_message() -> None:
    """A ``DiagCode`` in the text that is more exact than the subcode counts."""
    text = "Underlying reason: x. DiagCode: 403#10151.@"
    assert advice_for_outcome(ResultInfo(500, 9999, text)) == advice_for_outcome(ResultInfo(403, 10151))


@pytest.mark.parametrize("explain", [advice_for_outcome, advice_for_call_end])
@pytest.mark.parametrize("result", [None, ResultInfo(), ResultInfo(None, 5)])
def test_no_code(explain: object, result: ResultInfo | None) -> None:
    """Where Graph gave no code, the sentence says so and what to do."""
    assert callable(explain)
    text = explain(result)
    assert "gave no reason" in text
    assert len(_sentences(text)) == 2


@pytest.mark.parametrize("explain", [advice_for_outcome, advice_for_call_end])
@pytest.mark.parametrize(
    ("result", "named"),
    [
        (ResultInfo(499), "(code 499)"),
        (ResultInfo(999, 1), "(code 999, subcode 1)"),
        (ResultInfo(999, 999_999), "(code 999, subcode 999999)"),
        (ResultInfo(999, 1_000_000), "(code 999)"),
        (ResultInfo(999, 12_345_678_901), "(code 999)"),
    ],
)
def test_unknown_code(explain: object, result: ResultInfo, named: str) -> None:
    """An unknown code is named, with a subcode that can be no phone number, and where it is looked up."""
    assert callable(explain)
    text = explain(replace(result, message=PERSONAL))
    assert named in text
    assert "list of call end codes" in text
    assert "12345678901" not in text


def test_usual_ends_differ() -> None:
    """Declined, busy, not answered and not reachable are four different texts."""
    texts = {advice_for_outcome(ResultInfo(*codes)) for codes in ((603, 0), (486, 0), (487, 10004), (480, 10037))}
    assert len(texts) == 4


@pytest.mark.parametrize(
    ("result", "first", "second"),
    [(ResultInfo(403), "policy", "another organization"), (ResultInfo(404), "person", "call has ended")],
)
def test_several_causes(result: ResultInfo, first: str, second: str) -> None:
    """Where reports show several causes, the usual one comes first."""
    text = advice_for_outcome(result)
    assert 0 <= text.index(first) < text.index(second)
    tenant = advice_for_refusal(Refused(403, code="7505"))
    assert tenant.index("The call belongs") < tenant.index("the person does")
    assert tenant == advice_for_refusal(Refused(403, code="8517"))


@pytest.mark.parametrize("explain", [advice_for_refusal, advice_for_create_refusal])
def test_missing_permission(explain: Callable[[Refused], str]) -> None:
    """The permission that the token lacks is named alone; another cause keeps its own advice."""
    for code in ("7504", "Forbidden", None):
        text = explain(Refused(403, code=code, lacks="Calls.Some.All"))
        assert "lacks the permission Calls.Some.All" in text
        assert "Calls.InitiateGroupCall.All" not in text
    assert "Calls.Some.All" not in explain(Refused(403, code="7503", lacks="Calls.Some.All"))
