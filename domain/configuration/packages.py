"""A module that can't be imported: missing from the deployment, or built for another Python."""

from __future__ import annotations

import platform
from pathlib import Path

from domain.configuration.faults import Fault, Kind

SETTING = "packages"
"""Stands where other faults name their setting."""


def package_fault(error: BaseException) -> Fault:
    """Return the fault for what importing a module raised; compiled packages raise more than ``ImportError``."""
    name = (error.name if isinstance(error, ImportError) else None) or _unreadable(error) or _raised_in(error)
    text = (
        f"the module {name} can't be imported ({type(error).__name__}): the deployment is incomplete, or built for "
        f"another Python than {platform.python_version()} on {platform.system()} {platform.machine()}: deploy it again"
    )
    return Fault(SETTING, Kind.MISSING, text)


def _unreadable(error: BaseException) -> str | None:
    """Return the module whose file is cut off, or is written for a newer Python."""
    if not isinstance(error, SyntaxError) or not error.filename:
        return None
    file = Path(error.filename)
    names = [file.parent.name] if (file.parent / "__init__.py").is_file() else []
    return ".".join(names if file.stem == "__init__" else [*names, file.stem])


def _raised_in(error: BaseException) -> str:
    traceback, name = error.__traceback__, "?"
    while traceback is not None:
        found = traceback.tb_frame.f_globals.get("__name__")
        if isinstance(found, str) and not found.startswith("importlib."):
            name = found
        traceback = traceback.tb_next
    return name
