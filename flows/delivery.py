"""Telling a waiting flow its outcome, through the queue ``invitation-outcomes``.

The row says that a flow is due to be told in the same write as the outcome; then the message is queued. If the
process dies between the two, the watchdog's message finds the row and queues another.

    due ─▶ POST ─┬─▶ delivered        any 2xx
                 ├─▶ undeliverable    404 or 410: the flow's run is over; or a whole day of failures
                 └─▶ due              next message queued, further away each time
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from domain.model import Delivery, FlowCallback, Invitation
from flows.views import invitation_view
from flows.webhooks import AddressRefused, signed_headers
from graph import wire
from observability import telemetry
from storage.table import Conflict
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from storage.calls import CallTable, Stored
    from storage.queues import MessageQueue

_events = telemetry.Events("outcomes")
# Seconds before each further try: half a minute in all at first, then more than a day.
RETRY_SECONDS = (5, 15, 45, 120, 300, 900, 1800, 3600, 7200, 7200, 14400, 14400, 21600, 28800)
# A queue trigger looks at an idle queue only now and then.
_GRACE_SECONDS = 60
_GONE = (404, 410)
_SUCCESS = range(200, 300)
_MOST_CONFLICTS = 10


class FlowAddress(Protocol):
    """How a flow's address is reached; see ``flows.webhooks.FlowClient``."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Return the status answered, or None where there was no answer; raise ``AddressRefused`` before sending."""


class Outcomes:
    """Queues outcomes that are due, delivers them, and keeps what became of it on the invitation."""

    def __init__(
        self,
        table: CallTable,
        queue: MessageQueue,
        poison: MessageQueue,
        flows: FlowAddress,
        *,
        secret: str | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._queue = queue
        self._poison = poison
        self._flows = flows
        self._secret = secret
        self._now = now

    def announce(self, invitation: Invitation, *, delay_seconds: float = 0) -> None:
        """Queue an outcome if it is due; a queue that fails is made up for by the watchdog's next message."""
        callback = invitation.callback
        if callback is None or callback.state is not Delivery.DUE:
            return
        try:
            self._queue.send(_message(invitation, callback.attempts), delay_seconds=delay_seconds)
        except StorageUnavailable:
            _events.warning("an outcome could not be queued and waits for the next check", invitation=invitation.id)

    def is_overdue(self, invitation: Invitation) -> bool:
        """Tell whether the message that should deliver an outcome seems to be lost."""
        callback = invitation.callback
        if callback is None or callback.state is not Delivery.DUE:
            return False
        delay = RETRY_SECONDS[callback.attempts - 1] if callback.attempts else 0
        expected = (callback.last_attempt or invitation.updated) + timedelta(seconds=delay)
        return self._now() > expected + timedelta(seconds=_GRACE_SECONDS)

    def deliver(self, message: Mapping[str, Any]) -> None:
        """Act on a message of the queue.

        Raises:
            StorageUnavailable: the queue brings the message back.
        """
        call_id, invitation_id = wire.text(message.get("callId")), wire.text(message.get("invitationId"))
        if call_id is None or invitation_id is None:
            _events.error("a message on the queue of outcomes can't be read and is dropped")
            return
        stored = self._table.invitation(call_id, invitation_id)
        callback = stored.value.callback if stored else None
        if stored is None or callback is None or not _counts(message, callback):
            return
        status, refused = self._post(stored.value, callback)
        after = replace(callback, attempts=callback.attempts + 1, last_attempt=self._now(), last_status=status)
        if status is not None and status in _SUCCESS:
            after = replace(after, state=Delivery.DELIVERED)
        elif refused or status in _GONE:
            after = replace(after, state=Delivery.UNDELIVERABLE)
        elif callback.attempts >= len(RETRY_SECONDS):
            self._poison.send(_message(stored.value, callback.attempts), delay_seconds=0)
            after = replace(after, state=Delivery.UNDELIVERABLE)
        else:
            # The next message goes out before the row expects it, so that a crash between the two loses nothing.
            delay = RETRY_SECONDS[callback.attempts]
            self._queue.send(_message(stored.value, callback.attempts + 1), delay_seconds=delay)
        delivery = "retried" if after.state is Delivery.DUE else after.state.value
        _events.info("outcome", invitation=stored.value.id, attempt=after.attempts, status=status, delivery=delivery)
        telemetry.count("deliveries", delivery=delivery)
        self._keep(stored, callback, after)

    def cancel(self, stored: Stored[Invitation]) -> None:
        """Note that the flow no longer waits; what was delivered stays delivered.

        Raises:
            StorageUnavailable: it could not be noted.
        """
        callback = stored.value.callback
        if callback is not None and callback.state in (Delivery.WAITING, Delivery.DUE):
            self._keep(stored, callback, replace(callback, state=Delivery.CANCELLED))

    def _post(self, invitation: Invitation, callback: FlowCallback) -> tuple[int | None, bool]:
        _, presence = self._table.invitation_and_presence(invitation.call_id, invitation.id)
        view = invitation_view(replace(invitation, callback=None), presence)
        body = json.dumps(view, ensure_ascii=False).encode("utf-8", "replace")
        headers = signed_headers(callback.message_id, self._now(), body, self._secret)
        try:
            return self._flows.post(callback.url, body, headers), False
        except AddressRefused as error:
            _events.warning("a flow's address is refused", invitation=invitation.id, reason=error)
            return None, True

    def _keep(self, stored: Stored[Invitation], before: FlowCallback, after: FlowCallback) -> None:
        for _ in range(_MOST_CONFLICTS):
            try:
                self._table.replace_invitation(stored, replace(stored.value, callback=after))
            except Conflict:
                latest = self._table.invitation(stored.value.call_id, stored.value.id)
                if latest is None or latest.value.callback != before:
                    return  # the flow cancelled, or waits at another address now
                stored = latest
            else:
                return
        raise StorageUnavailable


def _message(invitation: Invitation, attempt: int) -> dict[str, Any]:
    return {
        "callId": invitation.call_id,
        "invitationId": invitation.id,
        "messageId": invitation.callback.message_id if invitation.callback else None,
        "attempt": attempt,
    }


def _counts(message: Mapping[str, Any], callback: FlowCallback) -> bool:
    return (
        callback.state is Delivery.DUE
        and message.get("messageId") == callback.message_id
        and wire.number(message.get("attempt")) == callback.attempts
    )
