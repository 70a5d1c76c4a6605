from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.links import Addresses, new_token, token_matches
from tests.states import CALL, invitation, later

GATEWAYS = (".azure-apihub.net", ".azure-apim.net")
ADDRESSES = Addresses("https://app.example", GATEWAYS)
HEADER = "x-ms-apim-referrer-prefix"
DIRECT = "https://app.example/api"
GATEWAY = "https://europe-002.azure-apim.net/apim/call-invites/shared-1"

HOSTILE = [
    "",
    " ",
    "/",
    "x",
    "null",
    "https://",
    "https:///path",
    "//europe-002.azure-apim.net/apim",
    "http://europe-002.azure-apim.net/apim",
    "ftp://europe-002.azure-apim.net/apim",
    "javascript://europe-002.azure-apim.net/%0aalert(1)",
    "https://evil.example",
    "https://evil.example/.azure-apim.net",
    "https://evil.example?.azure-apim.net",
    "https://evil.example#.azure-apim.net",
    "https://evil.example\\.azure-apim.net",
    "https://evil.example/\\x.azure-apim.net",
    "https://evil.example@europe-002.azure-apim.net/apim",
    "https://europe-002.azure-apim.net@evil.example/",
    "https://europe-002.azure-apim.net:443@evil.example/",
    "https://europe-002.azure-apim.net.evil.example/",
    "https://evilazure-apim.net/",
    "https://azure-apim.net/",
    "https://europe-002.azure-apim.net:8443/apim",
    "https://europe-002.azure-apim.net:80/apim",
    "https://europe-002.azure-apim.net:x/apim",
    "https://europe-002.azure-apim.net:99999/apim",
    "https://europe-002.azure-apim.net/apim?x=1",
    "https://europe-002.azure-apim.net/apim#x",
    "https://europe-002.azure-apim.net/apim\r\nSet-Cookie: x=1",
    "https://europe-002.azure-apim.net/apim\x00",
    "https://europe-002.azure-apim.net/a b",
    "https://europe-002.azure-apim.net/<script>",
    "https://europe-002.azure-apim.net/\"onload='x'",
    "https://europe-002.azure-apim.net\t/apim",
    "https://[::1].azure-apim.net/apim",
    "https://[::1",
    "https://127.0.0.1/apim",
    "https://éurope.azure-apim.net/apim",
    "https://europe-002.azure-apim.net。evil.example/",
    "https://evil.example\u2044.azure-apim.net/",
    "https://a.azure-apim.net, https://b.azure-apim.net",
    "europe-002.azure-apim.net/apim",
    "https:europe-002.azure-apim.net/apim",
]


@pytest.mark.parametrize("prefix", HOSTILE)
def test_a_prefix_that_is_no_gateways_is_not_believed(prefix: str) -> None:
    """Nobody can have the token of an invitation sent to another host by a header."""
    assert ADDRESSES.root({HEADER: prefix}) == DIRECT


@pytest.mark.parametrize(
    "prefix",
    [
        "https://.azure-apim.net/apim",
        "https://a..azure-apim.net/apim",
        "https://evil.example%2f.azure-apim.net/apim",
        "https://evil.example,x.azure-apim.net/apim",
        "https://evil.example;x.azure-apim.net/apim",
        "https://evil.example&x.azure-apim.net/apim",
        GATEWAY + "?",
        GATEWAY + "#",
    ],
)
def test_a_prefix_with_a_host_that_can_not_be_is_not_believed(prefix: str) -> None:
    """A host is labels of letters, digits and hyphens, and an address that goes on has no query."""
    assert ADDRESSES.root({HEADER: prefix}) == DIRECT


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40), st.sampled_from(["https://", "", "https://x", "https://evil.example/", "http://"]))
def test_whatever_the_header_says_the_root_is_ours_or_a_gateways(text: str, start: str) -> None:
    """Any text at all in that header leads to this app or to an allowed gateway over https."""
    for end in ("", ".azure-apim.net", ".azure-apim.net/apim"):
        root = ADDRESSES.root({HEADER: start + text + end})
        assert root == DIRECT or re.match(r"https://[^/?#\\@\s]*\.azure-apim\.net(:443)?([/?#]|$)", root, re.IGNORECASE)


