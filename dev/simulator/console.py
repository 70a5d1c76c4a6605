"""One line on the terminal for each event, with personal data cut short."""

from __future__ import annotations

import time

from dev.simulator.log import CallbackEntry, CallEntry, Entry, RequestEntry, RingEntry, TokenEntry

_FIRST_ERROR = 400
_CALLING = frozenset({"invite", "create"})


def line(entry: Entry) -> str | None:
    """Return the line for an entry, or None where it holds nothing new."""
    parts = _parts(entry)
    if parts is None:
        return None
    what, rest = parts
    return f"{time.strftime('%H:%M:%S')}  {what:<10} {rest}"


def short(identifier: str | None) -> str:
    """Cut an identifier so that it can be recognised but not used: ``+1234…``, ``278405a3…``."""
    if not identifier:
        return "-"
    kept = 5 if identifier.startswith("+") else 8
    return identifier if len(identifier) <= kept else f"{identifier[:kept]}…"


def _parts(entry: Entry) -> tuple[str, str] | None:
    match entry:
        case TokenEntry():
            if entry.error:
                return "token", f"refused {entry.status} {entry.error}"
            return (
                "token",
                f"given for a {entry.proof}" if entry.proof == "secret" else f"given for {entry.proof} proof",
            )
        case RingEntry(outcome="ringing"):
            return "ringing", f"{short(entry.person)} for call {short(entry.call_id)}"
        case RingEntry():
            return entry.outcome, f"{short(entry.person)} for call {short(entry.call_id)}"
        case CallEntry():
            return "call", _call(entry)
        case CallbackEntry():
            return "callback", _callback(entry)
        case RequestEntry(route="token"):
            return None
        case RequestEntry():
            return entry.route, _request(entry)


def _call(entry: CallEntry) -> str:
    text = f"{short(entry.call_id)} {entry.state}"
    if entry.subcode:
        text += f" {entry.code}/{entry.subcode}"
    return f"{text}, a second leg in its meeting" if entry.is_duplicate else text


def _callback(entry: CallbackEntry) -> str:
    about = f"{'state' if entry.about == 'call' else entry.about} of call {short(entry.call_id)}"
    if entry.lost:
        return f"{about}: lost, as asked"
    answer = entry.status or f"not delivered ({entry.error})"
    return f"{about}: {answer}" + (f", attempt {entry.attempt}" if entry.attempt > 1 else "")


def _request(entry: RequestEntry) -> str:
    taken = "taken" if entry.taken else "not taken"
    if entry.route not in _CALLING and entry.status is not None and entry.status < _FIRST_ERROR:
        taken = "answered"
    parts = [taken, "connection cut" if entry.cut else str(entry.status)]
    if entry.error_code:
        parts.append(entry.error_code)
    if entry.fault is not None:
        parts.append(f"(fault {entry.fault})")
    if entry.call_id:
        parts.append(f"call {short(entry.call_id)}")
    if entry.people:
        parts.append("for " + ", ".join(map(short, entry.people)))
    if entry.dropped:
        parts.append(f"dropped {', '.join(map(short, entry.dropped))}")
    if entry.ignored:
        parts.append(f"ignored {', '.join(entry.ignored)}")
    if entry.route == "unknown":
        parts.append(f"{entry.method} {entry.path}")
    return " ".join(parts)
