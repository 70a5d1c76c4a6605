"""Whose keys and whose metadata count for a token of Entra ID."""

from __future__ import annotations

import pytest

from domain.clouds import CLOUDS
from notifications.token_rules import NotFromGraph, TokenRules
from tests.notifications.claims import (
    APP,
    CONSUMERS,
    GLOBAL,
    OTHER,
    SECOND,
    TENANT,
    V1,
    V2,
    entra,
    judge,
    older,
)


@pytest.mark.parametrize(
    ("key_issuer", "verdict"),
    [
        (None, "entra"),
        (V2.format("{tenantid}"), "entra"),
        (V2.format(TENANT), "entra"),
        (V2.format(CONSUMERS), "key of another issuer"),
        (V2.format(OTHER), "key of another issuer"),
        ("https://evil.example/{tenantid}/v2.0", "key of another issuer"),
        ("", "key of another issuer"),
    ],
)
@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("tenant", [TENANT, SECOND])
def test_a_key_signs_for_its_own_issuer(tenant: str, version: str, key_issuer: str | None, verdict: str) -> None:
    """The personal accounts' keys are in the same set; a key's issuer is of version 2, also for tokens of version 1."""
    claims = entra(tid=tenant, iss=version.format(tenant))
    assert judge(claims, key_issuer=key_issuer) == verdict


def test_a_key_of_the_tokens_issuer_needs_no_metadata() -> None:
    """Version 1, where the key set names it so."""
    claims = entra(iss=V1.format(TENANT))
    assert judge(claims, key_issuer=V1.format("{tenantid}"), announced=None) == "entra"
    assert judge(claims, key_issuer=V2.format("{tenantid}"), announced=None) == "key of another issuer"


_ANNOUNCED = "https://localhost:8443/{}/v2.0"


@pytest.mark.parametrize("announced", [_ANNOUNCED.format(TENANT), _ANNOUNCED.format("{tenantid}")])
@pytest.mark.parametrize(
    ("tenant", "issuer", "verdict"),
    [
        (TENANT, _ANNOUNCED.format(TENANT), "entra"),
        (SECOND, _ANNOUNCED.format(SECOND), "entra"),
        (TENANT.upper(), _ANNOUNCED.format(TENANT), "entra"),
        (TENANT, _ANNOUNCED.format(SECOND), "issuer"),
        (SECOND, _ANNOUNCED.format(TENANT), "issuer"),
        (TENANT, _ANNOUNCED.format("{tenantid}"), "issuer"),
        (TENANT, f"https://localhost:8444/{TENANT}/v2.0", "issuer"),
    ],
)
def test_the_announced_issuer_counts(announced: str, tenant: str, issuer: str, verdict: str) -> None:
    """With the token's own tenant in it, whether the metadata names a tenant or a placeholder."""
    assert judge(entra(tid=tenant, iss=issuer), announced=announced) == verdict


@pytest.mark.parametrize("announced", [None, "", "https://localhost:8443/adfs", _ANNOUNCED])
def test_an_announced_issuer_without_a_tenant_counts_for_nobody(announced: str | None) -> None:
    """It would bind no token to a tenant."""
    for issuer in (_ANNOUNCED.format(TENANT), "https://localhost:8443/adfs", announced):
        assert judge(entra(iss=issuer), announced=announced) == "issuer"


def test_metadata_is_read_only_where_it_decides() -> None:
    """Neither for known issuers nor for those that can't be announced."""

    def announced() -> str | None:
        pytest.fail("asked for the metadata")

    assert GLOBAL.kind(entra(), announced) == "entra"
    assert GLOBAL.kind(older(), announced) == "older"
    for issuer in ("https://evil.example", V2.format("common"), f"https://evil.example/{OTHER}/", f"x{TENANT}", 5):
        with pytest.raises(NotFromGraph):
            GLOBAL.kind(entra(iss=issuer), announced)


def test_entras_issuer_stays_entras() -> None:
    """Where CALLBACK_ISSUERS names it too, the caller counts all the same."""
    rules = TokenRules(
        audience=APP,
        tenant_ids=GLOBAL.tenant_ids,
        older_issuers=frozenset({V2.format(TENANT)}),
        entra_issuers=GLOBAL.entra_issuers,
        caller_ids=GLOBAL.caller_ids,
    )
    assert judge(entra(azp=OTHER), rules=rules) == "caller"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_issuers(cloud: str) -> None:
    """An issuer of another cloud is refused, whatever its token says."""
    rules = TokenRules(
        audience=APP,
        tenant_ids=frozenset({TENANT}),
        older_issuers=GLOBAL.older_issuers,
        entra_issuers=CLOUDS[cloud].token_issuers,
        caller_ids=GLOBAL.caller_ids,
    )
    issuers = {one.format(tenantid=TENANT) for every in CLOUDS.values() for one in every.token_issuers}
    own = {one.format(tenantid=TENANT) for one in CLOUDS[cloud].token_issuers}
    assert f"{CLOUDS[cloud].authority_host}/{TENANT}/v2.0" in own
    for issuer in issuers:
        found = judge(entra(iss=issuer), announced=f"{CLOUDS[cloud].authority_host}/{TENANT}/v2.0", rules=rules)
        assert found == ("entra" if issuer in own else "issuer")
