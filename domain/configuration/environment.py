"""One environment, read setting by setting; every fault is collected, so that a deployer fixes all in one go."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from domain.configuration.faults import Fault, Kind
from domain.configuration.references import is_reference, unfilled, unresolved

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)
# https://learn.microsoft.com/azure/app-service/reference-app-settings; on Flex Consumption an instance may have the
# pod's name and the SKU only.
_AZURE = ("WEBSITE_INSTANCE_ID", "CONTAINER_NAME", "WEBSITE_POD_NAME")
_FLEX = "flexconsumption"


class Environment:
    """Reads settings and collects what is wrong with them.

    Args:
        values: the environment; blank values count as not set.
        references_are_faults: whether a reference that Azure did not resolve is a fault. It is none outside the
            deployed app, whose settings are listed with the references as they were written.
    """

    def __init__(self, values: Mapping[str, str], *, references_are_faults: bool = True) -> None:
        self.values = values
        self.now = datetime.now(UTC)
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.in_azure = any(values.get(name, "").strip() for name in _AZURE) or (
            values.get("WEBSITE_SKU", "").strip().casefold() == _FLEX
        )
        self._references_are_faults = references_are_faults
        self._unresolved: set[str] = set()

    def get(self, name: str) -> str | None:
        """Return a setting's value, None where it is blank; a reference that was not resolved is noted."""
        value = self.values.get(name, "").strip() or None
        if value is None or name in self._unresolved:
            return value
        if is_reference(value):
            self._unresolved.add(name)
            notes = self.faults if self._references_are_faults else self.warnings
            notes.append(Fault(name, Kind.UNRESOLVED, unresolved(name)))
        elif (text := unfilled(name, value)) is not None:
            self._unresolved.add(name)
            self.faults.append(Fault(name, Kind.UNRESOLVED, text))
        return value

    def is_unresolved(self, name: str) -> bool:
        """Return whether ``get`` found a reference instead of a value."""
        return name in self._unresolved

    def check_references(self) -> None:
        """Warn of references in settings that nothing here reads, such as those of the Functions host."""
        for name, value in sorted(self.values.items()):
            if name not in self._unresolved and is_reference(value):
                self._unresolved.add(name)
                self.warnings.append(Fault(name, Kind.UNRESOLVED, unresolved(name)))

    def fault(self, setting: str, kind: Kind, text: str) -> None:
        """Note a fault, except for a setting whose value Azure did not resolve."""
        if setting not in self._unresolved:
            self.faults.append(Fault(setting, kind, text))

    def warn(self, setting: str, kind: Kind, text: str) -> None:
        """Note something that the app works with and a deployer should know."""
        if setting not in self._unresolved:
            self.warnings.append(Fault(setting, kind, text))

    def url(self, name: str, default: str, *, https_only: bool = False) -> str:
        """Return a URL without a slash at its end; plain http is for one machine only, and never in Azure."""
        value = self.get(name)
        if value is None:
            return default
        parts = split_url(value)
        is_secure = parts is not None and parts.scheme == "https"
        plain_allowed = not https_only and not self.in_azure
        is_local = parts is not None and parts.scheme == "http" and parts.hostname in LOOPBACK
        if parts is None or parts.query or parts.fragment or not (is_secure or (plain_allowed and is_local)):
            self.fault(name, Kind.INVALID, f"{name} is not an https address: write it as https://host/path")
        return value.rstrip("/")

    def list(self, name: str, default: str = "") -> list[str]:
        """Return the comma-separated entries of a setting."""
        return [entry for entry in map(str.strip, (self.get(name) or default).split(",")) if entry]

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return one of a few words, in lowercase."""
        value = (self.get(name) or default).casefold()
        if value not in (default, *others):
            self.fault(name, Kind.INVALID, f"{name} is not known: use {' or '.join((default, *others))}")
            return default
        return value

    def number(self, name: str, default: float, *, least: float = 0, most: float) -> float:
        """Return a number above 0, from ``least`` to ``most``."""
        value = self.get(name)
        try:
            number = float(value) if value is not None else default
        except ValueError:
            number = -1
        if not (number > 0 and least <= number <= most):  # also refuses NaN and infinity
            limits = f"number from {least:g} to {most:g}" if least else "positive number"
            self.fault(name, Kind.INVALID, f"{name} is not a {limits}")
            return default
        return number


def split_url(value: str) -> SplitResult | None:
    """Return the parts of an absolute URL with a usable host and no credentials in it, else None."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts if host and _HOST.fullmatch(host) and "@" not in parts.netloc else None
