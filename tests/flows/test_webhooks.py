"""Which addresses may be a flow's, how they are reached, and what is sent to them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.webhooks import AddressRefused, FlowClient, check_url, is_public, signed_headers

SUFFIXES = (".logic.azure.com", ".environment.api.powerplatform.com")
GOOD = "https://prod-01.westeurope.logic.azure.com"

ALLOWED = [
    f"{GOOD}:443/workflows/1/runs/2/actions/Wait/run?api-version=2016-06-01&sp=%2Fruns%2F2&sv=1.0&sig=abc_-",
    f"{GOOD}/workflows/1/runs/2/actions/Wait/run?sig=x",
    "https://default0123456789abcdef.f9.environment.api.powerplatform.com:443/powerautomate/automations/direct/x?sig=y",
    "https://PROD-01.WESTEUROPE.LOGIC.AZURE.COM/x",
    f"{GOOD}/" + "x" * (2000 - len(GOOD) - 1),
]
REFUSED = [
    "http://prod-01.westeurope.logic.azure.com/x",
    "ftp://prod-01.westeurope.logic.azure.com/x",
    "file:///etc/passwd",
    "gopher://prod-01.westeurope.logic.azure.com/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//prod-01.westeurope.logic.azure.com/x",
    "prod-01.westeurope.logic.azure.com/x",
    "https:/prod-01.westeurope.logic.azure.com/x",
    "https:prod-01.westeurope.logic.azure.com/x",
    "https://",
    "https:///x",
    "https://.logic.azure.com/x",
    "https://..logic.azure.com/x",
    "https://logic.azure.com/x",
    "https://evil.example/x",
    "https://evil.example/.logic.azure.com",
    "https://evil.example?.logic.azure.com",
    "https://evil.example#.logic.azure.com",
    "https://evil.example\\.logic.azure.com/x",
    "https://evil-logic.azure.com/x",
    "https://evillogic.azure.com/x",
    "https://prod.logic.azure.com.evil.example/x",
    "https://prod.logic.azure.com./x",
    "https://prod.logic.azure.com%2eevil.example/x",
    "https://prod%2elogic.azure.com/x",
    "https://user@prod.logic.azure.com/x",
    "https://user:password@prod.logic.azure.com/x",
    "https://prod.logic.azure.com@evil.example/x",
    "https://evil.example@prod.logic.azure.com/x",
    "https://:@prod.logic.azure.com/x",
    "https://prod.logic.azure.com:80/x",
    "https://prod.logic.azure.com:8443/x",
    "https://prod.logic.azure.com:0/x",
    "https://prod.logic.azure.com:99999/x",
    "https://prod.logic.azure.com:443x/x",
    "https://prod.logic.azure.com:-1/x",
    "https://prod.logic.azure.com/x#fragment",
    "https://127.0.0.1/x",
    "https://127.0.0.1:443/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://0/x",
    "https://localhost/x",
    "https://localhost.logic.azure.com@127.0.0.1/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[::1].logic.azure.com/x",
    "https://10.0.0.1/x",
    "https://169.254.169.254/metadata/identity",
    "https://168.63.129.16/x",
    "https://192.168.1.1/x",
    "https://metadata.google.internal/x",
    "https://a b.logic.azure.com/x",
    "https://a\tb.logic.azure.com/x",
    "https://a\nb.logic.azure.com/x",
    "https://a\r\nHost: evil.example\r\n.logic.azure.com/x",
    "https://a\x00.logic.azure.com/x",
    "https://prod.logic.azure.com/\nx",
    "https://prod.logic.azure.com/x y",
    "https://prod.logic.azure.com/<x>",
    "https://prod.logic.azure.com/\u00e9",
    "https://pr\u00f6d.logic.azure.com/x",
    "https://prod.logic\u3002azure.com/x",
    "https://prod\u2024logic.azure.com/x",
    "https://-prod.logic.azure.com/x",
    "https://*.logic.azure.com/x",
    "https://a/b.logic.azure.com/x",
    "https://" + "a" * 64 + ".logic.azure.com/x",
    f"{GOOD}/" + "x" * (2001 - len(GOOD) - 1),
    "https://prod.logic.azure.com:443@evil.example/x",
    "https://[prod.logic.azure.com/x",
    " https://prod.logic.azure.com/x",
    "",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_addresses_of_the_flow_engine_are_taken(url: str) -> None:
    """The forms that flows and logic apps hand out are allowed, up to 2,000 characters."""
    check_url(url, SUFFIXES, frozenset())


@pytest.mark.parametrize("url", REFUSED)
def test_every_other_address_is_refused_without_being_repeated(url: str) -> None:
    """Whatever a caller tries, it is refused, and the reason holds nothing of the address."""
    with pytest.raises(AddressRefused) as refused:
        check_url(url, SUFFIXES, frozenset())
    assert "evil" not in str(refused.value)
    assert len(str(refused.value)) < 100


def test_the_refused_forms_are_at_least_sixty() -> None:
    """The list above is as long as it is said to be."""
    assert len(set(REFUSED)) >= 60


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to be refused
        "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.2.1", "192.168.0.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "fc00::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1", "2002:0a00:0001::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_told_from_one_that_is(address: str) -> None:
    """Private, loopback, link-local, shared, reserved and multicast ones, also inside IPv6 ones, are not public."""
    assert not is_public(address)
    assert is_public("20.50.2.10")
    assert is_public("2603:1020:5:1::10")


def test_a_name_that_points_into_a_private_network_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """An allowed host whose name is bent to this machine at the time of sending is refused before any byte is sent."""
    with listener() as (port, seen):
        found = [(2, 1, 6, "", ("20.50.2.10", port)), (2, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr("flows.webhooks.socket.getaddrinfo", lambda *_, **__: found)
        with pytest.raises(AddressRefused, match="public internet"):
            FlowClient(SUFFIXES, frozenset()).post(f"{GOOD}/x", b"{}", {})
        assert not seen


def test_what_is_connected_to_is_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked for once: a second, different answer of the name server can't come into play."""
    asked: list[str] = []
    connected: list[Any] = []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [(2, 1, 6, "", ("20.50.2.10", 443))]

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("flows.webhooks.socket.getaddrinfo", resolve)
    monkeypatch.setattr("flows.webhooks.urllib3.util.connection.create_connection", connect)
    assert FlowClient(SUFFIXES, frozenset()).post(f"{GOOD}/x", b"{}", {}) is None
    assert asked == ["prod-01.westeurope.logic.azure.com"]
    assert connected == [("20.50.2.10", 443)]


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    """307 to another address is what was answered, and nothing else is asked."""
    with listener(status=307, location="http://127.0.0.1:1/elsewhere") as (port, seen):
        client = FlowClient(SUFFIXES, frozenset({f"127.0.0.1:{port}"}))
        assert client.post(f"http://127.0.0.1:{port}/x", b"{}", {}) == 307
        assert [path for path, _, _ in seen] == ["/x"]


