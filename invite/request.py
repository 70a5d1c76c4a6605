"""The body of an invite: Graph's own form, checked whole before anything is asked of Graph.

Graph silently ignores properties it does not know, and all but the first person where a call is replaced. Here each is
a fault, and all faults of a body are reported at once.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from domain.contexts import looks_like_part
from invite import rules
from web.identifiers import is_call_id

MOST_PEOPLE = 50
LONGEST_CONTEXT = 256


def _guid(value: str) -> str:
    if not rules.GUID.fullmatch(value):
        raise PydanticCustomError("NotAGuid", "This isn't an object ID of Microsoft Entra ID.")
    return value


def _e164(value: str, info: ValidationInfo) -> str:
    """Return a number in E.164; the context, where there is one, is what ``PHONE_PREFIXES`` allows."""
    from invite import phones  # noqa: PLC0415 - with the first phone number only

    try:
        number = phones.normalised(value)
        if info.context is not None:
            phones.check_allowed(number, info.context)
    except phones.NotAllowed as error:
        raise PydanticCustomError("NumberNotAllowed", str(error)) from None
    except phones.PhoneRefused as error:
        raise PydanticCustomError("NotE164", str(error)) from None
    return number


def _call_reference(value: str) -> str:
    if not value.strip():
        message = "From Call ID (replacesCallId) is empty. Enter the ID of the call the person is in now, or remove it."
        raise PydanticCustomError("Empty", message)
    if not is_call_id(value):
        message = "This isn't a call ID. Use the Call ID of a call of the app; a meeting link doesn't work."
        raise PydanticCustomError("InvalidCallId", message)
    return value


def _client_context(value: str) -> str:
    if not value.strip():
        message = "Invitation Name (clientContext) is empty. Enter a unique name, or leave it out."
        raise PydanticCustomError("Empty", message)
    if len(value) > LONGEST_CONTEXT:
        message = "Invitation Name (clientContext) is longer than 256 characters. Shorten it."
        raise PydanticCustomError("TooLong", message)
    if not (value.isascii() and value.isprintable()):
        message = (
            "Invitation Name (clientContext) has characters that can't be used. "
            "Use English letters, digits, punctuation and spaces."
        )
        raise PydanticCustomError("NotAscii", message)
    if looks_like_part(value):
        message = "Invitation Name (clientContext) ends like ~1of2, which the app uses itself. Choose another ending."
        raise PydanticCustomError("ReservedEnding", message)
    return value


Text = Annotated[str, StringConstraints(max_length=256)]
Guid = Annotated[str, AfterValidator(_guid)]
ClientContext = Annotated[str, AfterValidator(_client_context)]
CallReference = Annotated[str, AfterValidator(_call_reference)]


class Model(BaseModel):
    """A form of a JSON object: strict, and without unknown properties."""

    # Built when first used: a callback, which may meet a cold process, needs none of these.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class Identity(Model):
    """Who is invited: the members of Graph's ``identity`` and of the types derived from it."""

    odata_type: str | None = Field(default=None, alias="@odata.type", exclude=True)
    id: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=rules.NOT_BLANK)]
    displayName: Text | None = None  # noqa: N815 - the names on the wire are Graph's
    identityProvider: Text | None = None  # noqa: N815
    tenantId: Guid | None = None  # noqa: N815
    email: Annotated[str, StringConstraints(max_length=320)] | None = None
    azureCommunicationServicesResourceId: Text | None = None  # noqa: N815


class EntraIdentity(Identity):
    """An identity whose id is an object id of Microsoft Entra ID."""

    id: Guid


class PhoneIdentity(Identity):
    """An identity whose id is a phone number."""

    id: Annotated[str, AfterValidator(_e164)]


class IdentitySet(Model):
    """Exactly one of the kinds that Graph can call."""

    odata_type: str | None = Field(default=None, alias="@odata.type", exclude=True)
    user: EntraIdentity | None = None
    phone: PhoneIdentity | None = None
    guest: Identity | None = None
    encrypted: Identity | None = None
    onPremises: Identity | None = None  # noqa: N815
    applicationInstance: EntraIdentity | None = None  # noqa: N815
    application: EntraIdentity | None = None
    azureCommunicationServicesUser: Identity | None = None  # noqa: N815


