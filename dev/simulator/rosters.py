"""Participants as Graph shows them: as in recorded notifications, or as its pages print them.

The documented form is that of https://learn.microsoft.com/graph/api/participant-invite. In recordings every participant
has an ``id`` equal to ``info.participantId``, identities name tenant and provider, and the app itself is listed.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev.simulator.calls import Call, Operation
    from dev.simulator.options import Reporting
    from dev.simulator.people import Participant

Json = dict[str, object]
TYPE = "@odata.type"


def roster(call: Call, chosen: Reporting, operation: Operation | None = None) -> list[Json]:
    """Return the whole roster of a call as it is notified, maybe with the end of ``operation``."""
    documented = chosen.roster == "documented"
    everybody = call.conversation.participants if chosen.removed_state else call.conversation.listed
    invited = {invitee.identity.key for invitee in operation.people} if operation else set()
    shown: list[Json] = []
    for someone in everybody:
        if someone.is_unreported or not _is_shown(someone, chosen):
            continue
        is_invited = someone.identity.kind == "user" and someone.identity.key in invited
        as_application = documented and is_invited and chosen.as_application != "none"
        if as_application and chosen.as_application == "first":
            invited = set()
        shown.append(participant(someone, chosen, as_application=as_application))
    return shown


def delta(call: Call, chosen: Reporting, changed: Iterable[Participant]) -> Json:
    """Return what changed on the roster of a call that asked for deltas."""
    shown = [someone for someone in changed if someone.removed or _is_shown(someone, chosen)]
    return {
        TYPE: "#microsoft.graph.deltaParticipants",
        "sequenceNumber": call.conversation.sequence,
        "participants": [participant(someone, chosen) for someone in shown],
    }


def roster_read(call: Call, chosen: Reporting) -> list[Json]:
    """Return the roster as a GET does: always with ids."""
    return [participant_read(someone, chosen) for someone in call.conversation.listed if _is_shown(someone, chosen)]


def participant_read(someone: Participant, chosen: Reporting) -> Json:
    """Return one participant as a GET does."""
    return {**participant(someone, chosen), "id": someone.id}


def participant(someone: Participant, chosen: Reporting, *, as_application: bool = False) -> Json:
    """Return a participant; ``as_application`` shows a user as the printed examples do."""
    recorded = chosen.roster == "recorded"
    kind = "application" if as_application else someone.identity.kind
    members: Json = {"id": someone.identity.id} if as_application else dict(someone.identity.members)
    if recorded:
        members = _recorded(someone, members)
    info: Json = {
        TYPE: f"#microsoft.graph.{chosen.roster_info_type}",
        "identity": {
            TYPE: "#microsoft.graph.identitySet",
            kind: {TYPE: "#microsoft.graph.identity", **members},
        },
        "endpointType": "default",
    }
    body: Json = {
        TYPE: "#microsoft.graph.participant",
        "info": info,
        "mediaStreams": [] if someone.is_ringing else [_stream(someone, recorded=recorded)],
        "isMuted": False,
        "isInLobby": someone.is_in_lobby,
        "id": someone.id if recorded else None,
    }
    if someone.is_ringing and chosen.ringing_streams == "absent":
        del body["mediaStreams"]
    elif someone.is_ringing and chosen.ringing_streams == "null":
        body["mediaStreams"] = None
    if recorded:
        info["participantId"] = someone.id
        _add_undeclared(someone, chosen, info, body)
    if chosen.roster_sequence:
        body["rosterSequenceNumber"] = someone.sequence
    if someone.removed:
        body["removedState"] = {TYPE: "#microsoft.graph.removedState", "reason": "Removed"}
    return body


def _is_shown(someone: Participant, chosen: Reporting) -> bool:
    if chosen.roster == "documented":
        return not someone.is_app and not someone.is_ringing
    return not someone.is_ringing or chosen.ringing != "unlisted"


def _recorded(someone: Participant, members: Json) -> Json:
    kind = someone.identity.kind
    in_directory = kind in {"user", "application", "applicationInstance"}
    named: Json = {
        "id": someone.identity.id,
        "displayName": someone.name or f"User {someone.source_id}",
        **({"tenantId": someone.tenant_id} if in_directory else {}),
        "identityProvider": "AAD" if in_directory else "None",
        **members,
    }
    if someone.hidden == "marked":
        alias = str(uuid.uuid5(uuid.NAMESPACE_URL, someone.id))
        return {**named, "id": alias, "displayName": f"Participant {someone.source_id}"}
    return {**named, "id": None} if someone.hidden == "withoutId" else named


def _stream(someone: Participant, *, recorded: bool) -> Json:
    return {
        TYPE: "#microsoft.graph.mediaStream",
        "mediaType": "audio",
        **({"label": "main-audio"} if recorded else {}),
        "sourceId": str(someone.source_id),
        "direction": "sendReceive",
        "serverMuted": False,
    }


def _add_undeclared(someone: Participant, chosen: Reporting, info: Json, body: Json) -> None:
    """Add what recordings have and no schema declares; to every second participant where that is ``sometimes``."""
    if someone.hidden == "marked":
        body["isIdentityAnonymized"] = True
    if chosen.undeclared == "never" or (chosen.undeclared == "sometimes" and someone.source_id % 2):
        return
    # A capability: who has the link can take the participant's place.
    link = f"https://cc.example.com/cc/v1/callParticipant/{someone.id}/replacement?rt=simulated-capability"
    info |= {
        "endpointId": str(uuid.uuid5(uuid.NAMESPACE_URL, link)),
        "languageId": "en-US",
        "clientVersion": "Simulator/1.0",
        "replacementLink": link,
    }
    body |= {"publishedStates": [], "meetingRole": "none", "replacementLink": link}
    body.setdefault("isIdentityAnonymized", False)
