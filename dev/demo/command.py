"""``make demo``: the whole path of an invitation on this machine, shown step by step.

Starts Azurite, a simulated Microsoft Graph and the app, plays the documented uses of inviting and some calls as a flow
would, then stays up to be tried by hand. With ``DEMO_EXIT=1`` it ends instead, with status 0 if all was right.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from dev.azurite import AzuriteUnavailable
from dev.demo.calls import Calls
from dev.demo.parts import KEY, running
from dev.demo.play import Flow, Played
from dev.demo.screen import Screen
from dev.demo.uses import USES
from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev.demo.parts import Parts
    from dev.demo.uses import Use

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130


class _Stopped(BaseException):
    """A signal ends the demo; not an Exception, so that nothing on the way handles it as a fault."""


def main(uses: Sequence[Use] | None = None) -> int:
    """Run the demo and return its exit status; with ``uses`` play these alone."""
    for number in _SIGNALS:
        signal.signal(number, _stop)
    screen = Screen()
    try:
        with running(screen) as parts:
            try:
                return _show(screen, parts, uses)
            finally:
                # A second Ctrl-C must not interrupt the stopping of the parts.
                for number in _SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
    except (AzuriteUnavailable, CannotStart) as error:
        print(error, file=sys.stderr)
        return 1
    except _Stopped:
        return _INTERRUPTED


def _stop(*_: object) -> NoReturn:
    raise _Stopped


def _show(screen: Screen, parts: Parts, given: Sequence[Use] | None) -> int:
    flow = Flow(parts.address)
    uses = USES if given is None else given
    wrong: list[str] = []
    for number, use in enumerate(uses, start=1):
        played = Played(use, parts, flow, screen)
        played.play(number)
        if played.faults:
            wrong.append(f"{number}  {use.title}")
    screen.text()
    if wrong:
        screen.wrong(f"{len(wrong)} of {len(uses)} invitations did not end as expected: {'; '.join(wrong)}")
    else:
        screen.good("done", f"all {len(uses)} invitations ended as expected, and each person was called once")
    calls = Calls(parts, flow, screen)
    if given is None:
        calls.play(len(uses) + 1)
        if not calls.faults:
            screen.text()
            screen.good("done", "the calls were joined, kept and left as expected")
    status = 1 if wrong or calls.faults else 0
    if os.environ.get("DEMO_EXIT", "") in ("", "0"):
        _offer(screen, parts)
        _wait_for_the_end()
        screen.text("Stopping.")
    return status


def _offer(screen: Screen, parts: Parts) -> None:
    """Print commands that work as they are pasted, while the demo runs."""
    app, graph = f"{parts.address}/api", parts.graph
    body = '{"participants": [{"identity": {"phone": {"id": "+12345678901"}}}], "clientContext": "by-hand-1"}'
    call = f'{{"id": "by-hand", "callbackUri": "{parts.callback_uri}"}}'
    json_header, key = "-H 'Content-Type: application/json'", f"-H 'x-functions-key: {KEY}'"
    make_call = f"curl --cacert {shlex.quote(graph.ca_file)} {graph.base_url}/simulator/calls {json_header} -d '{call}'"
    invite = f"curl -si {app}/calls/by-hand/participants/invite {key} {json_header} -d '{body}'"
    location = "tee /dev/stderr | tr -d '\\r' | awk 'tolower($1) == \"location:\" {print $2}'"
    steps = (
        ("Make a call in the simulated Graph:", make_call),
        ("Invite a phone into it, and keep the URL to poll:", f"poll=$({invite} | {location})"),
        ("Poll: 202 while it rings, then 200 (a flow's HTTP action does this by itself):", 'curl -i "$poll"'),
        ("List who is in the call:", f"curl {key} {app}/calls/by-hand/participants"),
    )
    screen.title("Try it by hand, from another shell")
    for what, command in steps:
        screen.text(f"\n{what}")
        screen.command(command)
    screen.text(f"\nThe app's log: {parts.log_file}")
    screen.text("More about the simulated Graph (who declines, what fails): dev/simulator/README.md, Control routes")
    screen.text("Ctrl-C stops everything.")


def _wait_for_the_end() -> None:
    try:
        threading.Event().wait()
    except _Stopped:
        return


if __name__ == "__main__":
    sys.exit(main())
