"""What Microsoft's validator (Microsoft.Graph.Communications.Common 1.2.0.18742) accepts and refuses, line by line."""

from __future__ import annotations

from typing import Any

import pytest

from domain.clouds import CLOUDS
from notifications.token_rules import NotFromGraph, TokenKind, TokenRules
from settings import load

_NOW = 1_800_000_000.0
_APP = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_SECOND = "a1b2c3d4-0000-4000-8000-0000000000aa"
_OTHER = "0f0f0f0f-0000-4000-8000-0000000000bb"
_SERVICE = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
_V2 = "https://login.microsoftonline.com/{}/v2.0"
_V1 = "https://sts.windows.net/{}/"
_OLDER = "https://api.botframework.com"

_GLOBAL = TokenRules(
    audience=_APP,
    tenant_ids=frozenset({_TENANT, _SECOND}),
    older_issuers=frozenset({_OLDER, "https://graph.microsoft.com"}),
    entra_issuers=CLOUDS["global"].token_issuers,
    caller_ids=frozenset({_SERVICE}),
)


def _entra(**claims: Any) -> dict[str, Any]:
    """Return the claims of a good token of Entra ID; None removes one."""
    good = {"iss": _V2.format(_TENANT), "aud": _APP, "tid": _TENANT, "exp": _NOW + 3600, "nbf": _NOW, "azp": _SERVICE}
    return {name: value for name, value in {**good, **claims}.items() if value is not None}


def _older(**claims: Any) -> dict[str, Any]:
    """Return the claims of a good token of the older kind."""
    return _entra(**{"iss": _OLDER, "azp": None, **claims})


def _verdict(
    claims: dict[str, Any],
    *,
    key_issuer: str | None = None,
    announced: str | None = _V2.format(_TENANT),
    rules: TokenRules = _GLOBAL,
) -> str:
    """Return the kind of a token whose signature is good, or why it is refused."""
    try:
        rules.lifetime(claims, _NOW)
        kind = rules.kind(claims, lambda: announced)
        if kind is TokenKind.ENTRA:
            rules.check_signer(claims, key_issuer, lambda: announced)
            rules.check_caller(claims)
    except NotFromGraph as error:
        return error.reason
    return kind


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({"iss": _V2.format(_TENANT)}, "entra"),
        ({"iss": _V1.format(_TENANT)}, "entra"),
        ({"tid": _TENANT.upper()}, "entra"),
        ({"tid": _SECOND, "iss": _V2.format(_SECOND)}, "entra"),
        ({"tid": _SECOND, "iss": _V1.format(_SECOND)}, "entra"),
        ({"tid": None}, "tenant"),
        ({"tid": _OTHER, "iss": _V2.format(_OTHER)}, "tenant"),
        ({"iss": _V2.format(_OTHER)}, "issuer"),
        ({"iss": _V1.format(_SECOND)}, "issuer"),
        ({"tid": _SECOND}, "issuer"),
        ({"iss": _V2.format("common")}, "issuer"),
        ({"iss": _V2.format("{tenantid}")}, "issuer"),
        ({"iss": f"https://login.microsoftonline.us/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://login.partner.microsoftonline.cn/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://sts.chinacloudapi.cn/{_TENANT}/"}, "issuer"),
        ({"iss": f"https://login.microsoftonline.com.evil.example/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://login.rnicrosoftonline.com/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://evil.example/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://evil.example/https://login.microsoftonline.com/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"http://login.microsoftonline.com/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"https://login.microsoftonline.com/{_TENANT}/v2.0/"}, "issuer"),
        ({"iss": f"https://sts.windows.net/{_TENANT}"}, "issuer"),
        ({"iss": f"HTTPS://LOGIN.MICROSOFTONLINE.COM/{_TENANT}/v2.0"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": [_V2.format(_TENANT)]}, "issuer"),
    ],
)
def test_entras_issuer_is_bound_to_the_tenant(claims: dict[str, Any], verdict: str) -> None:
    """Version 1 or 2, of this cloud, for the token's own tenant."""
    assert _verdict(_entra(**claims)) == verdict


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({"azp": _SERVICE}, "entra"),
        ({"azp": _SERVICE.upper()}, "entra"),
        ({"azp": None, "appid": _SERVICE}, "entra"),
        ({"azp": None, "appid": _SERVICE.upper()}, "entra"),
        ({"azp": _SERVICE, "appid": _OTHER}, "entra"),
        ({"azp": _OTHER, "appid": _SERVICE}, "caller"),
        ({"azp": "", "appid": _SERVICE}, "caller"),
        ({"azp": [_SERVICE], "appid": _SERVICE}, "caller"),
        ({"azp": None}, "caller"),
        ({"azp": _OTHER}, "caller"),
        ({"azp": _APP}, "caller"),
        ({"azp": None, "appid": _APP}, "caller"),
        ({"azp": _SERVICE + " "}, "caller"),
    ],
)
def test_the_caller_is_the_calling_service(claims: dict[str, Any], verdict: str) -> None:
    """Any app of a tenant can get a token for this app's id, this app itself too."""
    assert _verdict(_entra(**claims)) == verdict