class InvitationParticipantInfo(Model):
    """One person to be invited, and how."""

    odata_type: (
        Literal["#microsoft.graph.invitationParticipantInfo", "microsoft.graph.invitationParticipantInfo"] | None
    ) = Field(default=None, alias="@odata.type", exclude=True)
    identity: IdentitySet
    replacesCallId: CallReference | None = None  # noqa: N815
    participantId: Text | None = None  # noqa: N815
    hidden: bool | None = None
    removeFromDefaultAudioRoutingGroup: bool | None = None  # noqa: N815


class InviteBody(Model):
    """The body of an invite."""

    participants: Annotated[list[InvitationParticipantInfo], Field(min_length=1, max_length=MOST_PEOPLE)]
    clientContext: ClientContext | None = None  # noqa: N815
    separately: bool = False
    """One Graph request for each person, so that each has an outcome of their own."""


class InviteAndWaitBody(InviteBody):
    """The body of an invite whose outcome is sent to the flow."""

    callbackUrl: Annotated[str, StringConstraints(min_length=1)]  # noqa: N815


class InvitePhoneBody(Model):
    """The body of an invite of one phone number, flat for makers who would not nest one."""

    phoneNumber: Annotated[str, AfterValidator(_e164)]  # noqa: N815
    displayName: Text | None = None  # noqa: N815
    clientContext: ClientContext | None = None  # noqa: N815

    def participant(self) -> InvitationParticipantInfo:
        """Return the phone as Graph's form has it."""
        phone = PhoneIdentity.model_construct(id=self.phoneNumber, displayName=self.displayName)
        return InvitationParticipantInfo(identity=IdentitySet(phone=phone))


class MovePersonBody(Model):
    """The body of a move of one person from a meeting to another, both made by the same app."""

    userId: Guid  # noqa: N815
    fromCallId: CallReference  # noqa: N815
    participantId: Text | None = None  # noqa: N815
    displayName: Text | None = None  # noqa: N815
    clientContext: ClientContext | None = None  # noqa: N815

    def participant(self) -> InvitationParticipantInfo:
        """Return the person as Graph's form has it (participant-invite, example 5)."""
        user = EntraIdentity(id=self.userId, displayName=self.displayName, identityProvider="AAD")
        return InvitationParticipantInfo(
            identity=IdentitySet(user=user), replacesCallId=self.fromCallId, participantId=self.participantId
        )


def known_members(model: type[BaseModel]) -> list[str]:
    """Return the names that a JSON object of this form may have."""
    return [field.alias or name for name, field in model.model_fields.items()]


IDENTITY_KINDS: tuple[str, ...] = tuple(name for name in IdentitySet.model_fields if name != "odata_type")
# Members for which an empty string is a fault: it hides a mistake that would change who is called, or how often.
NEVER_EMPTY = frozenset({"clientContext", "replacesCallId"})


def without_blanks(body: Any, model: type[BaseModel] = InviteBody) -> Any:
    """Return the body without the nulls and empty strings that flows send for optional members left blank."""
    if not isinstance(body, dict):
        return body
    optional = _optional_members(model)
    return {
        name: _inner_without_blanks(name, value, model)
        for name, value in body.items()
        if name not in optional or not (value is None or (value == "" and name not in NEVER_EMPTY))
    }


@cache
def _optional_members(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items() if not field.is_required())


def _inner_without_blanks(name: str, value: Any, model: type[BaseModel]) -> Any:
    if model is IdentitySet:
        return without_blanks(value, Identity)
    inner = inner_model(model, name)
    if inner is None:
        return value
    if isinstance(value, list):
        return [without_blanks(entry, inner) for entry in value[: rules.MOST_ENTRIES]]
    return _without_blank_kinds(without_blanks(value, inner)) if inner is IdentitySet else without_blanks(value, inner)


@cache
def inner_model(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the form of the objects in a property, also in an array; None where it holds none."""
    field = next((one for key, one in model.model_fields.items() if name in (key, one.alias)), None)
    return None if field is None else _model_in(field.annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)


def _without_blank_kinds(identity_set: Any) -> Any:
    """Leave out the kinds that a flow filled from an empty column, where another kind is filled."""
    if not isinstance(identity_set, dict):
        return identity_set
    blank = {
        kind
        for kind in IDENTITY_KINDS
        if kind in identity_set and (identity_set[kind] == "" or _is_blank(identity_set[kind]))
    }
    if blank >= {kind for kind in IDENTITY_KINDS if kind in identity_set}:
        return identity_set  # the fault belongs where the ID is missing
    return {name: value for name, value in identity_set.items() if name not in blank}


def _is_blank(identity: Any) -> bool:
    return isinstance(identity, dict) and not any(
        value not in (None, "") for name, value in identity.items() if name != "@odata.type"
    )
