"""Example calls, in the form in which ``live`` answers: an incident at its second step, an ended call, an empty one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dev.screenshots.views import CALL_ID, Moment, call, event, invitation, invited, listed, live, phone, step, user

if TYPE_CHECKING:
    from datetime import datetime

NO_ANSWER = (
    "No one answered. Try again, or call someone else.",
    {"code": 487, "subcode": 10004, "message": None},
)
DECLINED = ("The person declined. Call someone else.", {"code": 603, "subcode": None, "message": None})
ADELE, ALEX, DIEGO = user("Adele Vance"), user("Alex Wilber"), user("Diego Siciliani")
GRADY, ISAIAH, JOHANNA = user("Grady Archie"), user("Isaiah Langer"), user("Johanna Lorenz")
LEE, LYNNE, MEGAN = user("Lee Gu"), user("Lynne Robbins"), user("Megan Bowen")
NESTOR, PATTI = user("Nestor Wilke"), user("Patti Fernandez")
ON_CALL = phone("+442079460867")


def _history(moment: Moment, end: float) -> list[dict[str, Any]]:
    return [
        event(moment, end + 372, "callStarting", "The app is starting the call."),
        event(moment, end + 369, "callEstablished", "The app is connected to the call."),
        event(
            moment,
            end + 368,
            "invited",
            "Adele Vance, Alex Wilber, Diego Siciliani, Megan Bowen and Nestor Wilke were invited.",
            *(ADELE, ALEX, DIEGO, MEGAN, NESTOR),
            invitationId="first",
        ),
        event(moment, end + 356, "answered", "Alex Wilber answered after 12 seconds.", ALEX, invitationId="first"),
        event(moment, end + 355, "joined", "Alex Wilber joined the call.", ALEX),
        event(moment, end + 341, "joined", "Adele Vance and Megan Bowen joined the call.", ADELE, MEGAN),
        event(
            moment,
            end + 329,
            "notReached",
            "Diego Siciliani was not reached. The person declined. Call someone else.",
            DIEGO,
            invitationId="first",
        ),
        event(moment, end + 300, "joined", "Lee Gu joined the call.", LEE),
        event(moment, end + 240, "left", "Nestor Wilke left the call.", NESTOR),
        event(
            moment,
            end + 68,
            "stepStarted",
            "Step 1 started: calling Isaiah Langer and A user.",
            ISAIAH,
            escalationId="db",
        ),
        event(
            moment,
            end + 68,
            "invited",
            "Isaiah Langer and A user were invited.",
            ISAIAH,
            invitationId="one",
            escalationId="db",
        ),
        event(moment, end + 41, "inLobby", "Patti Fernandez is waiting in the lobby.", PATTI),
        event(
            moment,
            end + 23,
            "notReached",
            "Isaiah Langer and A user were not reached. No one answered.",
            ISAIAH,
            invitationId="one",
            escalationId="db",
        ),
        event(
            moment,
            end + 22,
            "stepStarted",
            "Step 2 started: calling Grady Archie and A phone ending in 67.",
            *(GRADY, ON_CALL),
            escalationId="db",
        ),
        event(
            moment,
            end + 22,
            "invited",
            "Grady Archie and A phone ending in 67 were invited.",
            *(GRADY, ON_CALL),
            invitationId="two",
            escalationId="db",
        ),
    ]


def incident(now: datetime | None = None) -> dict[str, Any]:
    """Return an incident call six minutes old, whose escalation is at its second step."""
    moment = Moment(now)
    first = [
        invited(ADELE, "completed", "inCall"),
        invited(ALEX, "completed", "inCall"),
        invited(DIEGO, "failed", why=DECLINED),
        invited(MEGAN, "completed", "inCall"),
        invited(NESTOR, "completed", "left"),
    ]
    nameless = user(None)
    one = [invited(ISAIAH, "failed", why=NO_ANSWER), invited(nameless, "failed", why=NO_ANSWER)]
    two = [invited(GRADY), invited(ON_CALL)]
    escalation = {
        "id": "db",
        "callId": CALL_ID,
        "clientContext": "db",
        "status": "running",
        "reason": None,
        "stopWhen": "anyoneJoins",
        "round": 1,
        "currentStep": 2,
        "joined": [],
        "steps": [
            step(one, "failed", began=moment.ago(68), ended=moment.ago(22), name="one"),
            step(two, "running", began=moment.ago(22), name="two"),
            step([invited(LYNNE, "notStarted"), invited(JOHANNA, "notStarted")]),
        ],
        "createdDateTime": moment.ago(68),
        "lastUpdatedDateTime": moment.ago(22),
    }
    return live(
        call(moment, began=372),
        participants=[
            listed(moment, ALEX, 355),
            listed(moment, ADELE, 341),
            listed(moment, MEGAN, 341, is_muted=True),
            listed(moment, LEE, 300),
            listed(moment, PATTI, 41, presence="inLobby"),
        ],
        invitations=[
            invitation(moment, "two", two, status="running", sent=22),
            invitation(moment, "one", one, status="failed", sent=68),
            invitation(moment, "first", first, status="partiallyCompleted", sent=368),
        ],
        escalations=[escalation],
        timeline=_history(moment, 0),
    )


def ended(now: datetime | None = None) -> dict[str, Any]:
    """Return the same call after its end."""
    moment = Moment(now)
    shown = incident(moment.now - timedelta(seconds=1500))
    (escalation,) = shown["escalations"]
    won, *_ = shown["invitations"]
    joined = invited(GRADY, "completed", "left")
    not_needed = invited(
        ON_CALL,
        "failed",
        why=("The call to this person was cancelled.", {"code": 487, "subcode": None, "message": None}),
    )
    won |= {"status": "partiallyCompleted", "participants": [joined, not_needed]}
    first, second, third = escalation["steps"]
    second |= {"status": "completed", "participants": won["participants"], "endedDateTime": moment.ago(1492)}
    escalation |= {
        "status": "completed",
        "steps": [first, second, third | {"status": "skipped"}],
        "joined": [{"identity": GRADY, "round": 1, "step": 2}],
    }
    shown["participants"] = []
    for people in (one["participants"] for one in shown["invitations"]):
        for person in people:
            person["presence"] = "left" if person["presence"] == "inCall" else person["presence"]
    shown["timeline"] += [
        event(moment, 1492, "answered", "Grady Archie answered after 30 seconds.", GRADY, invitationId="two"),
        event(moment, 1491, "joined", "Grady Archie joined the call.", GRADY),
        event(moment, 1491, "cancelled", "The call to A phone ending in 67 was cancelled.", ON_CALL),
        event(moment, 1491, "escalationEnded", "The escalation is complete: enough people joined.", escalationId="db"),
        event(moment, 60, "callEnded", "The call has ended."),
    ]
    return shown | {"call": call(moment, state="terminated", began=1872, ended=60)}


def empty(now: datetime | None = None) -> dict[str, Any]:
    """Return a call that has just been started."""
    moment = Moment(now)
    starting = event(moment, 2, "callStarting", "The app is starting the call.")
    return live(call(moment, state="establishing", began=2), timeline=[starting])