@pytest.mark.parametrize(
    ("caller", "named"), [(_OTHER, _OTHER), (_APP, _APP), (None, None), ("not an id", None), ("x" * 500, None)]
)
def test_a_refused_caller_is_named_by_its_id(caller: str | None, named: str | None) -> None:
    """Anything else is no id, and does not go into the log."""
    with pytest.raises(NotFromGraph) as caught:
        _GLOBAL.check_caller(_entra(azp=caller))
    assert caught.value.caller == named


@pytest.mark.parametrize(
    ("make", "audience", "verdict"),
    [
        (_entra, _APP, "entra"),
        (_entra, _APP.upper(), "audience"),
        (_entra, f"api://{_APP}", "audience"),
        (_entra, [_APP], "audience"),
        (_entra, None, "audience"),
        (_older, _APP, "older"),
        (_older, _APP.upper(), "older"),
        (_older, f"api://{_APP}", "audience"),
        (_older, _OTHER, "audience"),
    ],
)
def test_the_audience_is_this_app(make: Any, audience: object, verdict: str) -> None:
    """Case counts with Entra ID, as Microsoft's validator has it; with the older kind it never did here."""
    assert _verdict(make(aud=audience)) == verdict


def test_a_client_id_in_capitals_is_no_other_app() -> None:
    """Entra ID writes the audience in small letters, however the setting is written."""
    rules = TokenRules(
        audience=_APP.upper(),
        tenant_ids=_GLOBAL.tenant_ids,
        older_issuers=_GLOBAL.older_issuers,
        entra_issuers=_GLOBAL.entra_issuers,
        caller_ids=_GLOBAL.caller_ids,
    )
    assert _verdict(_entra(), rules=rules) == "entra"


@pytest.mark.parametrize("make", [_entra, _older])
@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({}, None),
        ({"nbf": None}, None),
        ({"exp": _NOW - 299}, None),
        ({"exp": _NOW - 300}, "expired"),
        ({"nbf": _NOW + 300}, None),
        ({"nbf": _NOW + 301}, "not valid yet"),
        ({"exp": _NOW + 0.5, "nbf": _NOW - 0.5}, None),
        ({"exp": None}, "lifetime"),
        ({"exp": "1900000000"}, "lifetime"),
        ({"exp": True}, "lifetime"),
        ({"exp": float("inf")}, "lifetime"),
        ({"exp": float("nan")}, "lifetime"),
        ({"exp": [_NOW + 60]}, "lifetime"),
        ({"exp": 10**400}, None),
        ({"nbf": "0"}, "lifetime"),
        ({"nbf": -(10**400)}, None),
    ],
)
def test_the_lifetime_has_a_leeway_of_five_minutes(make: Any, claims: dict[str, Any], verdict: str | None) -> None:
    """To the second, on both sides; a token without an end is none."""
    kind = "entra" if make is _entra else "older"
    assert _verdict(make(**claims)) == (verdict or kind)


