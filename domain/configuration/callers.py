"""Who may ask the app, and which phone numbers it may call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.configuration.environment import GUID
from domain.configuration.faults import Kind

if TYPE_CHECKING:
    from domain.configuration.environment import Environment

# E.164: at most 15 digits, and no country code begins with 0.
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class PhonePrefixes:
    """Which numbers may be called."""

    allows_all: bool = True
    """Whether a number without a listed prefix may be called, where its type is no reason against it."""
    listed: tuple[str, ...] = ()
    """Prefixes that are listed, as ``+digits``, longest first."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Whether callers of keyed routes must be signed in, and which ones may call."""

    is_required: bool = False
    allowed_principals: frozenset[str] | None = None
    """Object ids in lowercase; None allows all."""


def read_ids(environment: Environment, name: str, default: str = "") -> frozenset[str]:
    """Return a setting's comma-separated GUIDs in lowercase."""
    ids = environment.list(name, default)
    if not all(map(GUID.fullmatch, ids)):
        environment.fault(name, Kind.INVALID, f"{name} holds something that is not a GUID: list ids, comma-separated")
    return frozenset(map(str.casefold, ids))


def read_sign_in(environment: Environment) -> SignIn:
    """Read ``REQUIRE_SIGN_IN`` and ``ALLOWED_PRINCIPALS``, which has no meaning without it."""
    is_required = environment.choice("REQUIRE_SIGN_IN", "false", "true") == "true"
    name = "ALLOWED_PRINCIPALS"
    allowed = read_ids(environment, name)
    if allowed and not is_required:
        text = f"{name} has no effect without REQUIRE_SIGN_IN=true: set both, or remove it"
        environment.fault(name, Kind.CONTRADICTORY, text)
    return SignIn(is_required=is_required, allowed_principals=allowed or None)


def read_phone_prefixes(environment: Environment) -> PhonePrefixes:
    """Read ``PHONE_PREFIXES``: ``all``, prefixes, or both."""
    name = "PHONE_PREFIXES"
    entries = [entry.casefold() for entry in environment.list(name, _ALL)]
    listed = {entry for entry in entries if entry != _ALL}
    if not all(_PREFIX.fullmatch(entry) for entry in listed):
        text = f"{name} holds something that is not a prefix: write all, or prefixes such as +44,+1206"
        environment.fault(name, Kind.INVALID, text)
    return PhonePrefixes(_ALL in entries, tuple(sorted(listed, key=lambda prefix: (-len(prefix), prefix))))