def test_only_the_exact_local_addresses_of_the_setting_are_open() -> None:
    """A trial's listener is reached by its host and port; the same host at another port is not."""
    with listener() as (port, seen):
        client = FlowClient(SUFFIXES, frozenset({f"127.0.0.1:{port}"}))
        assert client.post(f"http://127.0.0.1:{port}/x?sig=1", b'{"a":1}', {"webhook-id": "m"}) == 200
        with pytest.raises(AddressRefused):
            client.post(f"http://127.0.0.1:{port + 1}/x", b"{}", {})
    (path, headers, body), *others = seen
    assert (path, headers["webhook-id"], body, others) == ("/x?sig=1", "m", b'{"a":1}', [])


def test_nobody_listening_is_no_answer() -> None:
    """Where no connection comes about there is no status, and a later try may have one."""
    with listener() as (port, _):
        pass
    assert FlowClient(SUFFIXES, frozenset({f"127.0.0.1:{port}"})).post(f"http://127.0.0.1:{port}/", b"{}", {}) is None


@pytest.mark.parametrize("secret", ["whsec_" + base64.b64encode(b"k" * 24).decode(), "any text!"])
def test_a_message_is_signed_as_standard_webhooks_are(secret: str) -> None:
    """With a secret, a receiver can check id, time and body together."""
    body, now = b'{"status":"completed"}', datetime(2026, 1, 31, 12, tzinfo=UTC)
    headers = signed_headers("msg_1", now, body, secret)
    key = b"k" * 24 if secret.startswith("whsec_") else secret.encode()
    signed = f"msg_1.{int(now.timestamp())}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == "1769860800"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert "webhook-signature" not in signed_headers("msg_1", now, body, None)


class listener:  # noqa: N801 - used as a context manager only
    """A web server of one's own on a free port, and what was sent to it."""

    def __init__(self, *, status: int = 200, location: str | None = None) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append((self.path, dict(self.headers), body))
                self.send_response(status)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> tuple[int, list[tuple[str, dict[str, str], bytes]]]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server.server_port, self.seen

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
