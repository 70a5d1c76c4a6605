"""Who asks for what is done now, where callers sign in: set at the edge, read where changes become events."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_asker: ContextVar[str | None] = ContextVar("asker", default=None)


def asker() -> str | None:
    """Return the hash of who asks; None where that isn't known, and for what follows by itself."""
    return _asker.get()


@contextmanager
def asked_by(principal: str | None) -> Iterator[None]:
    """Do something for a caller, whose id is kept as a hash alone; for None, for no one."""
    token = _asker.set(None if principal is None else hashlib.sha256(principal.encode()).hexdigest()[:12])
    try:
        yield
    finally:
        _asker.reset(token)
