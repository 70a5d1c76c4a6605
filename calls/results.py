"""The results that this app writes where a start ends without one of Graph's; each says so to a maker."""

from __future__ import annotations

from domain.results import ResultInfo

NEVER_CONFIRMED = (
    "Microsoft Graph never confirmed this call. Check in Teams whether it is there before you start again."
)
NOT_ESTABLISHED = ResultInfo(
    408,
    None,
    "The app was not let into the call within 10 minutes. "
    "Ask the organizer to admit it from the lobby, or the administrator to check the policy for bots in meetings.",
)
NEVER_BEGUN = ResultInfo(
    503, None, "The app could not begin this start, and no call was made. Start again in a moment."
)
STILL_THROTTLED = ResultInfo(
    429, None, "Microsoft Graph was too busy to call the people within two minutes. Start again in a moment."
)


def never_confirmed(code: str | None) -> ResultInfo:
    """Return the result of a create of which nothing was heard; ``code`` is Graph's, where an error had one."""
    number = int(code) if code is not None and code.isdecimal() and len(code) < 10 else None  # noqa: PLR2004
    text = NEVER_CONFIRMED if code is None else f"{NEVER_CONFIRMED} Its last response had code {code}."
    return ResultInfo(408, number, text)
