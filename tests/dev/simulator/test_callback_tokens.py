from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests

from dev.simulator import Simulator
from dev.simulator.callback_tokens import CALLING_SERVICE
from dev.simulator.keys import CONSUMERS_ISSUER
from tests.dev.simulator.caller import ALICE, Caller

if TYPE_CHECKING:
    from tests.dev.simulator.inbox import Inbox


def _get(graph: Simulator, url: str) -> requests.Response:
    return requests.get(url, verify=graph.ca_file, timeout=5)


def _kids(graph: Simulator) -> list[str]:
    keys: list[dict[str, Any]] = _get(graph, f"{graph.base_url}/v1/keys").json()["keys"]
    return [key["kid"] for key in keys]


def test_the_metadata_is_that_of_the_calling_service(graph: Simulator) -> None:
    """Issuer, key URL and the odd algorithm name are published, and every read is counted."""
    configuration = _get(graph, graph.openid_configuration).json()
    assert configuration["issuer"] == "https://api.botframework.com"
    assert configuration["id_token_signing_alg_values_supported"] == ["RSA256"]
    assert _get(graph, configuration["jwks_uri"]).json()["keys"][0]["kty"] == "RSA"
    assert [entry.route for entry in graph.log.key_fetches] == ["configuration", "keys"]


def test_callbacks_are_signed_for_the_app_and_the_tenant(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str
) -> None:
    """Every callback's token is signed with a published key and names app, tenant and issuer."""
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    assert len(inbox.received) == 2
    for received in inbox.received:
        assert received.claims is not None
        assert received.claims["iss"] == "https://api.botframework.com"
        assert received.claims["tid"] == graph.tenant_id
        assert received.claims["exp"] - received.claims["nbf"] == 3900


