"""Graph's codes and what a maker should know of each: what happened, then what to do; ``docs/codes.md`` is made of it.

Sources: [D] Microsoft's documentation of Graph, [A] of Azure Communication Services, whose calling service returns the
same codes (so these are hints, never control flow), [U] users' threads, [G] a guess from context. Where more than one
cause is known, the usual one comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class When(StrEnum):
    """What a code is reported for."""

    REQUEST = "a refused request"
    INVITE = "a refused invitation"
    CREATE = "a refused start of a call"
    PERSON = "a person who wasn't reached"
    CALL = "a call that ended"


@dataclass(frozen=True, slots=True)
class Advice:
    """What some codes mean, and where that is known from."""

    when: When
    codes: str
    """Graph's error codes, ``HTTP`` and a status, or ``code/subcode``: without a subcode any, and ``*`` is any code."""
    source: str
    text: str
    """Two sentences: what happened, what to do."""


_R, _I, _C, _P, _E = When
_END = "[D] call-delete"
_ACS = "[A] call automation codes"
_ACS_END = "[A] call-end codes"

# A row is two to four lines, not nine.
# fmt: off
ADVICE: tuple[Advice, ...] = (
    # What Graph answers to a request, by the error's code.
    Advice(_R, "7500", "[U] microsoft-graph-docs#5263",
           "Microsoft Graph didn't accept how the app signs in. Ask your administrator to check that the app uses "
           "its own credential, not a user's."),
    Advice(_R, "7502 7503", "[U] microsoft-graph-comms-samples#432; [D] register-calling-bot",
           "The app is not registered for Teams calls. Ask your administrator to create the Azure Bot in the app's "
           "tenant, add the Teams channel and turn on calling."),
    Advice(_I, "7504", "[U] microsoft-graph-comms-samples#276, msteams-docs#13004",
           "The app has no permission to invite people in this tenant. Ask your administrator to grant admin consent"
           " to Calls.InitiateGroupCall.All, again after each change of permissions."),
    Advice(_C, "7504", "[U] microsoft-graph-comms-samples#276, msteams-docs#13004",
           "The app has no permission for this call, or the meeting is of another tenant. Ask your administrator to "
           "grant admin consent to Calls.JoinGroupCall.All, Calls.Initiate.All and Calls.InitiateGroupCall.All."),
    Advice(_R, "7505 8517", "[U] microsoft-graph-docs#7080 and #9481, Microsoft-Teams-Samples#1785",
           "The call belongs to another tenant than the app, or the person does. Ask your administrator to set "
           "GRAPH_TENANT_ID to the call's tenant; for a person of another tenant, fill in User Tenant ID."),
    Advice(_I, "7507", _ACS,
           "Another app created this call. Use the Call ID of a call that this app created or answered."),
    Advice(_C, "7507", _ACS,
           "The call's source is not the app that signed in. Ask your administrator to check that the Azure Bot has "
           "the client ID of the app registration."),
    Advice(_R, "8501 8585", _ACS,
           'The call is not connected yet. Wait until Get call returns the Call State "established", then try again.'),
    Advice(_R, "8505", _ACS,
           "Only one person can be moved at a time. Move each person with an action of their own."),
    Advice(_R, "8516", _ACS,
           "There were too many requests for this call. Try again in a minute."),
    Advice(_R, "8519 HTTP409", _ACS,
           "Teams was changing this call at the same moment. Try again in a minute."),
    Advice(_R, "8520", _ACS,
           "Microsoft Graph doesn't support this request. Send the code 8520 to your administrator."),
    Advice(_I, "8522 9997 HTTP404", "[U] microsoft-graph-comms-samples#81, #173, #330",
           "There is no such call: it has ended, or another app created it. Use the Call ID of a running call that "
           "this app created or answered."),
    Advice(_C, "8522 9997 HTTP404", "[U] microsoft-graph-comms-samples#173, #330",
           "The meeting or the person was not found. Check the meeting's link, or the User ID of each person."),
    Advice(_I, "8523 HTTP400", _ACS,
           "Microsoft Graph didn't accept the request. Check Call ID and the ID of each person."),
    Advice(_C, "8523 HTTP400", _ACS,
           "Microsoft Graph didn't accept the request. Check the meeting and the ID of each person."),
    Advice(_C, "8526 8527 8561", _ACS,
           "The meeting's link, meeting ID or passcode is wrong. Copy it from the meeting's invitation again, or use"
           " the meeting ID and passcode instead of the link."),
    Advice(_R, "8528 8543", _ACS,
           "The call has ended. Start a new call and use its Call ID."),
    Advice(_R, "8529", _ACS,
           "Your tenant has reached its monthly limit of calls. Ask your administrator to raise it with Microsoft, "
           "or wait for the next month."),
    Advice(_R, "8530", _ACS,
           "Your tenant has too many calls at the same time. Try again when some have ended."),
    Advice(_R, "8548", _ACS,
           "This is a one-to-one call, so people can't be added together. Invite them separately, or use a meeting."),
    Advice(_R, "8558", _ACS,
           "The person is not in the call they should be moved from. Check From Call ID and Participant ID."),
    Advice(_R, "8560", _ACS,
           "The meeting is locked. Ask the organizer to unlock it, then try again."),
    Advice(_C, "9999", "[U] msgraph-sdk-java#373, microsoft-graph-comms-samples#413",
           "Microsoft Graph couldn't make this call (code 9999). Check the meeting and the ID of each person; ask "
           "your administrator to check the app's permissions."),
    Advice(_R, "HTTP401", "[D] errors",
           "Microsoft Graph didn't accept the app's token. Ask your administrator to check the app registration."),
    Advice(_I, "HTTP403", "[D] participant-invite",
           "Microsoft Graph doesn't allow the app to do this. Ask your administrator to grant admin consent to "
           "Calls.InitiateGroupCall.All."),
    Advice(_C, "HTTP403", "[D] application-post-calls",
           "Microsoft Graph doesn't allow the app to do this. Ask your administrator to grant admin consent to "
           "Calls.JoinGroupCall.All, Calls.Initiate.All and Calls.InitiateGroupCall.All."),
    # How the invitation of a person ended.
    Advice(_P, "403/10151 412/9999 412/10073", "[U] microsoft-graph-comms-samples#410",
           "The call can't reach phone numbers. Ask your administrator to check the phone number and license of the "
           "bot's resource account."),
    Advice(_P, "403", "[G]",
           "A policy doesn't allow this call, or the person is of another organization. Ask your administrator to "
           "check the person's Teams policies, then external access."),
    Advice(_P, "404", "[G]",
           "The person or the phone number was not found, or the call has ended. Check User ID or Phone Number, then"
           " Call ID."),
    Advice(_P, "408 408/8544 */8544", "[D] call-delete; [A]; [U] msteams-docs#9159",
           "The person couldn't be reached in time. Try again, or try their phone number."),
    Advice(_P, "408/1106", _END,
           "Teams didn't confirm in time that the person accepted the call. Try again."),
    Advice(_P, "408/8537", _END,
           "The call was interrupted. Start a new call."),
    Advice(_P, "408/10057", _END,
           "The person's device lost its connection. Try again, or try their phone number."),
    Advice(_P, "410 410/301005", "[D] call-delete; [A] call-end codes",
           "The audio couldn't be connected: a network problem, or a device without a connection. Try again, or try "
           "their phone number."),
    Advice(_P, "480/10037", _END,
           "The person isn't signed in on any device. Try their phone number or someone else."),
    Advice(_P, "480/10076", _END,
           "The person can't be reached now. Try their phone number or someone else."),
    Advice(_P, "480/10134", _END,
           "The person can't be reached from this call. Check User ID."),
    Advice(_P, "480/10199", _END,
           "A policy doesn't allow this person to receive private calls. Ask your administrator to turn on private "
           "calling for them."),
    Advice(_P, "480 */8541", _END,
           "The person isn't available. Try their phone number or someone else."),
    Advice(_P, "486", _ACS_END,
           "The line was busy. Try again later, or try someone else."),
    Advice(_P, "*/8539 */8540", _ACS,
           "The person is busy in another call. Try again later, or try someone else."),
    Advice(_P, "487/10003", _ACS_END,
           "Another device or person answered the call. Check List people in a call."),
    Advice(_P, "487/10004", _ACS_END,
           "The person didn't answer. Try again, or try someone else."),
    Advice(_P, "487", _ACS_END,
           "The call ended before the person answered. Try again, or try someone else."),
    Advice(_P, "603 487/10024 */8538", _ACS_END,
           "The person declined the call. Try someone else."),
    Advice(_P, "500/560500", "[U] learn.microsoft.com/answers/questions/704763",
           "The phone couldn't be called. Check Phone Number and try again."),
    Advice(_P, "500 500/1005", "[U] microsoft-graph-comms-samples#119, #511",
           "The Teams calling service failed. Try again; to move a person, check From Call ID."),
    Advice(_P, "*/8542", _ACS,
           "The invitation was cancelled. Invite again if this was not intended."),
    Advice(_P, "*/8543", _ACS,
           "The call has ended. Start a new call and use its Call ID."),
    # How a call ended; code 200 is no success where it was not connected. What is not here is as for a person.
    Advice(_E, "200/4097 200/4521 200/18503", _END,
           "The person hung up, or declined the call. Try again, or try someone else."),
    Advice(_E, "200/5000 200/5300", _END,
           "The app was removed from the call. Ask the organizer to keep the app in, then start a new call."),
    Advice(_E, "200/5002", "[D] call-delete; [U] microsoft-graph-docs#4849",
           "All others left, or the person didn't answer. Start a new call, or try someone else."),
    Advice(_E, "200/5007 200/5014", _END,
           "The person who started the call left, or no host was there. Start a new call when the host is there."),
    Advice(_E, "200/5010 200/5012 200/5013 200/5020", _END,
           "No one else was in the call. Start a new call when someone can join."),
    Advice(_E, "200/5030", _END,
           "The breakout room was closed. Use the main meeting."),
    Advice(_E, "200/5855", _END,
           "The app waited in the lobby and was not admitted. Ask the organizer to admit it, or ask your "
           "administrator to check the lobby settings and the policy for bots."),
    Advice(_E, "200/7000 200/10550", _END,
           "The app hung up. Start a new call."),
    Advice(_E, "200/7015", _END,
           "The call was transferred. Use the call that it was transferred to, or start a new one."),
    Advice(_E, "200/540000 200/560000", _END,
           "The phone was hung up. Try again, or try someone else."),
    Advice(_E, "200 200/5001 200/5003", _END,
           "The call ended. Start a new call."),
    Advice(_E, "400/2203 500 500/1005 500/3002 500/3003 500/7106 500/7112 500/7117 500/9999 500/1203002 500/1203003",
           "[U] microsoft-graph-comms-samples#433, #571, #632, #725, #750, #775, #870",
           "Microsoft Teams couldn't connect the app to the call, or keep it there. Try again once, then send the code "
           "to your administrator."),
)
# fmt: on
