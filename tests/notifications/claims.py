"""Claims of good tokens of both kinds, and what the rules say of any others."""

from __future__ import annotations

from typing import Any

from domain.clouds import CLOUDS
from notifications.token_rules import NotFromGraph, TokenKind, TokenRules

NOW = 1_800_000_000.0
APP = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SECOND = "a1b2c3d4-0000-4000-8000-0000000000aa"
OTHER = "0f0f0f0f-0000-4000-8000-0000000000bb"
SERVICE = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
V2 = "https://login.microsoftonline.com/{}/v2.0"
V1 = "https://sts.windows.net/{}/"
OLDER = "https://api.botframework.com"

GLOBAL = TokenRules(
    audience=APP,
    tenant_ids=frozenset({TENANT, SECOND}),
    older_issuers=frozenset({OLDER, "https://graph.microsoft.com"}),
    entra_issuers=CLOUDS["global"].token_issuers,
    caller_ids=frozenset({SERVICE}),
)


def entra(**claims: Any) -> dict[str, Any]:
    """Return the claims of a good token of Entra ID; None removes one."""
    good = {"iss": V2.format(TENANT), "aud": APP, "tid": TENANT, "exp": NOW + 3600, "nbf": NOW, "azp": SERVICE}
    return {name: value for name, value in {**good, **claims}.items() if value is not None}


def older(**claims: Any) -> dict[str, Any]:
    """Return the claims of a good token of the older kind."""
    return entra(**{"iss": OLDER, "azp": None, **claims})


def judge(
    claims: dict[str, Any],
    *,
    key_issuer: str | None = None,
    announced: str | None = V2.format(TENANT),
    rules: TokenRules = GLOBAL,
) -> str:
    """Return the kind of a token whose signature is good, or why it is refused."""
    try:
        rules.lifetime(claims, NOW)
        kind = rules.kind(claims, lambda: announced)
        if kind is TokenKind.ENTRA:
            rules.check_signer(claims, key_issuer, lambda: announced)
            rules.check_caller(claims)
    except NotFromGraph as error:
        return error.reason
    return kind
