"""What a person, or a flow, sees of a call: the call itself, its timeline, and the live page."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calls.page.policy import PAGE_HEADERS, content_security_policy
from calls.page.spreadsheet import timeline_csv, timeline_file
from calls.page.views import timeline_view
from domain.record import CallRecord, Needs
from domain.roster import is_self, target_entries
from domain.standing import settles_at
from escalation.views import escalation_view
from flows.links import checked_token, new_token, token_matches
from flows.queries import known_call
from flows.turn import utc_now
from flows.views import call_view, invitation_view, roster_view
from web.answers import Answer
from web.errors import NotFound
from web.identifiers import call_id_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.call import Call
    from domain.roster import RosterEntry
    from flows.links import Links
    from storage.store import Store
    from web.answers import Request


class PageRoutes:
    """The routes of people who watch a call; they ask nothing of Graph."""

    def __init__(self, store: Store, links: Links, *, client_id: str, now: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._links = links
        self._client_id = client_id
        self._now = now

    def call(self, request: Request) -> Answer:
        """Answer a call as Graph last reported it, with the URL of its page.

        Raises:
            NotFound: Graph has not reported any such call.
        """
        call_id = call_id_in(request)
        call = known_call(self._store, call_id)
        if call is not None and call.page_token is None:
            call = self._with_token(call, new_token(), is_new=False)
        if call is None:
            raise _no_such_call()
        return Answer(HTTPStatus.OK, call_view(call) | {"pageUrl": self._links.page(call)})

    def new_page_token(self, request: Request) -> Answer:
        """End all links to a call's page, and answer a new one.

        Raises:
            NotFound: Graph has not reported any such call.
        """
        call = known_call(self._store, call_id_in(request))
        if call is None:
            raise _no_such_call()
        call = self._with_token(call, new_token(), is_new=True)
        return Answer(HTTPStatus.OK, {"pageUrl": self._links.page(call)})

    def timeline(self, request: Request) -> Answer:
        """Answer what happened in a call, oldest first; as CSV where ``Accept`` asks for that.

        With ``includeCsv=true`` the CSV comes next to the events, as a file: a flow can't send ``Accept``.
        """
        record = self._store.timeline(call_id_in(request))
        if "text/csv" in request.headers.get("accept", "").casefold():
            return Answer(HTTPStatus.OK, text=timeline_csv(record, self._client_id), media_type="text/csv")
        body: dict[str, Any] = {"value": timeline_view(record, self._client_id)}
        if request.query.get("includeCsv", "").casefold() == "true":
            body["csv"] = timeline_file(record, self._client_id)
        return Answer(HTTPStatus.OK, body)

    def page(self, _: Request) -> Answer:
        """Answer the page, which holds no data."""
        html, headers = _page()
        return Answer(HTTPStatus.OK, text=html, media_type="text/html", headers=headers)

    def live(self, request: Request) -> Answer:
        """Answer all that the page shows; 304 where it has that already.

        Raises:
            NotFound: there is no such call, or the token is not its page's.
        """
        call_id = call_id_in(request)
        token = checked_token(request.headers.get("x-page-token", ""), _no_such_page)
        rows = self._store.live(call_id)
        # Only who had the token and has seen these rows can have this; so nothing has to be decoded for a 304.
        etag = _etag(f"{token} {rows.stamp()}".encode("utf-8", "replace"))
        known = request.headers.get("if-none-match", "")
        if rows.entities and etag in known:
            return Answer(HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
        record = rows.record()
        call = record.call
        if call is None or call.page_token is None or not token_matches(call.page_token, token):
            raise _no_such_page()
        now = self._now()

        def is_app(entry: RosterEntry) -> bool:
            return is_self(entry, call.my_participant_id, self._client_id)

        roster = record.roster.values() or target_entries(call)
        invitations = sorted(record.invitations.values(), key=lambda one: (one.created, one.id), reverse=True)
        escalations = sorted(record.escalations.values(), key=lambda one: (one.created, one.id), reverse=True)
        answer = Answer(
            HTTPStatus.OK,
            {
                "call": call_view(call),
                "participants": roster_view(roster, is_app, include_left=False),
                "invitations": [invitation_view(one, call, now) for one in invitations],
                "escalations": [escalation_view(one, record, now, page_url=self._links.page) for one in escalations],
                "timeline": timeline_view(record, self._client_id),
            },
        )
        if any((at := settles_at(one)) is not None and at > now for one in record.invitations.values()):
            etag = _etag(answer.content() or b"")  # it changes by time alone
        if etag in known:
            return Answer(HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
        return replace(answer, headers={"ETag": etag})

    def _with_token(self, known: Call, token: str, *, is_new: bool) -> Call:
        def change(record: CallRecord) -> CallRecord:
            call = record.call or known
            if call.page_token == token or (call.page_token is not None and not is_new):
                return record
            return record.with_call(replace(call, page_token=token))

        return self._store.update(known.call_id, Needs(call=True), change).after.call or known


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _no_such_page() -> NotFound:
    message = "This link opens no call, or it was replaced by a new one. Ask for the current link."
    return NotFound("PageNotFound", message)


@cache
def _page() -> tuple[str, dict[str, str]]:
    html = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return html, {**PAGE_HEADERS, "Content-Security-Policy": content_security_policy(html)}


def _no_such_call() -> NotFound:
    message = (
        "Microsoft Graph has reported nothing about this call. "
        "Check its id, and that its callbackUri is this app's /api/notifications."
    )
    return NotFound("CallNotFound", message)
