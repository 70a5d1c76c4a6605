"""A host that kills itself, for real, at one step: ``DIE_AT=after:operations.calls:CallTable.insert_invitation:1``.

The step is named by when (before or after), module, class and method, and which call of it.
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
    """Replace the named method by one that ends the process; the app itself knows nothing of it."""
    when, module, name, call = step.split(":")
    class_name, method_name = name.split(".")
    owner = getattr(importlib.import_module(module), class_name)
    method = getattr(owner, method_name)
    lock, left = threading.Lock(), [int(call)]

    def dying(self: Any, *arguments: Any, **named: Any) -> Any:
        with lock:
            left[0] -= 1
            dies = left[0] == 0
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(self, *arguments, **named)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, method_name, dying)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    arm(os.environ["DIE_AT"])
    sys.exit(importlib.import_module("dev.host.command").main())
