"""A shared access signature in a connection string: what can be known of it before it is used.

https://learn.microsoft.com/rest/api/storageservices/create-account-sas
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

_NEW = "make a new one: az storage account generate-sas"
_SERVICES = {"q": "queue", "t": "table"}


def signature_problem(signature: str, now: datetime) -> str | None:
    """Return what keeps a signature from working, None where nothing is known; an empty one is none."""
    if signature.startswith("?"):
        return "has a SharedAccessSignature that begins with a question mark: leave that out"
    members = {name: values[0] for name, values in parse_qs(signature).items()}
    ends = _time(members.get("se", ""))
    if ends is not None and ends <= now:
        return f"has a SharedAccessSignature that expired on {ends:%Y-%m-%d}: {_NEW}"
    begins = _time(members.get("st", ""))
    if begins is not None and begins > now:
        return f"has a SharedAccessSignature that is not valid before {begins:%Y-%m-%d %H:%M} UTC: {_NEW}"
    missing = [name for letter, name in _SERVICES.items() if letter not in members.get("ss", "qt")]
    if missing:
        return f"has a SharedAccessSignature that isn't for the {' and the '.join(missing)} service: {_NEW}"
    return None


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
