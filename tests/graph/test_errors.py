from __future__ import annotations

import inspect
import re

from graph import errors


def test_the_tree_is_drawn_as_it_is() -> None:
    """Each class stands in the drawing at its own depth, below its parent, with a sentence."""
    path: list[str] = []
    drawn: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines()[2:]:
        match = re.fullmatch(r"([│ ├└─]*)(\w+)(?: {2,}\S.*)?", line)
        assert match, line
        depth = len(match[1]) // 4
        path[depth:] = [match[2]]
        drawn[match[2]] = path[depth - 1] if depth else None
    classes = {
        name: one for name, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__
    }
    assert drawn == {
        name: None if one.__base__ is Exception else one.__base__.__name__  # type: ignore[union-attr]
        for name, one in classes.items()
    }


def test_a_root_catches_all() -> None:
    """Whatever graph raises on purpose is one of the tree."""
    assert issubclass(errors.KeysUnavailable, errors.GraphError)
    assert {one.__module__ for one in _descendants(errors.GraphError)} == {"graph.errors"}


def _descendants(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(_descendants(one) for one in kind.__subclasses__()))
