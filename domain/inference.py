"""The results that this app writes where it infers an outcome that Graph did not report; each says so to a maker."""

from __future__ import annotations

from domain.results import ResultInfo

NEVER_CONFIRMED = ResultInfo(
    408,
    None,
    "Microsoft Graph never confirmed this invitation. Check who is in the call before you invite the person again.",
)
CANCELLED = ResultInfo(487, None, "The call to this person was cancelled.")
SEEN_IN_CALL = ResultInfo(200, None, "Seen in the call. Microsoft Graph itself did not report the outcome.")
_CALL_ENDED = "The call ended before the invitation was answered. Start a new call, then invite."
_NO_SUCH_CALL = ResultInfo(404, 8522)


def call_ended(result: ResultInfo | None) -> ResultInfo:
    """Return the result of an invitation whose call ended, with the codes that Graph gave for that end."""
    codes = result or _NO_SUCH_CALL
    return ResultInfo(codes.code, codes.subcode, _CALL_ENDED)
