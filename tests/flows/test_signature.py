"""What is POSTed to a flow is accepted by the public Standard Webhooks library, and nothing that was changed is."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from flows.webhook import FlowClient, signed_headers
from tests.configured import loaded
from tests.flows.test_webhook import listener

OLD, NEW, OTHER = (f"whsec_{base64.b64encode(key).decode()}" for key in (b"k" * 24, b"\xfb" * 64, b"o" * 32))
BODY = json.dumps({"status": "completed", "clientContext": "Größe"}, ensure_ascii=False).encode()


def received(now: datetime) -> tuple[dict[str, str], bytes]:
    """What a receiver gets over HTTP from an app that is about to replace its secret."""
    secrets = loaded(FLOW_CALLBACK_SECRET=f"{OLD} {NEW}").flow_callback_secrets
    with listener() as (port, seen):
        client = FlowClient((), frozenset({f"127.0.0.1:{port}"}))
        headers = signed_headers("msg_1", now, BODY, secrets)
        assert client.post(f"http://127.0.0.1:{port}/run?sig=1", BODY, headers, seconds=5).status == 200
    ((_, headers, body),) = seen
    return {name.lower(): value for name, value in headers.items()}, body


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_accepted(secret: str) -> None:
    """A receiver with either of the two secrets accepts it while one replaces the other."""
    headers, body = received(datetime.now(UTC))
    assert Webhook(secret).verify(body, headers) == json.loads(BODY)


def test_another_secret() -> None:
    """A receiver with a secret that was never given refuses it."""
    headers, body = received(datetime.now(UTC))
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "body"])
def test_changed(name: str) -> None:
    """Id, time and body are signed together."""
    headers, body = received(datetime.now(UTC))
    if name == "body":
        body = body.replace(b"completed", b"failed")
    else:
        headers[name] = headers[name][:-1] + str((int(headers[name][-1]) + 1) % 10)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers)


@pytest.mark.parametrize(("seconds", "is_accepted"), [(-330, False), (-270, True), (270, True), (330, False)])
def test_window(seconds: int, *, is_accepted: bool) -> None:
    """What was seen on the way can be sent again for five minutes only, as docs/api.md says."""
    headers, body = received(datetime.now(UTC) + timedelta(seconds=seconds))
    try:
        Webhook(NEW).verify(body, headers)
    except WebhookVerificationError:
        assert not is_accepted
    else:
        assert is_accepted