@pytest.mark.parametrize(
    "prefix",
    [
        GATEWAY,
        GATEWAY + "/",
        f"  {GATEWAY} ",
        "https://Europe-002.AZURE-APIM.net/apim/call-invites/shared-1",
        "https://europe-002.azure-apim.net:443/apim",
        "https://x.y.azure-apihub.net/apim",
        "https://europe-002.azure-apim.net",
    ],
)
def test_a_connectors_gateway_is_believed(prefix: str) -> None:
    """Behind the connector the flow polls through the gateway, with the connector's own base path."""
    assert ADDRESSES.root({HEADER: prefix}) == prefix.strip().rstrip("/")


def test_other_headers_never_count() -> None:
    """A forged host changes no address."""
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-original-host": "evil.example"}
    assert ADDRESSES.root(forged) == DIRECT


@pytest.mark.parametrize("root", [DIRECT, GATEWAY])
def test_a_flow_is_told_where_to_poll_and_where_to_look(root: str) -> None:
    """The 202 has the address to poll, token included, the invitation's own address, and when to come back."""
    headers = {} if root == DIRECT else {HEADER: root}
    answer = ADDRESSES.accepted(invitation(), {}, headers, later(3))
    assert answer.status == 202
    address = f"{root}/calls/{CALL}/invitations/{invitation().id}"
    assert answer.headers == {
        "Location": f"{address}/result?token={'t' * 43}",
        "Retry-After": "2",
        "Operation-Location": address,
    }
    assert answer.body is not None
    assert answer.body["id"] == invitation().id


def test_a_waiting_flow_is_told_how_to_end_the_waiting() -> None:
    """The 201 has the address whose DELETE ends the waiting, and no time to poll."""
    answer = ADDRESSES.subscribed(invitation(), {}, {})
    address = f"{DIRECT}/calls/{CALL}/invitations/{invitation().id}"
    assert answer.status == 201
    assert answer.headers == {
        "Location": f"{address}/callback?token={'t' * 43}",
        "Operation-Location": address,
    }


@pytest.mark.parametrize(
    ("call_id", "quoted"),
    [("19:meeting_x@thread.v2", "19%3Ameeting_x%40thread.v2"), ("ü b", "%C3%BC%20b"), ("a&b=c", "a%26b%3Dc")],
)
def test_a_calls_id_is_quoted_in_addresses(call_id: str, quoted: str) -> None:
    """Whatever a call's id holds, the address leads to it and nowhere else."""
    assert ADDRESSES.invitation(DIRECT, invitation(call_id=call_id)).startswith(f"{DIRECT}/calls/{quoted}/invitations/")


def test_a_token_opens_only_its_own_invitation() -> None:
    """Nothing but the very token is taken, not even nearly."""
    one = invitation(token=new_token())
    assert token_matches(one, one.token)
    for wrong in ("", one.token[:-1], one.token + "x", one.token.swapcase(), new_token(), "ü", "\ud800", "x" * 10_000):
        assert not token_matches(one, wrong)


def test_tokens_are_long_random_and_fit_for_an_address() -> None:
    """256 random bits, which nobody guesses and no address needs to quote."""
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [(-5, 2), (0, 2), (9.9, 2), (10, 5), (89.9, 5), (90, 15), (299, 15), (300, 30), (900, 30), (10**6, 30)],
)
def test_polls_are_close_at_first_and_further_apart_later(age: float, seconds: int) -> None:
    """Somebody who answers at once is known at once; somebody who doesn't costs few polls."""
    assert ADDRESSES.retry_after(invitation(), later(age)) == seconds


def test_a_repeat_that_rings_again_is_polled_closely_again() -> None:
    """The steps follow the last ringing, not the first request."""
    assert ADDRESSES.retry_after(invitation(asked=later(1000)), later(1005)) == 2
