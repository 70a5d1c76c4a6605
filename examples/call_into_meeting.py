"""Joins a meeting and calls a person into it: python call_into_meeting.py MEETING-LINK USER-ID-OR-PHONE-NUMBER."""

import json
import os
import sys
import time
import uuid
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def send(url: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """Send a request; return the status, the headers and the JSON body, also of an error."""
    data = json.dumps(body).encode() if body else None
    try:
        response = urlopen(Request(url, data, {"Content-Type": "application/json", **headers}), timeout=60)
    except HTTPError as error:
        response = error
    with response:
        return response.status, response.headers, json.loads(response.read() or "{}")


meeting, person = sys.argv[1:]
who = {"phone" if person.startswith("+") else "user": {"id": person}}
key = {"x-functions-key": os.environ["CALL_INVITES_KEY"], "Idempotency-Key": str(uuid.uuid4())}
body = {"meeting": {"joinWebUrl": meeting}, "participants": [{"identity": who}]}
status, headers, outcome = send(os.environ["CALL_INVITES_URL"] + "/api/calls/start", body, **key)
location = headers["Location"]  # holds a token of its own: polling needs no key
while status == 202:
    time.sleep(int(headers["Retry-After"]))
    status, headers, outcome = send(location)
sys.exit(None if status == 200 else f"{status}: {outcome.get('error', {}).get('message', 'no message')}")
