"""The recording of the demo, and the picture that README.md shows."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

from dev import recording
from dev.demo.uses import USES
from dev.recording import Line

_SVG = "{http://www.w3.org/2000/svg}"
_DEMO = [
    Line(3.0, "  started   the app at http://127.0.0.1:40123"),
    Line(0.0, ""),
    Line(0.0, "1  A user"),
    Line(0.1, "  invites   Megan Bowen"),
    Line(0.0, "4  A phone  call 132e81a6…"),
    Line(0.5, "  invites   +1234…"),
    Line(2.0, "  ...       ringing, 2 s so far"),
    Line(1.0, "  page      http://127.0.0.1:40123/api/page#call=03f33a56-02ae-41b7-9ccd&token=BNgSR1kS4-JHcrPOA_mjFdo"),
    Line(0.1, "  done      one <thing> & another"),
    Line(0.1, "9  A call kept alive"),
    Line(0.1, "  done      all of it"),
]


def _texts(picture: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(picture).iter(f"{_SVG}text")]  # noqa: S314


def test_lines() -> None:
    """The start, the chosen parts and the last line are shown; a sign of life is not, and neither is a random part."""
    assert _texts(recording.rendered(recording.chosen(_DEMO))) == [
        "$ make demo",
        "  started   the app at http://127.0.0.1:7071",
        "4  A phone  call 132e81a6…",
        "  invites   +1234…",
        "  page      http://127.0.0.1:7071/api/page#call=…&token=…",
        "  done      all of it",
    ]


def test_pace() -> None:
    """Lines appear one after the other, and no pause is long."""
    delays = [float(found) for found in re.findall(r"delay:([\d.]+)s", recording.rendered(_DEMO))]
    assert delays == sorted(delays)
    assert max(later - sooner for sooner, later in itertools.pairwise(delays)) < 1.0
    assert len(set(delays)) == len(delays)


def test_picture() -> None:
    """The picture in the repository is small and alone, shows today's demo, and holds no token."""
    picture = recording.PICTURE.read_text(encoding="utf-8")
    assert len(picture) < 20_000
    assert not re.search(r"<script|href|url\(|@import|token=[\w-]", picture)
    titles = [text for text in _texts(picture) if re.match(r"\d+  ", text)]
    assert [title.split()[0] for title in titles] == list(recording.PARTS)
    for title in titles[:-1]:
        assert USES[int(title.split()[0]) - 1].title in title
    assert "A meeting joined by its link" in titles[-1]
    assert "prefers-reduced-motion" in picture
