from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests

from tests.dev.simulator.caller import ALICE, Caller

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox


def _get(graph: Simulator, url: str) -> requests.Response:
    return requests.get(url, verify=graph.ca_file, timeout=5)


def _kids(graph: Simulator) -> list[str]:
    keys: list[dict[str, Any]] = _get(graph, f"{graph.base_url}/v1/keys").json()["keys"]
    return [key["kid"] for key in keys]


def test_the_announcement_is_that_of_the_calling_service(graph: Simulator) -> None:
    """Issuer, key address and the odd algorithm name are announced, and every read is counted."""
    configuration = _get(graph, graph.openid_configuration).json()
    assert configuration["issuer"] == "https://api.botframework.com"
    assert configuration["id_token_signing_alg_values_supported"] == ["RSA256"]
    assert _get(graph, configuration["jwks_uri"]).json()["keys"][0]["kty"] == "RSA"
    assert [entry.route for entry in graph.log.key_fetches] == ["configuration", "keys"]


def test_callbacks_are_signed_for_the_app_and_the_tenant(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str
) -> None:
    """Every callback's token is good by the announced keys and names app, tenant and issuer."""
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
    """A rotation without overlap announces the new key alone."""
    kid = graph.rotate_keys(keep_old=False)
    assert _kids(graph) == [kid]


def test_the_announcement_can_fail(graph: Simulator) -> None:
    """Both documents answer an error as long as they are told to, and right after again."""
    graph.keys.failing = 503
    assert _get(graph, graph.openid_configuration).status_code == 503
    assert _get(graph, f"{graph.base_url}/v1/keys").status_code == 503
    graph.keys.failing = None
    assert _get(graph, f"{graph.base_url}/v1/keys").status_code == 200
    assert [entry.status for entry in graph.log.key_fetches] == [503, 503, 200]


def test_any_body_can_be_posted_with_a_good_token(graph: Simulator, inbox: Inbox, call_id: str) -> None:
    """A test's own items arrive in the usual envelope, well signed, and the app's answer comes back."""
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
    """Unsigned, HMAC-signed and foreign-key tokens bear an announced kid and still fail."""
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
