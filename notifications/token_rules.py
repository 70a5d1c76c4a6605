"""Which callback tokens are accepted, as pure rules over their claims; signatures are verified elsewhere.

There are two kinds, and ``iss`` shows which: the older kind, of the Bot Framework's issuer, and Entra ID's, to
which Microsoft is moving callbacks. The rules for the older one:
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications. Those for Entra's are
the ones of Microsoft's own validator (NuGet Microsoft.Graph.Communications.Common 1.2.0.18742). Any app of a tenant
can get a token for this app's id from Entra ID, so there the caller counts: it must be Microsoft's calling service.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEEWAY_SECONDS = 300
TENANT = "{tenantid}"
"""Stands for the tenant in issuers, as in Entra's own metadata."""
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class TokenKind(StrEnum):
    """Who issued a token."""

    OLDER = "older"
    ENTRA = "entra"


class NotFromGraph(Exception):
    """The request carries no token that Graph would send; ``reason`` is for the log, never for the caller."""

    def __init__(self, reason: str, *, caller: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.caller = caller
        """The app that a well signed token of Entra ID was issued to, where that is what was wrong."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a token counts, in seconds since 1970, without the leeway."""

    not_before: int
    expires: int

    def covers(self, now: float) -> bool:
        """Return whether a token counts now, with the leeway on both sides."""
        return self.not_before - LEEWAY_SECONDS <= now < self.expires + LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say, by this app's settings; ids are in lower case except ``audience``."""

    audience: str
    tenant_ids: frozenset[str]
    older_issuers: frozenset[str]
    """Without a slash at their ends."""
    entra_issuers: tuple[str, ...]
    """With ``{tenantid}`` for the tenant."""
    caller_ids: frozenset[str]

    def lifetime(self, claims: Mapping[str, object], now: float) -> Lifetime:
        """Check what needs neither keys nor metadata, and return when the token counts.

        Raises:
            NotFromGraph: audience, tenant, time, or a proof of possession, which is not checked here.
        """
        audience, tenant = claims.get("aud"), claims.get("tid")
        # Graph sends one audience; a list would also name others, and the token was not meant for this app alone.
        if not isinstance(audience, str) or audience.casefold() != self.audience.casefold():
            raise NotFromGraph("audience")
        if not isinstance(tenant, str) or tenant.casefold() not in self.tenant_ids:
            raise NotFromGraph("tenant")
        if "cnf" in claims:
            raise NotFromGraph("proof of possession")
        lifetime = Lifetime(_seconds(claims.get("nbf", 0)), _seconds(claims.get("exp")))
        if not lifetime.covers(now):
            raise NotFromGraph("not valid yet" if now < lifetime.not_before else "expired")
        return lifetime

    def kind(self, claims: Mapping[str, object], announced: Callable[[], str | None]) -> TokenKind:
        """Return the kind of a token whose lifetime was checked.

        Args:
            claims: the token's claims.
            announced: returns the issuer in the metadata of Entra ID; only called where it decides.

        Raises:
            NotFromGraph: it is neither.
        """
        issuer, tenant = claims.get("iss"), str(claims["tid"])
        if isinstance(issuer, str):
            if any(_is_issuer(issuer, template, tenant) for template in self.entra_issuers):
                return self._entra(claims)
            if issuer.removesuffix("/") in self.older_issuers:
                return TokenKind.OLDER
            if tenant.casefold() in issuer.casefold().split("/") and self._is_announced(issuer, announced(), tenant):
                return self._entra(claims)
        raise NotFromGraph("issuer")

    def check_signer(
        self, claims: Mapping[str, object], key_issuer: str | None, announced: Callable[[], str | None]
    ) -> None:
        """Check that a key of Entra ID may sign the token.

        Args:
            claims: claims whose kind is Entra's.
            key_issuer: the issuer that the key set names for this key; the personal accounts' keys have another.
            announced: as for ``kind``.

        Raises:
            NotFromGraph: it is the key of another issuer.
        """
        if key_issuer is None:
            return
        tenant = str(claims["tid"])
        if _is_issuer(str(claims["iss"]), key_issuer, tenant):
            return
        issuer = announced()
        if issuer is not None:
            named = key_issuer.replace(TENANT, tenant)
            if named in {issuer, self._for_tenant(issuer, tenant)}:
                return
        raise NotFromGraph("key of another issuer")

    def check_caller(self, claims: Mapping[str, object]) -> None:
        """Check that a token of Entra ID, whose signature was verified, was issued to the calling service.

        Raises:
            NotFromGraph: it was issued to another app.
        """
        caller = claims.get("azp")
        caller = claims.get("appid") if caller is None else caller
        if not isinstance(caller, str) or caller.casefold() not in self.caller_ids:
            is_id = isinstance(caller, str) and _GUID.fullmatch(caller)
            raise NotFromGraph("caller", caller=str(caller) if is_id else None)

    def _entra(self, claims: Mapping[str, object]) -> TokenKind:
        # Entra ID writes ids in lower case, and Microsoft's validator compares the audience with case.
        if claims["aud"] not in {self.audience, self.audience.casefold()}:
            raise NotFromGraph("audience")
        return TokenKind.ENTRA

    def _is_announced(self, issuer: str, announced: str | None, tenant: str) -> bool:
        return announced is not None and _is_issuer(issuer, self._for_tenant(announced, TENANT), tenant)

    def _for_tenant(self, announced: str, tenant: str) -> str:
        """Return the announced issuer, which names the authority's own tenant or ``{tenantid}``, for a tenant."""
        return "/".join(
            tenant if part == TENANT or _GUID.fullmatch(part) or part.casefold() in self.tenant_ids else part
            for part in announced.split("/")
        )


def _is_issuer(issuer: str, template: str, tenant: str) -> bool:
    return issuer in {template.replace(TENANT, tenant), template.replace(TENANT, tenant.casefold())}


def _seconds(value: object) -> int:
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotFromGraph("lifetime")
    return value
