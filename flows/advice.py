"""Explains a code of Graph's to a maker, from the table in ``flows.codes``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flows.codes import ADVICE, Advice, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.results import ResultInfo
    from graph.errors import GraphAnswered

_BY_CODE = {(advice.when, code): advice for advice in ADVICE for code in advice.codes.split()}
_DIAG_CODE = re.compile(r"DiagCode:\s*(\d{1,9})#(\d{1,9})")
_SHOWN_CODE = re.compile(r"[A-Za-z]{1,40}|[0-9]{1,6}")
_LARGEST_SUBCODE = 999_999
_NO_PERMISSION = "7504"
_LACKS = (
    "The app lacks the permission {} in this tenant. Ask your administrator to grant admin consent to it, again after "
    "each change of permissions."
)
_NO_REASON = (
    "The invitation failed, and Microsoft Graph gave no reason. Try again, or try another way to reach the person."
)


def advice_for_refusal(error: GraphAnswered) -> str:
    """Return what a maker should know of an invite request that Graph refused."""
    return _refusal(error, When.INVITE, "the invitation")


def advice_for_create_refusal(error: GraphAnswered) -> str:
    """Return what a maker should know of a call that Graph refused to start or join."""
    return _refusal(error, When.CREATE, "to start the call")


def advice_for_outcome(result: ResultInfo | None) -> str:
    """Return what a maker should know of an invitation that failed."""
    if result is None or result.code is None:
        return _NO_REASON
    advice = _first([When.PERSON], _codes(result))
    return _unknown("The invitation failed", result) if advice is None else advice.text


def advice_for_call_end(result: ResultInfo | None) -> str:
    """Return what a maker should know of a call that ended, connected or not; code 200 alone is no success."""
    if result is None or result.code is None:
        return "The call ended, and Microsoft Graph gave no reason. Start a new call."
    advice = _first([When.CALL, When.PERSON], _codes(result))
    return _unknown("The call ended", result) if advice is None else advice.text


def _refusal(error: GraphAnswered, when: When, what: str) -> str:
    kinds, code = [when, When.REQUEST], error.code or ""
    known = _first(kinds, [code])
    if error.lacks is not None and (known is None or code == _NO_PERMISSION):
        return _LACKS.format(error.lacks)
    if known is not None:
        return known.text
    shown = f" (code {code})" if _SHOWN_CODE.fullmatch(code) else ""
    by_status = _first(kinds, [f"HTTP{error.status}"])
    if by_status is not None:
        return by_status.text.replace(". ", f"{shown}. ", 1)
    return f"Microsoft Graph refused {what}{shown}. Try again, or send the code to your administrator."


def _first(kinds: Iterable[When], codes: Iterable[str]) -> Advice | None:
    keys = [(kind, code) for code in codes for kind in kinds]
    return next((_BY_CODE[key] for key in keys if key in _BY_CODE), None)


def _codes(result: ResultInfo) -> Iterator[str]:
    """Return a result's codes as the table has them, the most exact one first.

    ``DiagCode: 403#10151`` in the text can be more exact than a subcode of 9999.
    """
    if match := _DIAG_CODE.search(result.message or ""):
        code, subcode = int(match[1]), int(match[2])
        yield from (f"{code}/{subcode}", f"{result.code}/{subcode}", f"*/{subcode}")
    yield from (f"{result.code}/{result.subcode}", f"*/{result.subcode}", f"{result.code}")


def _unknown(happened: str, result: ResultInfo) -> str:
    is_short = result.subcode is not None and abs(result.subcode) <= _LARGEST_SUBCODE
    named = f"code {result.code}" + (f", subcode {result.subcode}" if is_short else "")
    to_do = "Try again, or look the code up in Microsoft's list of call end codes."
    return f"{happened} for an unknown reason ({named}). {to_do}"