@pytest.mark.parametrize("make", [_entra, _older])
@pytest.mark.parametrize("proof", [{"kid": "k"}, {}, 0, "", False])
def test_a_proof_of_possession_is_refused(make: Any, proof: object) -> None:
    """Such a token counts only together with a proof, which nobody here checks."""
    assert _verdict(make(cnf=proof)) == "proof of possession"


@pytest.mark.parametrize("null", [_entra(), _older()])
def test_a_proof_that_is_null_is_refused_too(null: dict[str, Any]) -> None:
    """The claim itself is what counts."""
    assert _verdict({**null, "cnf": None}) == "proof of possession"


@pytest.mark.parametrize(
    ("key_issuer", "verdict"),
    [
        (None, "entra"),
        (_V2.format("{tenantid}"), "entra"),
        (_V2.format(_TENANT), "entra"),
        (_V2.format(_CONSUMERS), "key of another issuer"),
        (_V2.format(_OTHER), "key of another issuer"),
        ("https://evil.example/{tenantid}/v2.0", "key of another issuer"),
        ("", "key of another issuer"),
    ],
)
@pytest.mark.parametrize("version", [_V1, _V2])
@pytest.mark.parametrize("tenant", [_TENANT, _SECOND])
def test_a_key_signs_for_its_own_issuer(tenant: str, version: str, key_issuer: str | None, verdict: str) -> None:
    """The personal accounts' keys are in the same set; a key's issuer is of version 2, also for tokens of version 1."""
    claims = _entra(tid=tenant, iss=version.format(tenant))
    assert _verdict(claims, key_issuer=key_issuer) == verdict


def test_a_key_of_the_tokens_issuer_needs_no_metadata() -> None:
    """Version 1, where the key set names it so."""
    claims = _entra(iss=_V1.format(_TENANT))
    assert _verdict(claims, key_issuer=_V1.format("{tenantid}"), announced=None) == "entra"
    assert _verdict(claims, key_issuer=_V2.format("{tenantid}"), announced=None) == "key of another issuer"


_ANNOUNCED = "https://localhost:8443/{}/v2.0"


@pytest.mark.parametrize("announced", [_ANNOUNCED.format(_TENANT), _ANNOUNCED.format("{tenantid}")])
@pytest.mark.parametrize(
    ("tenant", "issuer", "verdict"),
    [
        (_TENANT, _ANNOUNCED.format(_TENANT), "entra"),
        (_SECOND, _ANNOUNCED.format(_SECOND), "entra"),
        (_TENANT.upper(), _ANNOUNCED.format(_TENANT), "entra"),
        (_TENANT, _ANNOUNCED.format(_SECOND), "issuer"),
        (_SECOND, _ANNOUNCED.format(_TENANT), "issuer"),
        (_TENANT, _ANNOUNCED.format("{tenantid}"), "issuer"),
        (_TENANT, f"https://localhost:8444/{_TENANT}/v2.0", "issuer"),
    ],
)
def test_the_announced_issuer_counts(announced: str, tenant: str, issuer: str, verdict: str) -> None:
    """With the token's own tenant in it, whether the metadata names a tenant or a placeholder."""
    assert _verdict(_entra(tid=tenant, iss=issuer), announced=announced) == verdict


@pytest.mark.parametrize("announced", [None, "", "https://localhost:8443/adfs", _ANNOUNCED])
def test_an_announced_issuer_without_a_tenant_counts_for_nobody(announced: str | None) -> None:
    """It would bind no token to a tenant."""
    for issuer in (_ANNOUNCED.format(_TENANT), "https://localhost:8443/adfs", announced):
        assert _verdict(_entra(iss=issuer), announced=announced) == "issuer"


