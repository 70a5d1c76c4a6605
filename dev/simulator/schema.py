"""The bodies that Graph reads, by its own schema: open types ignore what they don't declare, closed types refuse it.

Types and properties are those of https://graph.microsoft.com/v1.0/$metadata; that the calling service also wants some
of the optional ones is documented on the pages of each operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model, field_validator
from pydantic.alias_generators import to_camel

from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.people import IDENTITY_KINDS, Identity
from dev.simulator.scripts import callback_uri
from dev.simulator.web import BodyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.simulator.web import Request

# https://learn.microsoft.com/graph/api/participant-invite: five people, 256 characters.
MOST_PEOPLE = 5
_LONGEST_CONTEXT = 256
_T = TypeVar("_T", bound=BaseModel)


class Closed(BaseModel):
    """A type that Graph refuses with undeclared properties."""

    # Only JSON makes these.
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)  # type: ignore[pydantic-alias]


class Open(BaseModel):
    """A type with whose undeclared properties Graph does nothing."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", strict=True, frozen=True)  # type: ignore[pydantic-alias]


def _folded(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value


def _type(name: str) -> Any:
    return Field(alias="@odata.type", default=None, pattern=f"^#microsoft.graph.{name}$")


Modality = Annotated[Literal["audio", "video", "videobasedscreensharing", "data"], BeforeValidator(_folded)]
CallbackUri = Annotated[str, Field(min_length=1)]


class _Identity(Open):
    odata_type: str | None = Field(alias="@odata.type", default=None)
    id: str | None = None
    display_name: str | None = None
    identity_provider: str | None = None
    tenant_id: str | None = None
    email: str | None = None
    application_type: str | None = None
    hidden: bool | None = None
    azure_communication_services_resource_id: str | None = None


class _IdentitySetBase(Open):
    odata_type: str | None = Field(alias="@odata.type", default=None)

    def as_sent(self) -> dict[str, Any]:
        """Return it as JSON, as it was sent."""
        return self.model_dump(by_alias=True, exclude_unset=True)


_kinds: dict[str, Any] = {kind: (_Identity | None, Field(alias=kind, default=None)) for kind in sorted(IDENTITY_KINDS)}
IdentitySet = create_model("IdentitySet", __base__=_IdentitySetBase, **_kinds)


class ParticipantInfo(Closed):
    """https://learn.microsoft.com/graph/api/resources/participantinfo."""

    odata_type: str | None = _type("participantInfo")
    identity: IdentitySet
    country_code: str | None = None
    endpoint_type: str | None = None
    language_id: str | None = None
    participant_id: str | None = None
    region: str | None = None


class InvitationParticipantInfo(Open):
    """https://learn.microsoft.com/graph/api/resources/invitationparticipantinfo."""

    odata_type: str | None = _type("invitationParticipantInfo")
    identity: IdentitySet
    replaces_call_id: str | None = None
    participant_id: str | None = None
    hidden: bool | None = None
    remove_from_default_audio_routing_group: bool | None = None
    endpoint_type: str | None = None

    @field_validator("identity")
    @classmethod
    def _identified(cls, value: _IdentitySetBase) -> _IdentitySetBase:
        if Identity.of(value.as_sent()) is None:
            raise ValueError("must have an identity with an id")
        return value

    @property
    def who(self) -> Identity:
        """The identity that Graph reads."""
        return Identity.named(self.identity.as_sent())


class Invite(Open):
    """The body of https://learn.microsoft.com/graph/api/participant-invite."""

    participants: list[InvitationParticipantInfo] = Field(min_length=1, max_length=MOST_PEOPLE)
    client_context: Annotated[str, Field(max_length=_LONGEST_CONTEXT)] | None = None


class MediaInfo(Closed):
    """A file that is fetched before it is played."""

    odata_type: str | None = _type("mediaInfo")
    uri: str
    resource_id: str | None = None


class ServiceHostedMedia(Closed):
    """Media that the service handles."""

    odata_type: Literal["#microsoft.graph.serviceHostedMediaConfig"] = Field(alias="@odata.type")
    pre_fetch_media: list[MediaInfo] | None = None


class AppHostedMedia(Closed):
    """Media that the app handles."""

    odata_type: Literal["#microsoft.graph.appHostedMediaConfig"] = Field(alias="@odata.type")
    blob: str


MediaConfig = Annotated[ServiceHostedMedia | AppHostedMedia, Field(discriminator="odata_type")]


class CallOptions(Closed):
    """https://learn.microsoft.com/graph/api/resources/calloptions, of either direction."""

    odata_type: str = Field(alias="@odata.type", pattern="^#microsoft.graph.(outgoing|incoming)CallOptions$")
    hide_bot_after_escalation: bool | None = None
    is_content_sharing_notification_enabled: bool | None = None
    is_delta_roster_enabled: bool | None = None
    is_interactive_roster_enabled: bool | None = None


class ChatInfo(Closed):
    """https://learn.microsoft.com/graph/api/resources/chatinfo."""

    odata_type: str | None = _type("chatInfo")
    thread_id: str | None = None
    message_id: str | None = None
    reply_chain_message_id: str | None = None


class OrganizerMeeting(Open):
    """A meeting by its organizer, with the thread in the call's ``chatInfo``."""

    odata_type: Literal["#microsoft.graph.organizerMeetingInfo"] = Field(alias="@odata.type")
    organizer: IdentitySet
    allow_conversation_without_host: bool | None = None


class JoinMeetingId(Open):
    """A meeting by its id and passcode."""

    odata_type: Literal["#microsoft.graph.joinMeetingIdMeetingInfo"] = Field(alias="@odata.type")
    join_meeting_id: str
    passcode: str | None = None
    allow_conversation_without_host: bool | None = None


class TokenMeeting(Closed):
    """A meeting by a token from a notification."""

    odata_type: Literal["#microsoft.graph.tokenMeetingInfo"] = Field(alias="@odata.type")
    token: str


MeetingInfo = Annotated[OrganizerMeeting | JoinMeetingId | TokenMeeting, Field(discriminator="odata_type")]


class _WithCallbackUri(Open):
    @field_validator("callback_uri", check_fields=False)
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        return value and callback_uri(value)


class Create(_WithCallbackUri):
    """The body of https://learn.microsoft.com/graph/api/application-post-calls."""

    odata_type: str | None = _type("call")
    callback_uri: CallbackUri
    requested_modalities: list[Modality] = Field(min_length=1)
    media_config: MediaConfig
    direction: Annotated[Literal["outgoing"], BeforeValidator(_folded)] | None = None
    subject: str | None = None
    source: ParticipantInfo | None = None
    targets: list[InvitationParticipantInfo] | None = None
    chat_info: ChatInfo | None = None
    meeting_info: MeetingInfo | None = None
    call_options: CallOptions | None = None
    tenant_id: str | None = None


class Answer(_WithCallbackUri):
    """The body of https://learn.microsoft.com/graph/api/call-answer."""

    callback_uri: CallbackUri
    accepted_modalities: list[Modality] = Field(min_length=1)
    media_config: MediaConfig
    call_options: CallOptions | None = None
    participant_capacity: int | None = None


class Reject(_WithCallbackUri):
    """The body of https://learn.microsoft.com/graph/api/call-reject."""

    callback_uri: CallbackUri | None = None
    reason: Annotated[Literal["none", "busy", "forbidden"], BeforeValidator(_folded)] | None = None


def read(kind: type[_T], request: Request) -> _T:
    """Read a request's body; raises GraphRefusal."""
    if not request.headers.get("Content-Type", "").casefold().startswith("application/json"):
        message = "The content type of an entity must be application/json."
        raise GraphRefusal(415, "UnsupportedMediaType", message)
    try:
        body = request.json()
    except BodyError as error:
        raise GraphRefusal(400, "BadRequest", f"Unable to read JSON request payload: {error}.") from error
    if not isinstance(body, dict):
        raise GraphRefusal(400, "BadRequest", "Unable to read JSON request payload: an object was expected.")
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        found = error.errors()[0]
        path = ".".join(map(str, found["loc"]))
        if found["type"] == "extra_forbidden":
            message = f"The property '{path}' does not exist on its type. Make sure to only use declared properties."
            raise GraphRefusal(400, "BadRequest", message) from error
        raise Refusals.invalid(f"'{path}': {found['msg']}.") from error


def ignored(model: BaseModel, path: str = "") -> Iterator[str]:
    """Return the paths of properties that Graph does nothing with."""
    yield from (f"{path}{name}" for name in model.model_extra or {})
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        for index, part in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(part, BaseModel):
                place = f"[{index}]" if isinstance(value, list) else ""
                yield from ignored(part, f"{path}{field.alias}{place}.")
