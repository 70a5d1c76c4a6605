"""Entra ID's codes: what each means, and whether it stays."""

from __future__ import annotations

import pytest

from graph.entra_errors import ENTRA_ERRORS, entra_error, is_lasting

NEEDED = (50034, 50076, 53003, 500011, 7000215, 7000222, 700016, 700027, 700211, 700212, 700213, 700024, 90002, 65001)
MORE = (50001, 50027, 50059, 50128, 500014, 500021, 500022, 501051, 700025, 7000218)


@pytest.mark.parametrize("number", [*NEEDED, *MORE, 1000502, 50196])
def test_codes_that_apps_get(number: int) -> None:
    """Each has a meaning and a fix of its own."""
    known = ENTRA_ERRORS[f"AADSTS{number}"]
    assert entra_error(f"AADSTS{number}") == known
    assert known.fix.endswith(".")


@pytest.mark.parametrize("code", ENTRA_ERRORS)
def test_commands_can_be_filled_in(code: str) -> None:
    """With what the settings hold, and nothing else."""
    known = ENTRA_ERRORS[code]
    assert "{" not in known.command.format(client="c", tenant="t", host="h", audience="a")
    assert "{" not in known.meaning + known.fix


@pytest.mark.parametrize(
    ("code", "page"), [("AADSTS1234567", "error?code=1234567"), (None, "docs/operate.md"), ("x y", "docs/operate.md")]
)
def test_the_unknown(code: str | None, page: str) -> None:
    """It has advice too: where its explanation is."""
    assert page in entra_error(code).command


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(400, True), (401, True), (403, True), (404, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_what_stays(status: int, *, lasting: bool) -> None:
    """Any 4xx stays but 408 and 429."""
    assert is_lasting(status) is lasting
