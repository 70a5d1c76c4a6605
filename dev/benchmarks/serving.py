"""The other end of ``measure.Worker``; it imports nothing, so that the SDK's environment can use it too."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def serve(works: Mapping[str, Callable[[int], Any]]) -> None:
    """Be a worker: do what is asked on standard input until it ends."""
    for line in sys.stdin:
        work, count = line.split()
        print(json.dumps(works[work](int(count))), flush=True)
