"""What Graph's codes mean to a maker."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from domain.results import ResultInfo
from flows.advice import OUTCOMES, REFUSALS, Meaning, advice_for_outcome, advice_for_refusal
from graph.errors import Refused

EVERYTHING: list[tuple[object, Meaning]] = [*REFUSALS.items(), *OUTCOMES.items()]
MEANINGS = [pytest.param(meaning, id=str(key)) for key, meaning in EVERYTHING]
PERSONAL = "failed for participant 4:+12345678901"


def _sentences(text: str) -> list[str]:
    return re.findall(r".+?[.](?=\s|$)", text)


@pytest.mark.parametrize("meaning", MEANINGS)
def test_one_or_two_sentences(meaning: Meaning) -> None:
    """A maker reads what happened and what to do, in a line."""
    sentences = _sentences(meaning.text)
    assert 1 <= len(sentences) <= 2
    assert " ".join(sentence.strip() for sentence in sentences) == meaning.text
    assert all(sentence.strip()[0].isupper() for sentence in sentences)
    assert len(meaning.text) < 200


@pytest.mark.parametrize("meaning", MEANINGS)
def test_source(meaning: Meaning) -> None:
    """Documentation, the calling service's codes, users' threads, or an honest guess."""
    assert re.match(r"\[[DAUG]\]", meaning.source)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_known_refusal(code: str) -> None:
    """Graph's code decides, since the same one comes with several statuses."""
    for status in (400, 403, 404, 409):
        assert advice_for_refusal(Refused(status, code=code)) == REFUSALS[code].text


@pytest.mark.parametrize("code", [None, "", "1234", "BadRequest", "7504 "])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418])
def test_unknown_refusal(status: int, code: str | None) -> None:
    """Where the code is unknown, the sentence is about the status and claims nothing more."""
    text = advice_for_refusal(Refused(status, code=code, message=PERSONAL))
    assert "Microsoft Graph" in text or "no such call" in text
    assert text not in {meaning.text for key, meaning in REFUSALS.items() if key not in {"8522", "9997"}}
    assert "12345678901" not in text


@pytest.mark.parametrize(("code", "subcode"), list(OUTCOMES))
def test_known_outcome(code: int, subcode: int | None) -> None:
    """Code and subcode together say what became of an invitation."""
    assert advice_for_outcome(ResultInfo(code, subcode, PERSONAL)) == OUTCOMES[code, subcode].text


@pytest.mark.parametrize(("code", "subcode"), [(480, 99999), (486, 560486), (487, None), (603, 0), (408, 1)])
def test_unknown_subcode(code: int, subcode: int | None) -> None:
    """*Busy* is *busy*, whatever subcode the phone network adds."""
    assert advice_for_outcome(ResultInfo(code, subcode)) == OUTCOMES[code, None].text


def test_subcode_that_says_more() -> None:
    """A subcode for *declined* counts under any code."""
    assert "declined" in advice_for_outcome(ResultInfo(480, 8538))
    assert "declined" in advice_for_outcome(ResultInfo(999, 8538))
    assert "busy" in advice_for_outcome(ResultInfo(486, 8539))


def test_code_in_the_message() -> None:
    """A ``DiagCode`` in the text that is more exact than the subcode counts."""
    said = "Underlying reason: x. DiagCode: 403#10151.@"
    assert advice_for_outcome(ResultInfo(500, 9999, said)) == OUTCOMES[403, 10151].text


@pytest.mark.parametrize("result", [None, ResultInfo(), ResultInfo(None, 5)])
def test_no_code(result: ResultInfo | None) -> None:
    """Where Graph gave no code, the sentence says so and what to do."""
    text = advice_for_outcome(result)
    assert "gave no reason" in text
    assert len(_sentences(text)) == 2


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (ResultInfo(499), "code 499,"),
        (ResultInfo(999, 1), "code 999, subcode 1,"),
        (ResultInfo(999, 999_999), "code 999, subcode 999999,"),
        (ResultInfo(999, 1_000_000), "code 999,"),
        (ResultInfo(999, 12_345_678_901), "code 999,"),
    ],
)
def test_unknown_code(result: ResultInfo, named: str) -> None:
    """An unknown code is named, with a subcode that can be no phone number, and where it is looked up."""
    text = advice_for_outcome(replace(result, message=PERSONAL))
    assert f"failed with {named}" in text
    assert "list of call end codes" in text
    assert "12345678901" not in text


def test_usual_ends_differ() -> None:
    """Declined, busy, not answered and not reachable are four different texts."""
    texts = {advice_for_outcome(ResultInfo(*codes)) for codes in ((603, 0), (486, 0), (487, 10004), (480, 10037))}
    assert len(texts) == 4
