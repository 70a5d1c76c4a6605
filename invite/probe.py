"""Whether what only some invitations need is there."""

from __future__ import annotations

from domain.configuration.packages import package_fault


def phone_faults() -> list[str]:
    """Return what keeps the app from reading phone numbers; the first check costs the import of their library."""
    try:
        from invite import phones  # noqa: F401, PLC0415 - with the first phone number, or the first check
    except (Exception, SystemExit) as error:  # noqa: BLE001 - packages raise more than ImportError
        return [str(package_fault(error))]
    return []
