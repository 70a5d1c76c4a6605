"""What Microsoft's validator (Microsoft.Graph.Communications.Common 1.2.0.18742) accepts and refuses, line by line."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.token_rules import NotFromGraph, TokenRules
from settings import load
from tests.notifications.claims import (
    APP,
    GLOBAL,
    NOW,
    OLDER,
    OTHER,
    SECOND,
    SERVICE,
    TENANT,
    V1,
    V2,
    entra,
    judge,
    older,
)


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({"iss": V2.format(TENANT)}, "entra"),
        ({"iss": V1.format(TENANT)}, "entra"),
        ({"tid": TENANT.upper()}, "entra"),
        ({"tid": SECOND, "iss": V2.format(SECOND)}, "entra"),
        ({"tid": SECOND, "iss": V1.format(SECOND)}, "entra"),
        ({"tid": None}, "tenant"),
        ({"tid": OTHER, "iss": V2.format(OTHER)}, "tenant"),
        ({"iss": V2.format(OTHER)}, "issuer"),
        ({"iss": V1.format(SECOND)}, "issuer"),
        ({"tid": SECOND}, "issuer"),
        ({"iss": V2.format("common")}, "issuer"),
        ({"iss": V2.format("{tenantid}")}, "issuer"),
        ({"iss": f"https://login.microsoftonline.us/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://login.partner.microsoftonline.cn/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://sts.chinacloudapi.cn/{TENANT}/"}, "issuer"),
        ({"iss": f"https://login.microsoftonline.com.evil.example/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://login.rnicrosoftonline.com/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://evil.example/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://evil.example/https://login.microsoftonline.com/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"http://login.microsoftonline.com/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/"}, "issuer"),
        ({"iss": f"https://sts.windows.net/{TENANT}"}, "issuer"),
        ({"iss": f"HTTPS://LOGIN.MICROSOFTONLINE.COM/{TENANT}/v2.0"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": [V2.format(TENANT)]}, "issuer"),
    ],
)
def test_entras_issuer_is_bound_to_the_tenant(claims: dict[str, Any], verdict: str) -> None:
    """Version 1 or 2, of this cloud, for the token's own tenant."""
    assert judge(entra(**claims)) == verdict


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({"azp": SERVICE}, "entra"),
        ({"azp": SERVICE.upper()}, "entra"),
        ({"azp": None, "appid": SERVICE}, "entra"),
        ({"azp": None, "appid": SERVICE.upper()}, "entra"),
        ({"azp": SERVICE, "appid": OTHER}, "entra"),
        ({"azp": OTHER, "appid": SERVICE}, "caller"),
        ({"azp": "", "appid": SERVICE}, "caller"),
        ({"azp": [SERVICE], "appid": SERVICE}, "caller"),
        ({"azp": None}, "caller"),
        ({"azp": OTHER}, "caller"),
        ({"azp": APP}, "caller"),
        ({"azp": None, "appid": APP}, "caller"),
        ({"azp": SERVICE + " "}, "caller"),
    ],
)
def test_the_caller_is_the_calling_service(claims: dict[str, Any], verdict: str) -> None:
    """Any app of a tenant can get a token for this app's id, this app itself too."""
    assert judge(entra(**claims)) == verdict


@pytest.mark.parametrize(
    ("caller", "named"), [(OTHER, OTHER), (APP, APP), (None, None), ("not an id", None), ("x" * 500, None)]
)
def test_a_refused_caller_is_named_by_its_id(caller: str | None, named: str | None) -> None:
    """Anything else is no id, and does not go into the log."""
    with pytest.raises(NotFromGraph) as caught:
        GLOBAL.check_caller(entra(azp=caller))
    assert caught.value.caller == named


@pytest.mark.parametrize(
    ("make", "audience", "verdict"),
    [
        (entra, APP, "entra"),
        (entra, APP.upper(), "audience"),
        (entra, f"api://{APP}", "audience"),
        (entra, [APP], "audience"),
        (entra, None, "audience"),
        (older, APP, "older"),
        (older, APP.upper(), "older"),
        (older, f"api://{APP}", "audience"),
        (older, OTHER, "audience"),
    ],
)
def test_the_audience_is_this_app(make: Any, audience: object, verdict: str) -> None:
    """Case counts with Entra ID, as Microsoft's validator has it; with the older kind it never did here."""
    assert judge(make(aud=audience)) == verdict


