"""What Graph's codes mean to the person who built the flow: one sentence of what happened, one of what to do.

Sources: [D] Microsoft's documentation of Graph, [A] of Azure Communication Services, whose calling service
answers with the same codes (so these are hints, never control flow), [U] users' threads, [G] a guess from context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.results import ResultInfo
    from graph.errors import GraphAnswered


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means, and where that is known from."""

    text: str
    source: str


_DIAG_CODE = re.compile(r"DiagCode:\s*(\d{1,9})#(\d{1,9})")
_ASK_ADMIN = "Ask the administrator to"

# Graph's answers to the invite request itself, by the error's code.
REFUSALS: dict[str, Meaning] = {
    "7503": Meaning(
        "The app is not registered for calling. "
        f"{_ASK_ADMIN} create its Azure Bot, add the Teams channel and turn calling on.",
        "[U] runbooks; [D] register-calling-bot",
    ),
    "7504": Meaning(
        "The app lacks permission in this tenant. "
        f"{_ASK_ADMIN} grant consent to Calls.InitiateGroupCall.All, again after every change of permissions.",
        "[U] microsoft-graph-comms-samples#276, MicrosoftDocs/msteams-docs#13004",
    ),
    "7505": Meaning(
        "The call belongs to another tenant than the app. "
        "Set GRAPH_TENANT_ID to the tenant in which the call takes place.",
        "[U] microsoft-graph-docs#7080 and #9481",
    ),
    "7507": Meaning(
        "The call was made by another app. Use a call that this very app registration created or answered.",
        "[A] call automation codes",
    ),
    "8501": Meaning(
        "The call is not established yet. Wait until it is, then invite.",
        "[A] call automation codes",
    ),
    "8505": Meaning(
        "Several people can't be invited at once where a call is replaced. Invite them one by one.",
        "[A] call automation codes",
    ),
    "8516": Meaning("Too many requests for this call. Try again in a moment.", "[A] call automation codes"),
    "8517": Meaning(
        "The call belongs to another tenant than the app. "
        "Set GRAPH_TENANT_ID to the tenant in which the call takes place.",
        "[A] call automation codes",
    ),
    "8519": Meaning(
        "Graph was busy with another change of this call. Try again in a moment.", "[A] call automation codes"
    ),
    "8522": Meaning(
        "There is no such call: it has ended, or another app made it. "
        "Use the id of a running call that this app created or answered.",
        "[U] microsoft-graph-comms-samples#173, #330",
    ),
    "8523": Meaning(
        "Graph did not accept something in the request. Check the ids of the people and of the call.",
        "[A] call automation codes",
    ),
    "8528": Meaning("The call has ended. Use the id of a running call.", "[A] call automation codes"),
    "8529": Meaning(
        "The tenant's monthly number of calls is used up. "
        f"{_ASK_ADMIN} ask Microsoft for more, or wait for the next month.",
        "[A] call automation codes",
    ),
    "8530": Meaning(
        "Too many calls are going on at once. Try again when some have ended.", "[A] call automation codes"
    ),
    "8548": Meaning(
        "This is a call of two, so only one person can be added at a time. Invite people one by one.",
        "[A] call automation codes",
    ),
    "8558": Meaning(
        "The person to be moved is not in the call that was named. Check replacesCallId and participantId.",
        "[A] call automation codes",
    ),
    "8585": Meaning(
        "The call does not allow this now. Wait until it is established, then invite.",
        "[A] call automation codes",
    ),
    "9997": Meaning(
        "There is no such call: it has ended, or another app made it.", "[U] microsoft-graph-comms-samples#81"
    ),
}
_REFUSED_BY_STATUS: dict[int, str] = {
    400: "Microsoft Graph did not accept the request. Check the ids of the people and of the call.",
    401: f"Microsoft Graph does not accept the app's token. {_ASK_ADMIN} check the app registration.",
    403: f"Microsoft Graph does not allow this to the app. {_ASK_ADMIN} grant consent to Calls.InitiateGroupCall.All.",
    404: "There is no such call: it has ended, or another app made it. "
    "Use the id of a running call that this app created or answered.",
    409: "Microsoft Graph was busy with another change of this call. Try again in a moment.",
}

