"""The URLs that a caller gets: where to poll, how often, and where to end the waiting."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.links import Links, new_token, token_matches
from tests.states import CALL, NOON, flow, invitation, later

GATEWAYS = (".azure-apihub.net", ".azure-apim.net")
LINKS = Links("https://app.example", GATEWAYS)
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
def test_prefix_of_another_host(prefix: str) -> None:
    """No header sends the token of an invitation to another host."""
    assert LINKS.root({HEADER: prefix}) == DIRECT


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
def test_prefix_with_an_impossible_host(prefix: str) -> None:
    """A host is labels of letters, digits and hyphens, and a prefix has no query."""
    assert LINKS.root({HEADER: prefix}) == DIRECT


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40), st.sampled_from(["https://", "", "https://x", "https://evil.example/", "http://"]))
def test_any_prefix(text: str, start: str) -> None:
    """Whatever that header holds, the root is this app or an allowed gateway over HTTPS."""
    for end in ("", ".azure-apim.net", ".azure-apim.net/apim"):
        root = LINKS.root({HEADER: start + text + end})
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
def test_gateway(prefix: str) -> None:
    """Behind the connector the flow polls through the gateway, with the connector's own base path."""
    assert LINKS.root({HEADER: prefix}) == prefix.strip().rstrip("/")


def test_other_headers() -> None:
    """A forged host changes no URL."""
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-original-host": "evil.example"}
    assert LINKS.root(forged) == DIRECT


@pytest.mark.parametrize("root", [DIRECT, GATEWAY])
def test_where_to_poll(root: str) -> None:
    """The 202 has the URL to poll, token included, the invitation's own URL, and when to come back."""
    headers = {} if root == DIRECT else {HEADER: root}
    answer = LINKS.accepted(invitation(), None, headers, later(3))
    assert answer.status == 202
    url = f"{root}/calls/{CALL}/invitations/{invitation().id}"
    assert answer.headers == {
        "Location": f"{url}/result?token={'t' * 43}",
        "Retry-After": "2",
        "Operation-Location": url,
    }
    assert answer.body is not None
    assert answer.body["id"] == invitation().id


@pytest.mark.parametrize(("own", "token"), [("f" * 43, "f" * 43), (None, "t" * 43)])
def test_where_to_end_the_waiting(own: str | None, token: str) -> None:
    """The 201 has the URL whose DELETE ends this flow's waiting, with a token of its own, and no time to poll."""
    waiting = flow(token=own)
    answer = LINKS.subscribed(invitation(flows=(flow(token="other"), waiting)), waiting, None, {}, NOON)
    url = f"{DIRECT}/calls/{CALL}/invitations/{invitation().id}"
    assert answer.status == 201
    assert answer.headers == {"Location": f"{url}/callback?token={token}", "Operation-Location": url}


@pytest.mark.parametrize(
    ("call_id", "quoted"),
    [("19:meeting_x@thread.v2", "19%3Ameeting_x%40thread.v2"), ("ü b", "%C3%BC%20b"), ("a&b=c", "a%26b%3Dc")],
)
def test_call_id_is_quoted(call_id: str, quoted: str) -> None:
    """Whatever a call's id holds, the URL leads to this call only."""
    assert LINKS.invitation(DIRECT, invitation(call_id=call_id)).startswith(f"{DIRECT}/calls/{quoted}/invitations/")


def test_token_matches_itself_only() -> None:
    """Nothing but the very token is accepted, and anything may be given."""
    token = new_token()
    assert token_matches(token, token)
    for wrong in ("", token[:-1], token + "x", token.swapcase(), new_token(), "ü", "\ud800", "x" * 10_000):
        assert not token_matches(token, wrong)


def test_tokens_are_random() -> None:
    """256 random bits that need no quoting in a URL."""
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [(-5, 2), (0, 2), (9.9, 2), (10, 5), (89.9, 5), (90, 15), (299, 15), (300, 30), (900, 30), (10**6, 30)],
)
def test_time_between_polls(age: float, seconds: int) -> None:
    """An answer within seconds is known within seconds; a person who does not answer costs few polls."""
    assert LINKS.retry_after(invitation(), later(age)) == seconds


def test_time_between_polls_after_a_repeat() -> None:
    """The steps follow the last request to Graph, not the first."""
    assert LINKS.retry_after(invitation(asked=later(1000)), later(1005)) == 2