def test_a_client_id_in_capitals_is_no_other_app() -> None:
    """Entra ID writes the audience in lower case, however the setting is written."""
    rules = TokenRules(
        audience=APP.upper(),
        tenant_ids=GLOBAL.tenant_ids,
        older_issuers=GLOBAL.older_issuers,
        entra_issuers=GLOBAL.entra_issuers,
        caller_ids=GLOBAL.caller_ids,
    )
    assert judge(entra(), rules=rules) == "entra"


@pytest.mark.parametrize("make", [entra, older])
@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({}, None),
        ({"nbf": None}, None),
        ({"exp": NOW - 299}, None),
        ({"exp": NOW - 300}, "expired"),
        ({"nbf": NOW + 300}, None),
        ({"nbf": NOW + 301}, "not valid yet"),
        ({"exp": NOW + 0.5, "nbf": NOW - 0.5}, None),
        ({"exp": None}, "lifetime"),
        ({"exp": "1900000000"}, "lifetime"),
        ({"exp": True}, "lifetime"),
        ({"exp": float("inf")}, "lifetime"),
        ({"exp": float("nan")}, "lifetime"),
        ({"exp": [NOW + 60]}, "lifetime"),
        ({"exp": 10**400}, None),
        ({"nbf": "0"}, "lifetime"),
        ({"nbf": -(10**400)}, None),
    ],
)
def test_the_lifetime_has_a_leeway_of_five_minutes(make: Any, claims: dict[str, Any], verdict: str | None) -> None:
    """To the second, on both sides; a token without an end is none."""
    kind = "entra" if make is entra else "older"
    assert judge(make(**claims)) == (verdict or kind)


@pytest.mark.parametrize("make", [entra, older])
@pytest.mark.parametrize("proof", [{"kid": "k"}, {}, 0, "", False])
def test_a_proof_of_possession_is_refused(make: Any, proof: object) -> None:
    """Such a token counts only together with a proof, which is not checked here."""
    assert judge(make(cnf=proof)) == "proof of possession"


@pytest.mark.parametrize("null", [entra(), older()])
def test_a_proof_that_is_null_is_refused_too(null: dict[str, Any]) -> None:
    """The claim itself is what counts."""
    assert judge({**null, "cnf": None}) == "proof of possession"


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({}, "older"),
        ({"iss": OLDER + "/"}, "older"),
        ({"iss": "https://graph.microsoft.com"}, "older"),
        ({"iss": "https://graph.microsoft.com/"}, "older"),
        ({"azp": OTHER, "appid": OTHER}, "older"),
        ({"tid": SECOND}, "older"),
        ({"tid": None}, "tenant"),
        ({"tid": OTHER}, "tenant"),
        ({"iss": OLDER + "//"}, "issuer"),
        ({"iss": OLDER.upper()}, "issuer"),
        ({"iss": OLDER + ".evil.example"}, "issuer"),
    ],
)
def test_the_older_kind_is_as_it_was(claims: dict[str, Any], verdict: str) -> None:
    """It needs no caller; the slash and the second issuer are documented, though Microsoft's validator refuses them."""
    assert judge(older(**claims)) == verdict


_ENVIRONMENT = {
    "GRAPH_TENANT_ID": TENANT,
    "GRAPH_CLIENT_ID": APP,
    "GRAPH_CLIENT_SECRET": "secret",
    "PUBLIC_BASE_URL": "https://app.example",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


@pytest.mark.parametrize(
    ("value", "ids"),
    [(None, {SERVICE}), (" ", {SERVICE}), (f"{OTHER.upper()} , {SERVICE}", {OTHER, SERVICE})],
)
def test_the_callers_come_from_the_settings(value: str | None, ids: set[str]) -> None:
    """By default Microsoft's calling service alone."""
    environment = _ENVIRONMENT if value is None else {**_ENVIRONMENT, "CALLBACK_CALLER_IDS": value}
    assert load(environment).callback_caller_ids == ids