# How an invitation that Graph took ended, by code and subcode; a subcode of None speaks for the code as a whole.
OUTCOMES: dict[tuple[int, int | None], Meaning] = {
    (403, 10151): Meaning(
        "The call can't dial telephones. Check that the bot has a resource account with a number and a licence.",
        "[U] microsoft-graph-comms-samples#410",
    ),
    (403, None): Meaning("The service did not allow it. Ask the administrator about the person's policies.", "[G]"),
    (404, None): Meaning("The person, or the call, was not found. Check both ids.", "[G]"),
    (408, 8544): Meaning(
        "The person could not be reached in time. Try again, or try another way.",
        "[A], [U] msteams-docs#9159",
    ),
    (408, 8537): Meaning("The call itself was lost. Start a new call.", "[D] call-delete"),
    (408, 10057): Meaning(
        "The person's device was lost on the way. Try again, or ring a telephone.", "[D] call-delete"
    ),
    (408, None): Meaning("The person could not be reached in time. Try again, or try another way.", "[D] call-delete"),
    (410, None): Meaning("Sound could not be connected. Try again.", "[D] call-delete"),
    (412, 9999): Meaning(
        "The telephone could not be dialled: the bot's resource account has no number or licence for it. "
        f"{_ASK_ADMIN} check it.",
        "[U] microsoft-graph-comms-samples#410",
    ),
    (480, 10037): Meaning("The person is signed in nowhere. Ring a telephone, or somebody else.", "[D] call-delete"),
    (480, 10076): Meaning("The person can't be reached now. Ring a telephone, or somebody else.", "[D] call-delete"),
    (480, 10134): Meaning("The person can't be reached from this call. Check the id.", "[D] call-delete"),
    (480, 10199): Meaning("The person may not take private calls. Ask the administrator.", "[D] call-delete"),
    (480, None): Meaning("The person is not available. Ring a telephone, or somebody else.", "[D] call-delete"),
    (486, None): Meaning("The line was busy. Try again later, or ring somebody else.", "[A] call-end codes"),
    (487, 10003): Meaning("Another device or person answered in their place.", "[A] call-end codes"),
    (487, 10004): Meaning("Nobody answered. Try again, or ring somebody else.", "[A] call-end codes"),
    (487, 10024): Meaning("The call was declined on every device. Ring somebody else.", "[A] call-end codes"),
    (487, None): Meaning("The ringing ended before anybody answered.", "[A] call-end codes"),
    (500, 560500): Meaning(
        "The telephone call could not be made. Check the number and try again.",
        "[U] learn.microsoft.com/answers/questions/704763",
    ),
    (500, None): Meaning("The calling service failed. Try again.", "[U] microsoft-graph-comms-samples#119, #511"),
    (603, None): Meaning("The person declined. Ring somebody else.", "[A] call-end codes"),
}
# Subcodes that say more than any code beside them.
_OUTCOMES_BY_SUBCODE: dict[int, Meaning] = {
    8538: Meaning("The person declined. Ring somebody else.", "[A] call automation codes"),
    8539: Meaning("The person is busy. Try again later, or ring somebody else.", "[A] call automation codes"),
    8540: Meaning(
        "The person is busy everywhere. Try again later, or ring somebody else.", "[A] call automation codes"
    ),
    8541: Meaning("The person is not available. Ring a telephone, or somebody else.", "[A] call automation codes"),
    8542: Meaning("The invitation was cancelled.", "[A] call automation codes"),
    8543: Meaning("The call has ended. Use the id of a running call.", "[A] call automation codes"),
    8544: Meaning("The person could not be reached. Try again, or try another way.", "[A] call automation codes"),
}
_NO_CODE = (
    "The invitation failed, and Microsoft Graph gave no reason. Try again, or try another way to reach the person."
)
_LARGEST_SUBCODE = 999_999


def advice_for_refusal(error: GraphAnswered) -> str:
    """Return what a maker should know of an invite request that Graph refused."""
    meaning = REFUSALS.get(error.code or "")
    if meaning is not None:
        return meaning.text
    return _REFUSED_BY_STATUS.get(error.status, "Microsoft Graph refused the invitation.")


def advice_for_outcome(result: ResultInfo | None) -> str:
    """Return what a maker should know of an invitation that failed."""
    if result is None or result.code is None:
        return _NO_CODE
    meaning = (
        _diagnosed(result)
        or OUTCOMES.get((result.code, result.subcode))
        or _OUTCOMES_BY_SUBCODE.get(result.subcode or 0)
        or OUTCOMES.get((result.code, None))
    )
    return meaning.text if meaning is not None else _unknown(result)


def _unknown(result: ResultInfo) -> str:
    is_short = result.subcode is not None and abs(result.subcode) <= _LARGEST_SUBCODE
    named = f"code {result.code}" + (f", subcode {result.subcode}" if is_short else "")
    return (
        f"The invitation failed with {named}, which this app does not know. "
        "Look the code up in Microsoft's list of call end codes, or try another way to reach the person."
    )


def _diagnosed(result: ResultInfo) -> Meaning | None:
    """Find what the message's own code says: ``DiagCode: 403#10151`` can be more exact than subcode 9999."""
    match = _DIAG_CODE.search(result.message or "")
    if match is None:
        return None
    code, subcode = int(match[1]), int(match[2])
    return OUTCOMES.get((code, subcode)) or _OUTCOMES_BY_SUBCODE.get(subcode)


def advice_for_call_end(result: ResultInfo) -> str:
    """Return what a maker should know of a call that has ended."""
    return advice_for_outcome(result)