def test_a_rotated_key_signs_from_then_on(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """After a rotation callbacks carry the new kid, which a receiver finds by reading the keys again."""
    before = graph.keys.current.kid
    kid = graph.rotate_keys()
    assert _kids(graph)[-2:] == [before, kid]
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    header = jwt.get_unverified_header(inbox.received[0].headers["Authorization"].removeprefix("Bearer "))
    assert header["kid"] == kid
    assert inbox.received[0].claims is not None


def test_old_keys_can_be_dropped(graph: Simulator) -> None:
    """A rotation without overlap publishes the new key alone."""
    kid = graph.rotate_keys(keep_old=False)
    assert _kids(graph) == [kid]


def test_the_metadata_can_fail(graph: Simulator) -> None:
    """Both documents return an error while it is set, and work right after it."""
    graph.keys.failing = 503
    assert _get(graph, graph.openid_configuration).status_code == 503
    assert _get(graph, f"{graph.base_url}/v1/keys").status_code == 503
    graph.keys.failing = None
    assert _get(graph, f"{graph.base_url}/v1/keys").status_code == 200
    assert [entry.status for entry in graph.log.key_fetches] == [503, 503, 200]


def test_any_body_can_be_posted_with_a_good_token(graph: Simulator, inbox: Inbox, call_id: str) -> None:
    """A test's own items arrive in the usual envelope, well signed, and the app's status is returned."""
    inbox.statuses = [418]
    assert graph.post_notification(call_id, [{"changeType": "updated"}]) == 418
    assert inbox.received[0].body["value"] == [{"changeType": "updated"}]
    assert inbox.received[0].claims is not None
    assert [(entry.about, entry.status) for entry in graph.log.callbacks] == [("custom", 418)]


def test_a_notification_can_come_without_a_token(graph: Simulator, inbox: Inbox, call_id: str) -> None:
    """An empty token leaves the header out."""
    graph.post_notification(call_id, [], token="")
    assert "Authorization" not in inbox.received[0].headers


@pytest.mark.parametrize("forgery", [{"algorithm": "none"}, {"algorithm": "HS256"}, {"unknown_key": True}])
def test_forged_tokens_do_not_pass_verification(
    graph: Simulator, inbox: Inbox, call_id: str, forgery: dict[str, Any]
) -> None:
    """Unsigned, HMAC-signed and foreign-key tokens have a published kid and still fail."""
    token = graph.token(**forgery)
    assert jwt.get_unverified_header(token)["kid"] == graph.keys.current.kid
    graph.post_notification(call_id, [], token=token)
    assert inbox.received[0].claims is None


def test_a_token_can_have_any_claims(graph: Simulator) -> None:
    """Claims can be replaced, added and left out, and headers set."""
    token = graph.token(tid=None, aud="else", headers={"cty": "JWT"})
    claims = jwt.decode(token, options={"verify_signature": False})
    assert "tid" not in claims
    assert claims["aud"] == "else"
    assert jwt.get_unverified_header(token)["cty"] == "JWT"


def _entra(graph: Simulator, path: str) -> Any:
    return _get(graph, f"{graph.base_url}{path}/v2.0/.well-known/openid-configuration").json()


@pytest.mark.parametrize("tenant", ["", "/common", "/organizations"])
def test_entras_metadata_for_all_tenants_has_a_placeholder(graph: Simulator, tenant: str) -> None:
    """Without a tenant, the issuer and the keys' issuers name ``{tenantid}``."""
    metadata = _entra(graph, tenant)
    assert metadata["issuer"] == f"{graph.base_url}/{{tenantid}}/v2.0"
    keys = _get(graph, metadata["jwks_uri"]).json()["keys"]
    assert [key.get("issuer") for key in keys] == [metadata["issuer"], CONSUMERS_ISSUER, None]


def test_entras_metadata_of_the_tenant_names_it(graph: Simulator) -> None:
    """Issuers name the tenant; a key of another issuer and one that names none are among the keys."""
    metadata = _entra(graph, f"/{graph.tenant_id}")
    assert metadata["issuer"] == f"{graph.base_url}/{graph.tenant_id}/v2.0"
    keys = _get(graph, metadata["jwks_uri"]).json()["keys"]
    assert [key.get("issuer") for key in keys] == [metadata["issuer"], CONSUMERS_ISSUER, None]
    assert [entry.route for entry in graph.log.key_fetches] == ["signingKeys"]
    assert _get(graph, f"{graph.base_url}/other/discovery/v2.0/keys").status_code == 400


@pytest.mark.parametrize("level", ["call", "simulator", "fault"])
def test_callbacks_can_be_signed_by_entra(inbox: Inbox, graph: Simulator, caller: Caller, level: str) -> None:
    """The kind can be chosen for the simulator, a call or one invite; the caller is the calling service."""
    if level == "simulator":
        with Simulator(callback_tokens="entra") as other:
            inbox.empty(other)
            other.create_call(inbox.url)
            assert other.wait_idle()
    else:
        options = {"callback_tokens": "entra"}
        call_id = graph.create_call(inbox.url, announce=False, **(options if level == "call" else {}))
        if level == "fault":
            graph.fault(**options)
        caller.invite(call_id, ALICE)
        assert graph.wait_idle()
        assert graph.post_notification(call_id, []) == 202
    claims = inbox.received[0].claims
    assert claims is not None
    assert claims["iss"] == f"https://sts.windows.net/{graph.tenant_id}/"
    assert (claims["appid"], claims["appidacr"], claims["ver"]) == (CALLING_SERVICE, "2", "1.0")
    last = inbox.received[-1].claims
    assert last is not None
    assert ("appid" in last) is (level != "fault")


def _minted(graph: Simulator, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    token = graph.token(**options)
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def test_entras_tokens_have_two_versions(graph: Simulator) -> None:
    """Version 2 names the caller in ``azp``, and its issuer is the published one."""
    _, claims = _minted(graph, kind="entra", version=2)
    assert (claims["azp"], claims["iss"]) == (CALLING_SERVICE, f"{graph.base_url}/{graph.tenant_id}/v2.0")
    assert "appid" not in claims


def test_every_part_of_a_token_can_be_changed(graph: Simulator) -> None:
    """Claims, header, algorithm and signing key, for either kind."""
    header, claims = _minted(graph, kind="entra", azp="x", appid=None, cnf={"jwk": {}}, headers={"typ": "at+jwt"})
    assert claims["azp"] == "x"
    assert "appid" not in claims
    assert claims["cnf"] == {"jwk": {}}
    assert header["typ"] == "at+jwt"
    keys = graph.entra.keys
    for key, kid in {
        "own": keys.current.kid,
        "other": keys.key("other").kid,
        "none": keys.key("none").kid,
        "otherKind": graph.keys.current.kid,
    }.items():
        assert _minted(graph, kind="entra", key=key)[0]["kid"] == kid
    assert _minted(graph, key="otherKind")[0]["kid"] == keys.current.kid
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "HS256", "none"):
        assert _minted(graph, kind="entra", algorithm=algorithm)[0]["alg"] == algorithm


def test_one_key_id_can_be_in_both_sets(graph: Simulator) -> None:
    """Rotation can take over an id; each kind has keys of its own all the same."""
    kid = graph.rotate_keys(kind="entra", kid=graph.keys.current.kid)
    assert graph.keys.current.kid == kid == graph.entra.keys.current.kid
    assert graph.keys.current.jwk()["n"] != graph.entra.keys.current.jwk()["n"]


def test_the_keys_of_one_kind_can_fail(graph: Simulator) -> None:
    """Entra's keys can fail while the others are published, and MSAL's metadata is still there."""
    graph.fail_keys(503, kind="entra")
    metadata = _entra(graph, f"/{graph.tenant_id}")
    assert _get(graph, metadata["jwks_uri"]).status_code == 503
    assert _get(graph, f"{graph.base_url}/v1/keys").status_code == 200


def test_access_tokens_survive_a_rotation_of_entras_keys(graph: Simulator, caller: Caller, call_id: str) -> None:
    """A token that was signed with the key before is still accepted."""
    graph.rotate_keys(kind="entra")
    assert caller.invite(call_id, ALICE).status_code == 200
