"""A host that kills itself at one step: ``DIE_AT=after:graph.client:GraphClient.invite:1``.

The step is named by when (before or after), module, function or class and method, and which call of it.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def arm(step: str) -> None:
    """Replace the named function by one that ends the process; the app itself has no such code."""
    when, module, name, call = step.split(":")
    owner: Any = importlib.import_module(module)
    *classes, name = name.split(".")
    for class_name in classes:
        owner = getattr(owner, class_name)
    function = getattr(owner, name)
    lock, left = threading.Lock(), [int(call)]

    def dying(*arguments: Any, **named: Any) -> Any:
        with lock:
            left[0] -= 1
            dies = left[0] == 0
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    arm(os.environ["DIE_AT"])
    sys.exit(importlib.import_module("dev.host.command").main())
