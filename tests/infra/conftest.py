"""The machine on which hooks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.machine import SHELLS, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A machine that is signed in, in a directory without registrations; no hook leaves a file behind on it."""
    yield Machine(tmp_path, request.param)
    assert list((tmp_path / "temporary").iterdir()) == []
