"""A module that can't be imported: missing from the deployment, or built for another Python."""

from __future__ import annotations

import platform

from domain.configuration.faults import Fault, Kind

SETTING = "packages"
"""Stands where other faults name their setting."""


def package_fault(error: Exception) -> Fault:
    """Return the fault for what importing a module raised; compiled packages raise more than ``ImportError``."""
    name = (error.name if isinstance(error, ImportError) else None) or _raised_in(error)
    text = (
        f"the module {name} can't be imported ({type(error).__name__}): the deployment is incomplete, or built for "
        f"another Python than {platform.python_version()} on {platform.system()} {platform.machine()}: deploy it again"
    )
    return Fault(SETTING, Kind.MISSING, text)


def _raised_in(error: Exception) -> str:
    traceback, name = error.__traceback__, "?"
    while traceback is not None:
        found = traceback.tb_frame.f_globals.get("__name__")
        if isinstance(found, str) and not found.startswith("importlib."):
            name = found
        traceback = traceback.tb_next
    return name