def test_metadata_is_read_only_where_it_decides() -> None:
    """Neither for known issuers nor for those that can't be announced."""

    def announced() -> str | None:
        pytest.fail("asked for the metadata")

    assert _GLOBAL.kind(_entra(), announced) == "entra"
    assert _GLOBAL.kind(_older(), announced) == "older"
    for issuer in ("https://evil.example", _V2.format("common"), f"https://evil.example/{_OTHER}/", f"x{_TENANT}", 5):
        with pytest.raises(NotFromGraph):
            _GLOBAL.kind(_entra(iss=issuer), announced)


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({}, "older"),
        ({"iss": _OLDER + "/"}, "older"),
        ({"iss": "https://graph.microsoft.com"}, "older"),
        ({"iss": "https://graph.microsoft.com/"}, "older"),
        ({"azp": _OTHER, "appid": _OTHER}, "older"),
        ({"tid": _SECOND}, "older"),
        ({"tid": None}, "tenant"),
        ({"tid": _OTHER}, "tenant"),
        ({"iss": _OLDER + "//"}, "issuer"),
        ({"iss": _OLDER.upper()}, "issuer"),
        ({"iss": _OLDER + ".evil.example"}, "issuer"),
    ],
)
def test_the_older_kind_is_as_it_was(claims: dict[str, Any], verdict: str) -> None:
    """It needs no caller; the slash and the second issuer are documented, though Microsoft's validator refuses them."""
    assert _verdict(_older(**claims)) == verdict


def test_entras_issuer_stays_entras() -> None:
    """Where CALLBACK_ISSUERS names it too, the caller counts all the same."""
    rules = TokenRules(
        audience=_APP,
        tenant_ids=_GLOBAL.tenant_ids,
        older_issuers=frozenset({_V2.format(_TENANT)}),
        entra_issuers=_GLOBAL.entra_issuers,
        caller_ids=_GLOBAL.caller_ids,
    )
    assert _verdict(_entra(azp=_OTHER), rules=rules) == "caller"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_issuers(cloud: str) -> None:
    """An issuer of another cloud is refused, whatever its token says."""
    rules = TokenRules(
        audience=_APP,
        tenant_ids=frozenset({_TENANT}),
        older_issuers=_GLOBAL.older_issuers,
        entra_issuers=CLOUDS[cloud].token_issuers,
        caller_ids=_GLOBAL.caller_ids,
    )
    issuers = {one.format(tenantid=_TENANT) for every in CLOUDS.values() for one in every.token_issuers}
    own = {one.format(tenantid=_TENANT) for one in CLOUDS[cloud].token_issuers}
    assert f"{CLOUDS[cloud].authority_host}/{_TENANT}/v2.0" in own
    for issuer in issuers:
        verdict = _verdict(_entra(iss=issuer), announced=f"{CLOUDS[cloud].authority_host}/{_TENANT}/v2.0", rules=rules)
        assert verdict == ("entra" if issuer in own else "issuer")


_ENVIRONMENT = {
    "GRAPH_TENANT_ID": _TENANT,
    "GRAPH_CLIENT_ID": _APP,
    "GRAPH_CLIENT_SECRET": "secret",
    "PUBLIC_BASE_URL": "https://app.example",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


@pytest.mark.parametrize(
    ("value", "ids"),
    [(None, {_SERVICE}), (" ", {_SERVICE}), (f"{_OTHER.upper()} , {_SERVICE}", {_OTHER, _SERVICE})],
)
def test_the_callers_come_from_the_settings(value: str | None, ids: set[str]) -> None:
    """By default Microsoft's calling service alone."""
    environment = _ENVIRONMENT if value is None else {**_ENVIRONMENT, "CALLBACK_CALLER_IDS": value}
    assert load(environment).callback_caller_ids == ids
