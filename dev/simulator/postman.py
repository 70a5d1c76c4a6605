"""Delivers callbacks: in order within a call, signed, repeated while they are not accepted."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from dev.simulator.log import CallbackEntry, EventLog
from dev.simulator.scripts import LOOPBACK

if TYPE_CHECKING:
    from dev.simulator.callback_tokens import CallbackTokens, Kind
    from dev.simulator.calls import Call, Notice
    from dev.simulator.schedule import Schedule

_USER_AGENT = "Microsoft-Skype/3.0,(Calling/1.0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How often a callback is tried; for the real service that is not documented."""

    retries: int = 4
    """How often a callback that is not answered 2xx is sent again; 0: never."""
    retry_after: float = 5
    """Seconds before the first repeat; each further one waits twice as long."""
    timeout: float = 15
    """Real seconds to wait for an answer."""


class Postman:
    """Sends each call's notices one after the other; different calls at once."""

    def __init__(
        self, log: EventLog, schedule: Schedule, tokens: CallbackTokens, delivery: Delivery, ca_file: str
    ) -> None:
        self._log = log
        self._schedule = schedule
        self._tokens = tokens
        self._delivery = delivery
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._local = threading.local()

    def send(self, call: Call, notice: Notice, *, late: float = 0) -> None:
        """Queue ``notice``, after ``late`` seconds."""
        if late > 0:
            self._schedule.after(late, lambda: self.send(call, notice))
            return
        with self._lock:
            call.outbox.append(notice)
            if call.sending or call.abandoned:
                return
            call.sending = True
        self._schedule.after(0, lambda: self._send_next(call))

    def _send_next(self, call: Call) -> None:
        with self._lock:
            if not call.outbox or call.abandoned:
                call.sending = False
                return
            notice = call.outbox.popleft()
        try:
            self._attempt(call, notice, attempt=1)
        finally:
            if notice.attempted:
                notice.attempted.set()
            self._schedule.after(0, lambda: self._send_next(call))

    def _attempt(self, call: Call, notice: Notice, attempt: int) -> None:
        entry = CallbackEntry(
            number=self._log.number(),
            call_id=call.id,
            about=notice.about,
            operation_id=notice.operation_id,
            attempt=attempt,
            lost=notice.lost,
            body=notice.body,
        )
        if not notice.lost:
            entry.status, entry.error = self.post(call, notice.body, self.token(call, notice.tokens))
        self._log.add(entry)
        accepted = notice.lost or (entry.status is not None and 200 <= entry.status < 300)  # noqa: PLR2004 - success
        if not accepted and attempt <= self._delivery.retries and not call.abandoned:
            distance = self._delivery.retry_after * 2 ** (attempt - 1)
            self._schedule.after(distance, lambda: self._attempt(call, notice, attempt + 1))

    def token(self, call: Call, kind: Kind) -> str:
        """Return a good token for a callback of ``call``."""
        return self._tokens.good(kind, call.client_id, call.tenant_id)

    def post_once(self, call: Call, about: str, body: object, token: str, *, address: str | None = None) -> int | None:
        """POST ``body`` once and log it; return the status of the response, or None without one."""
        entry = CallbackEntry(number=self._log.number(), call_id=call.id, about=about, body=body)
        entry.status, entry.error = self.post(call, body, token, address=address)
        if isinstance(body, bytes):
            entry.body = body.decode("utf-8", "replace")
        self._log.add(entry)
        return entry.status

    def post(
        self, call: Call, body: object, token: str, *, address: str | None = None
    ) -> tuple[int | None, str | None]:
        """POST ``body`` once and return the status answered, or None and why there is none."""
        address = address or call.callback_uri
        message_id = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "Scenario-Id": call.chain_id,
            "X-Microsoft-Skype-Chain-ID": call.chain_id,
            "X-Microsoft-Skype-Message-ID": message_id,
            "X-Microsoft-Skype-Original-Message-ID": message_id,
            # Nothing is sent on a kept connection: one that the app has just closed would look like a lost callback.
            "Connection": "close",
        }
        if not token:
            del headers["Authorization"]
        verify = self._ca_file if urlsplit(address).hostname in LOOPBACK else True
        try:
            response = self._session().post(
                address,
                data=body if isinstance(body, bytes) else json.dumps(body).encode(),
                headers=headers,
                timeout=self._delivery.timeout,
                verify=verify,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return None, type(error).__name__
        return response.status_code, None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # A .netrc would replace the Authorization header, and a proxy can't reach localhost.
            session.trust_env = False
        return session
