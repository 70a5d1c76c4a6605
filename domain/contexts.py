"""How the parts of an invitation that needs several Graph requests are marked in ``clientContext``."""

from __future__ import annotations

import re

_ENDING = re.compile(r"~[0-9]+of[0-9]+$")


def part_context(client_context: str, number: int, count: int) -> str:
    """Return the context of part ``number`` (from 1) of ``count``."""
    return f"{client_context}~{number}of{count}"


def unsplit_context(context: str) -> str:
    """Return a context without the mark of a part."""
    return _ENDING.sub("", context)


def looks_like_part(context: str) -> bool:
    """Tell whether a context ends like a part's, which callers' own may not."""
    return _ENDING.search(context) is not None
