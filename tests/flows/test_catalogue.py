from __future__ import annotations

import re

import pytest

from domain.model import ResultInfo
from flows.advice import OUTCOMES, REFUSALS, Meaning, advice_for_outcome, advice_for_refusal
from graph.errors import Refused

EVERYTHING: list[tuple[object, Meaning]] = [*REFUSALS.items(), *OUTCOMES.items()]
MEANINGS = [pytest.param(meaning, id=str(key)) for key, meaning in EVERYTHING]
PERSONAL = "failed for participant 4:+12345678901"


def _sentences(text: str) -> list[str]:
    return re.findall(r".+?[.](?=\s|$)", text)


@pytest.mark.parametrize("meaning", MEANINGS)
def test_each_entry_is_one_or_two_whole_sentences(meaning: Meaning) -> None:
    """A maker reads what happened and what to do, in a line."""
    sentences = _sentences(meaning.text)
    assert 1 <= len(sentences) <= 2
    assert " ".join(sentence.strip() for sentence in sentences) == meaning.text
    assert all(sentence.strip()[0].isupper() for sentence in sentences)
    assert len(meaning.text) < 200


@pytest.mark.parametrize("meaning", MEANINGS)
def test_each_entry_says_where_it_is_known_from(meaning: Meaning) -> None:
    """Documentation, the calling service's codes, users' threads, or an honest guess."""
    assert re.match(r"\[[DAUG]\]", meaning.source)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_known_refusal_is_told_whatever_its_status(code: str) -> None:
    """Graph's code decides, since the same one comes with several statuses."""
    for status in (400, 403, 404, 409):
        assert advice_for_refusal(Refused(status, code=code)) == REFUSALS[code].text


@pytest.mark.parametrize("code", [None, "", "1234", "BadRequest", "7504 "])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418])
def test_an_unknown_refusal_is_told_by_its_status_and_claims_nothing_more(status: int, code: str | None) -> None:
    """Where the code is not known, the plain truth about the status is told."""
    text = advice_for_refusal(Refused(status, code=code, message=PERSONAL))
    assert "Microsoft Graph" in text or "no such call" in text
    assert text not in {meaning.text for key, meaning in REFUSALS.items() if key not in {"8522", "9997"}}
    assert "12345678901" not in text


@pytest.mark.parametrize(("code", "subcode"), list(OUTCOMES))
def test_a_known_outcome_is_told(code: int, subcode: int | None) -> None:
    """Code and subcode together say what became of an invitation."""
    assert advice_for_outcome(ResultInfo(code, subcode, PERSONAL)) == OUTCOMES[code, subcode].text


@pytest.mark.parametrize(("code", "subcode"), [(480, 99999), (486, 560486), (487, None), (603, 0), (408, 1)])
def test_an_unknown_subcode_falls_back_to_its_code(code: int, subcode: int | None) -> None:
    """*Busy* is *busy*, whatever the telephone network adds."""
    assert advice_for_outcome(ResultInfo(code, subcode)) == OUTCOMES[code, None].text


def test_some_subcodes_say_more_than_their_code() -> None:
    """Somebody who declined is told as such under any code."""
    assert "declined" in advice_for_outcome(ResultInfo(480, 8538))
    assert "declined" in advice_for_outcome(ResultInfo(999, 8538))
    assert "busy" in advice_for_outcome(ResultInfo(486, 8539))


def test_the_code_within_the_message_can_say_more() -> None:
    """A ``DiagCode`` that is more exact than the subcode is the one that is told."""
    said = "Underlying reason: x. DiagCode: 403#10151.@"
    assert advice_for_outcome(ResultInfo(500, 9999, said)) == OUTCOMES[403, 10151].text


@pytest.mark.parametrize("result", [None, ResultInfo(), ResultInfo(None, 5), ResultInfo(499), ResultInfo(999, 1)])
def test_an_unknown_outcome_is_told_as_unknown(result: ResultInfo | None) -> None:
    """The app does not make up a reason that nobody gave."""
    assert "no reason that is known" in advice_for_outcome(result)


@pytest.mark.parametrize("code", [None, 499, 999])
def test_an_unknown_outcome_is_told_in_graphs_own_words_without_names(code: int | None) -> None:
    """Where Graph says something and the code is unknown, that is told, redacted."""
    assert advice_for_outcome(ResultInfo(code, None, PERSONAL)) == "failed for participant [participant]"


def test_the_usual_ends_of_an_invitation_are_told_apart() -> None:
    """Declined, busy, not answered and not reachable are four different texts."""
    texts = {advice_for_outcome(ResultInfo(*codes)) for codes in ((603, 0), (486, 0), (487, 10004), (480, 10037))}
    assert len(texts) == 4
