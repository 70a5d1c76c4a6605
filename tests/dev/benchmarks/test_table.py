"""The page of figures: each says what it was measured beside, whether its goal is met, and with which command."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dev.benchmarks import environment, processor
from dev.benchmarks.__main__ import BENCHES
from dev.benchmarks.measure import ROOT, Figure, Spread, in_turn, machine, ratios
from dev.benchmarks.report import BEGIN, END, HEADER, table, within

if TYPE_CHECKING:
    from pathlib import Path

_PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
_TABLE = _PAGE.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
_ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in _TABLE[4:]]
_COMMAND = re.compile(r"`make bench BENCH=([a-z]+)`")
# A figure as the page writes it: a number with its unit, or a multiple.
_FIGURE = re.compile(r"\d (?:µs|ms|MiB)\b|\d %")


def test_the_page_names_machine_and_versions() -> None:
    """A ratio travels, a figure does not: the processor, its cores, Python and the packages stand above the table."""
    assert re.fullmatch(r"Measured on: .+, \d+ cores, .+, Python 3\.1[1-3]\.\d+; azure-functions \d.+\.", _TABLE[0])
    assert machine().split("; ")[1].count(",") == _TABLE[0].split("; ")[1].count(",")


def test_the_table_has_a_row_for_each_bench_and_a_command_in_each_row() -> None:
    """Whoever doubts a figure can take it again."""
    assert _TABLE[2] == HEADER
    columns = HEADER.strip("|").split("|")
    assert {len(row) for row in _ROWS} == {len(columns)}
    commands = [_COMMAND.fullmatch(row[-1]) for row in _ROWS]
    assert all(commands)
    assert {match[1] for match in commands if match} == BENCHES.keys()


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row[0])
def test_a_row_has_its_figure_and_says_whether_its_goal_is_met(row: list[str]) -> None:
    """Nothing is left open: a goal is met or missed."""
    _, ours, _, result, goal, met, _ = row
    assert re.search(r"\d", ours)
    assert met == "" if goal == "" else met in ("yes", "no")
    assert goal == "" or re.search(r"\d", result) or result == "none"


def test_each_missed_goal_is_explained() -> None:
    """A goal that is missed has a paragraph that says where the time goes."""
    missed = [row[0] for row in _ROWS if row[5] == "no"]
    explained = re.findall(r"^\*\*(.+?)\.\*\*", _PAGE.partition("\n## Goals that are missed\n")[2], re.MULTILINE)
    assert sorted(explained) == sorted(missed)


def test_each_section_with_a_figure_names_its_command() -> None:
    """Figures in the text are those of the table, or of a command beside them."""
    prose = _PAGE.partition(BEGIN)[0] + _PAGE.partition(END)[2]
    for section in re.split(r"\n(?=## |\*\*)", prose):
        if _FIGURE.search(section):
            assert "make bench" in section, section.splitlines()[0]


def test_a_table_that_is_measured_anew_replaces_the_old_one_alone() -> None:
    """What is written around the table stays."""
    figure = Figure("cpu", "a | b", "1 µs", "", "0.5", "≤ 1", met=False)
    page = within(_PAGE, table([figure], "this machine"))
    assert page.partition(BEGIN)[0] == _PAGE.partition(BEGIN)[0]
    assert page.partition(END)[2] == _PAGE.partition(END)[2]
    assert "| a / b | 1 µs |  | 0.5 | ≤ 1 | no | `make bench BENCH=cpu` |" in page
    with pytest.raises(ValueError, match="no place"):
        within("nothing", "")


def test_sides_are_measured_in_turn_and_begin_in_turn() -> None:
    """A machine that gets slow for a while makes both sides slow, and neither is always the first."""
    asked: list[str] = []

    def side(name: str, value: float) -> float:
        asked.append(name)
        return value

    samples = in_turn(3, lambda: side("a", 1.0), lambda: side("b", 2.0))
    assert "".join(asked) == "ab" + "ab" + "ba" + "ab"
    assert samples == [[1.0] * 3, [2.0] * 3]


def test_a_ratio_is_taken_round_by_round() -> None:
    """The median of the rounds, with the middle half of them around it."""
    assert ratios([1, 2, 30, 4, 5], [1, 1, 1, 1, 1]) == Spread(1.5, 4, 17.5)
    assert Spread(1.5, 4, 17.5).text(" ms", 1) == "4.0 ms (1.5 to 17.5)"


def test_without_the_sdk_ours_is_measured_and_the_table_says_so() -> None:
    """A machine that can't install 470 MB still gets its own figures."""

    class Ours:
        def ask(self, work: str, count: int) -> float:
            return 100.0

    ours: Any = Ours()
    name = "msgraph-sdk could not be installed (no space)"
    figure = processor._beside(processor._WORKS[0], ours, None, name, 3)
    assert (figure.beside, figure.result, figure.met) == (name, "none", True)


@pytest.mark.prove
def test_what_keeps_the_sdk_from_being_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer's own last word, and no exception."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"no-such-package @ file://{tmp_path}/missing.whl\n", encoding="utf-8")
    monkeypatch.setattr(environment, "_REQUIREMENTS", requirements)
    monkeypatch.setattr(environment, "_FOLDER", tmp_path / "environment")
    python, reason = environment.sdk_python()
    assert python is None
    assert reason


def test_a_bench_that_is_not_there_is_refused() -> None:
    """A mistyped name is told with the names there are."""
    done = subprocess.run(
        [sys.executable, "-m", "dev.benchmarks", "cpux"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "import" in done.stderr
