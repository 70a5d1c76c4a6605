"""The rules of an invite that concern several properties at once, and the patterns of single ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from domain.contexts import part_context
from web.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.clouds import Cloud

GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
NOT_BLANK = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
# Graph: "Inviting up to 5 participants is supported" (participant-invite, example 2).
MOST_PER_REQUEST = 5
MOST_ENTRIES = 60
"""A longer array is refused for its length; what is wrong in its first entries is reported as well."""
# By kind of identity, or by property: what the designer calls the id.
ID_NAMES = {
    "user": "User ID",
    "phone": "Phone Number",
    "guest": "Guest ID",
    "encrypted": "Encrypted ID",
    "onPremises": "On Premises ID",
    "applicationInstance": "Resource Account ID",
    "application": "Bot ID",
    "azureCommunicationServicesUser": "Communication User ID",
    "userId": "User ID",
    "phoneNumber": "Phone Number",
    "fromCallId": "From Call ID",
}
_DOCUMENTED_IDENTITY = "identity"
_DERIVED_IDENTITIES = {
    "user": "communicationsUserIdentity",
    "phone": "communicationsPhoneIdentity",
    "guest": "communicationsGuestIdentity",
    "encrypted": "communicationsEncryptedIdentity",
    "applicationInstance": "communicationsApplicationInstanceIdentity",
    "application": "communicationsApplicationIdentity",
    "azureCommunicationServicesUser": "azureCommunicationServicesUserIdentity",
}
_IDENTITY_SETS = ("identitySet", "communicationsIdentitySet")


def faults_across_members(body: Mapping[str, Any], kinds: tuple[str, ...], cloud: Cloud) -> Iterator[Fault]:
    """Find what is wrong between the properties of a body, whatever else is wrong with each of them."""
    for name in sorted(cloud.lacking_members & body.keys()):
        yield _not_in_this_cloud(name, name, cloud)
    yield from _people_faults(body, "", kinds, cloud)
    for place, step in enumerate(_list(body, "steps")):
        if isinstance(step, dict):
            yield from _people_faults(step, f"steps[{place}].", kinds, cloud)
    separately = body.get("separately") is True
    yield from _room_for_splitting(body.get("clientContext"), _list(body, "participants"), separately=separately)


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    return found[:MOST_ENTRIES] if isinstance(found, list) else []


def _people_faults(body: Mapping[str, Any], path: str, kinds: tuple[str, ...], cloud: Cloud) -> Iterator[Fault]:
    """Find what is wrong with the people of one array, who are called together."""
    seen: dict[tuple[str, str], str] = {}
    for place, entry in enumerate(_list(body, "participants")):
        if not isinstance(entry, dict):
            continue
        here = f"{path}participants[{place}]"
        for name in sorted(cloud.lacking_members & entry.keys()):
            yield _not_in_this_cloud(name, f"{here}.{name}", cloud)
        identity_set = entry.get("identity")
        if isinstance(identity_set, dict):
            yield from _identity_faults(identity_set, here, kinds, cloud, seen)


def _not_in_this_cloud(what: str, target: str, cloud: Cloud) -> Fault:
    message = f"Microsoft Graph doesn't have {what} in the cloud {cloud.name}. Remove it."
    return Fault("NotInThisCloud", message, target)


def _identity_faults(
    identity_set: Mapping[str, Any],
    person: str,
    kinds: tuple[str, ...],
    cloud: Cloud,
    seen: dict[tuple[str, str], str],
) -> Iterator[Fault]:
    path = f"{person}.identity"
    given = [kind for kind in kinds if kind in identity_set]
    if not given:
        message = f"A person has no ID. Fill in User ID, Phone Number or another ID: one of {', '.join(kinds)}."
        yield Fault("NoIdentity", message, path)
    if len(given) > 1:
        message = f"A person has several IDs: {', '.join(given)}. Keep one ID for each person."
        yield Fault("SeveralIdentities", message, path)
    yield from _type_faults(identity_set, path, _IDENTITY_SETS, cloud)
    for kind in given:
        identity = identity_set[kind]
        if not isinstance(identity, dict):
            continue
        allowed = tuple(name for name in (_DOCUMENTED_IDENTITY, _DERIVED_IDENTITIES.get(kind)) if name)
        yield from _type_faults(identity, f"{path}.{kind}", allowed, cloud)
        identity_id = identity.get("id")
        if isinstance(identity_id, str):
            first = seen.setdefault((kind, _comparable(kind, identity_id)), person)
            if first != person:
                message = f"This person is already at {first}. Remove one of the two."
                yield Fault("SamePersonTwice", message, f"{path}.{kind}.id")


def _comparable(kind: str, identity_id: str) -> str:
    """Return an id in the form in which the same person has the same one."""
    if kind != "phone":
        return identity_id.casefold()
    from invite import phones  # noqa: PLC0415 - with the first phone number only

    try:
        return phones.normalised(identity_id)
    except phones.PhoneRefused:
        return identity_id


def _type_faults(entity: Mapping[str, Any], path: str, allowed: tuple[str, ...], cloud: Cloud) -> Iterator[Fault]:
    given = entity.get("@odata.type")
    if not isinstance(given, str):
        return
    name = given.removeprefix("#").removeprefix("microsoft.graph.")
    target = f"{path}.@odata.type"
    if name not in allowed or name == given:
        known = " or ".join(f"#microsoft.graph.{entry}" for entry in allowed)
        yield Fault("WrongType", f"@odata.type has a wrong value. Remove it, or use {known}.", target)
    elif name in cloud.lacking_identity_types:
        yield _not_in_this_cloud("this type", target, cloud)


def _room_for_splitting(context: object, entries: list[Any], *, separately: bool) -> Iterator[Fault]:
    if not isinstance(context, str) or len(context) > 256:  # noqa: PLR2004 - that is a fault of its own
        return
    alone = sum(
        separately or (isinstance(entry, dict) and bool({"replacesCallId", "participantId"} & entry.keys()))
        for entry in entries
    )
    requests = alone + -(-(len(entries) - alone) // MOST_PER_REQUEST)
    room = 256 - len(part_context("", requests, requests))
    if requests > 1 and len(context) > room:
        message = (
            f"Invitation Name (clientContext) is too long for {requests} requests to Microsoft Graph. "
            f"Use up to {room} characters."
        )
        yield Fault("NoRoomForSplitting", message, "clientContext")
