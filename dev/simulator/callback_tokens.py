"""The two kinds of tokens that Graph's callbacks carry: the calling service's own, and Entra's.

https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications describes the older kind.
The kind that Entra signs was announced with the preview of the calling API.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Literal

from dev.simulator.keys import Algorithm, Issuer, KeySet, SigningKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.simulator.entra import Entra

Kind = Literal["older", "entra"]
OLDER_ISSUER = "https://api.botframework.com"
CALLING_SERVICE = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
"""The app id of "Skype Teams Calling API Service", the caller in Entra's tokens."""
# The lifetime in the documented sample token of the older kind.
_SECONDS = {"older": 3900, "entra": 3600}
_REUSED_FOR_SECONDS = 60


class CallbackTokens:
    """Mints callback tokens: good ones, and invalid ones for tests."""

    def __init__(self, entra: Entra) -> None:
        self.older = KeySet()
        self._entra = entra
        self._reused: dict[tuple[str, ...], tuple[float, str]] = {}

    def keys(self, kind: Kind) -> KeySet:
        """Return the keys that prove tokens of ``kind``."""
        return self.older if kind == "older" else self._entra.keys

    def good(self, kind: Kind, client_id: str, tenant_id: str) -> str:
        """Return a good token, reused for up to a minute."""
        key = self.keys(kind).current
        name, now = (kind, client_id, tenant_id, key.kid), time.time()
        minted_at, token = self._reused.get(name, (0.0, ""))
        if now - minted_at > _REUSED_FOR_SECONDS:
            minted_at, token = now, key.sign(self._claims(kind, 1, client_id, tenant_id))
            self._reused[name] = (minted_at, token)
        return token

    def mint(
        self,
        kind: Kind,
        version: Literal[1, 2],
        claims: Mapping[str, object],
        *,
        headers: Mapping[str, object] | None,
        algorithm: Algorithm,
        key: Issuer | Literal["unknown", "otherKind"],
    ) -> str:
        """Return a token with ``claims`` over those of a good one, signed as asked; a None leaves a claim out."""
        other: Kind = "older" if kind == "entra" else "entra"
        if key == "otherKind":
            signing = self.keys(other).current
        elif key == "unknown":
            signing = SigningKey.new(self.keys(kind).current.kid)
        else:
            signing = self.keys(kind).key(key)
        merged = {**self._claims(kind, version, self._entra.client_id, self._entra.tenant_id), **claims}
        kept = {name: value for name, value in merged.items() if value is not None}
        return signing.sign(kept, headers, algorithm)

    def _claims(self, kind: Kind, version: int, client_id: str, tenant_id: str) -> dict[str, object]:
        now = int(time.time())
        claims = {"aud": client_id, "tid": tenant_id, "iat": now, "nbf": now, "exp": now + _SECONDS[kind]}
        if kind == "older":
            return {**claims, "iss": OLDER_ISSUER}
        claims |= {"idtyp": "app", "oid": str(uuid.uuid4()), "uti": uuid.uuid4().hex}
        if version == 1:
            issuer = f"https://sts.windows.net/{tenant_id}/"
            return {**claims, "iss": issuer, "appid": CALLING_SERVICE, "appidacr": "2", "ver": "1.0"}
        issuer = self._entra.issuer(tenant_id)
        return {**claims, "iss": issuer, "azp": CALLING_SERVICE, "azpacr": "2", "ver": "2.0"}
