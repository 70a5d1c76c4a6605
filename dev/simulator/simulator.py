"""The simulator as one object: a Graph, its Entra ID and its callback keys at one URL of this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from dev.simulator import notices
from dev.simulator.callback_tokens import CallbackTokens, Kind
from dev.simulator.calls import Call
from dev.simulator.certificates import CA_FILE, server_context
from dev.simulator.control import Control
from dev.simulator.dispatch import Dispatcher
from dev.simulator.entra import DEFAULT_ROLES, Entra
from dev.simulator.faults import Fault, Faults
from dev.simulator.graph import GraphCalls
from dev.simulator.incoming import IncomingCalls
from dev.simulator.keys import Algorithm, Issuer  # noqa: TC001 - the control endpoint reads the annotations
from dev.simulator.legs import Legs
from dev.simulator.log import EventLog
from dev.simulator.meetings import Meeting, Meetings
from dev.simulator.options import Behaviour, Outcome, Reporting
from dev.simulator.people import Identity
from dev.simulator.postman import Delivery, Postman
from dev.simulator.reports import Reports
from dev.simulator.ringing import Invitations
from dev.simulator.schedule import Schedule
from dev.simulator.scripts import CallOptions, IncomingOptions, Limits, MeetingOptions
from dev.simulator.web import Server
from dev.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

TENANT_ID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT_ID = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
CLIENT_SECRET = "simulated~secret"  # noqa: S105 - opens nothing but a simulator


class Simulator:
    """A Microsoft Graph for one machine; a context manager that serves while it is entered.

    Args:
        time_scale: Real seconds in one of Graph's: 0.01 lets a phone ring for 0.6 seconds instead of 60.
        port: Where to listen; 0 takes a free one.
        folder: Where the certificate authority is kept; by default a temporary folder.
        tenant_id: The only tenant.
        client_id: The only app registration.
        client_secret: Its secret.
        certificate_pem: Its certificate (public part); where given, client assertions are verified with it.
        roles: Its application permissions with admin consent.
        seed: Of faults that come at a rate.
        delivery: How often a callback is tried.
        **defaults: Options of Reporting for all calls.
    """

    def __init__(
        self,
        *,
        time_scale: float = 0.01,
        port: int = 0,
        folder: Path | None = None,
        tenant_id: str = TENANT_ID,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        certificate_pem: str | None = None,
        roles: Iterable[str] = DEFAULT_ROLES,
        seed: int = 0,
        delivery: Delivery | None = None,
        **defaults: Any,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory() if folder is None else None
        kept_in = Path(self._temporary.name) if self._temporary else Path(folder or ".")
        self.ca_file = str((kept_in / CA_FILE).absolute())
        context = server_context(kept_in)
        self.tenant_id, self.client_id, self.client_secret = tenant_id, client_id, client_secret
        self.log = EventLog()
        self._server = Server(context, port)
        self.base_url = f"https://localhost:{self._server.port}"
        self.entra = Entra(
            self.log,
            self.base_url,
            tenant_id=tenant_id,
            client_id=client_id,
            client_secret=client_secret,
            certificate_pem=certificate_pem,
            roles=roles,
        )
        self._tokens = CallbackTokens(self.entra)
        self.keys = self._tokens.older
        """The keys of the older kind of callback token; those of Entra's are ``entra.keys``."""
        self.faults = Faults(seed)
        self._schedule = Schedule(time_scale)
        self._postman = Postman(self.log, self._schedule, self._tokens, delivery or Delivery(), self.ca_file)
        self.world = World(self.log, Reports(self._postman, Reporting.read(defaults)), Meetings(tenant_id))
        invitations = Invitations(self.log, self._schedule, self.world)
        legs = Legs(self._schedule, self.world, invitations)
        self._incoming = IncomingCalls(self._schedule, self.world, legs)
        handlers = (invitations, legs, self._incoming)
        calls = GraphCalls(self.log, self.world, self.entra, self.base_url, handlers=handlers)
        self._dispatcher = Dispatcher(
            self.log,
            self._schedule,
            self.faults,
            self.keys,
            self.base_url,
            calls=calls,
            entra=self.entra,
            control=Control(self),
        )
        self.authority = f"{self.base_url}/{tenant_id}"
        self.openid_configuration = f"{self.base_url}/v1/.well-known/OpenIdConfiguration"

    def start(self) -> Self:
        """Serve from now on."""
        self._schedule.start()
        self._server.start(self._dispatcher.answer)
        return self

    def stop(self) -> None:
        """Close every connection and drop what has not happened yet."""
        self._schedule.stop()
        self._server.close()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def settings(self) -> dict[str, str]:
        """Return the environment variables with which the app uses this simulator."""
        return {
            "GRAPH_ENDPOINT": self.base_url,
            "GRAPH_AUTHORITY": self.authority,
            "GRAPH_TENANT_ID": self.tenant_id,
            "GRAPH_CLIENT_ID": self.client_id,
            "GRAPH_CLIENT_SECRET": self.client_secret,
            "CALLBACK_OPENID_CONFIGURATION": self.openid_configuration,
            "REQUESTS_CA_BUNDLE": self.ca_file,
        }

    def create_call(self, callback_uri: str, *, call_id: str | None = None, **options: Any) -> str:
        """Make a call whose events go to ``callback_uri``, and return its id.

        ``options`` are those of CallOptions; raises OptionError, and ValueError where a call has this id already.
        """
        read = CallOptions.read({"id": call_id, **options, "callback_uri": callback_uri})
        call = Call.make(read, self.tenant_id, self.client_id)
        self.world.begin(call)
        return call.id

    def meeting(self, **options: Any) -> Meeting:
        """Add a meeting that the app can join; ``options`` are those of MeetingOptions."""
        return self.world.add_meeting(MeetingOptions.read(options))

    def incoming_call(self, callback_uri: str, source: object, **options: Any) -> str:
        """Have ``source`` call the app at its webhook, and return the call's id; ``options``: IncomingOptions."""
        read = IncomingOptions.read({**options, "callback_uri": callback_uri, "source": source})
        return self._incoming.arrive(read, self.tenant_id, self.client_id).id

    def limits(self, **options: Any) -> None:
        """Change limits of the service and settings of the tenant, until a reset; ``options`` are those of Limits."""
        with self.world.lock:
            self.world.limits = Limits.read({**self.world.limits.model_dump(exclude_unset=True), **options})

    def report(self, **options: Any) -> None:
        """Change how everything is reported, until a reset; ``options`` are those of Reporting."""
        with self.world.lock:
            changed = Reporting.read(options)
            self.world.reports.defaults = Reporting.layered(self.world.reports.defaults, changed)

    def end_call(
        self, call_id: str, *, announce: bool = True, forget: bool = True, report_pending: bool = False
    ) -> None:
        """End a call.

        Args:
            call_id: Which one; an unknown one raises KeyError.
            announce: Notify that it was terminated.
            forget: Reading it gives 404 / 8522 from now on; else it reads as terminated.
            report_pending: Report invitations that still ring as failed; else nothing more is reported of them.
        """
        self.world.end_all(self.call(call_id), announce=announce, forget=forget, report_pending=report_pending)

    def join(self, call_id: str, identity_id: str, *, in_lobby: bool = False) -> None:
        """Have a person come by themselves into the call or meeting that the app is in."""
        self.world.join(self.call(call_id), Identity.named(identity_id), in_lobby=in_lobby)

    def leave(self, call_id: str, identity_id: str) -> bool:
        """Have a person leave a call; return whether they were in it."""
        call = self.call(call_id)
        with self.world.lock:
            someone = call.conversation.find(identity_id)
            if someone:
                self.world.leave(call, someone)
            return someone is not None

    def call(self, call_id: str) -> Call:
        """Return a call as it is now; raises KeyError."""
        with self.world.lock:
            return self.world.calls[call_id]

    def person(self, identity_id: str, outcome: Outcome = "answers", **options: Any) -> None:
        """Set what a person does when called, from now on and in every call; ``options`` are those of Behaviour."""
        behaviour = Behaviour.read({**options, "outcome": outcome})
        with self.world.lock:
            self.world.people[identity_id.casefold()] = behaviour

    def everyone(self, outcome: Outcome = "answers", **options: Any) -> None:
        """Set what people do who have no behaviour of their own."""
        behaviour = Behaviour.read({**options, "outcome": outcome})
        with self.world.lock:
            self.world.behaviour = behaviour

    def fault(self, **options: Any) -> int:
        """Add a fault and return its number; ``options`` are those of Fault."""
        return self.faults.add(Fault.read(options))

    def post_notification(
        self,
        call_id: str,
        items: object,
        *,
        token: str | None = None,
        callback_uri: str | None = None,
    ) -> int | None:
        """POST a callback of any content once and return the status answered, None where there was none.

        Args:
            call_id: A call whose ``callbackUri`` and token are meant.
            items: A list is sent in the envelope of notifications, bytes as they are, all else as JSON.
            token: Instead of a good one; an empty string leaves the header out.
            callback_uri: Instead of the call's.
        """
        call = self.call(call_id)
        body = notices.envelope(items) if isinstance(items, list) else items
        token = self.world.reports.token(call) if token is None else token
        return self._postman.post_once(call, "custom", body, token, address=callback_uri)

    def token(
        self,
        *,
        kind: Kind = "older",
        version: Literal[1, 2] = 1,
        headers: dict[str, Any] | None = None,
        algorithm: Algorithm = "RS256",
        key: Issuer | Literal["otherKind"] = "own",
        unknown_key: bool = False,
        **claims: Any,
    ) -> str:
        """Mint a callback token: a good one, or with other claims (None leaves one out), headers or signature.

        Args:
            kind: Who signs it: the calling service itself, or Entra.
            version: Of Entra's tokens: 1 names the caller in ``appid``, 2 in ``azp``, and their issuers differ.
            headers: These replace or add to the JOSE header.
            algorithm: ``none`` and ``HS256`` are made with the public key.
            key: ``other`` is a published key of another issuer, ``none`` one that names no issuer (both of Entra's
                set), ``otherKind`` is the key that signs the other kind.
            unknown_key: Sign with a key that isn't published, under a published ``kid``.
            **claims: These replace or add to the claims.
        """
        signer = "unknown" if unknown_key else key
        return self._tokens.mint(kind, version, claims, headers=headers, algorithm=algorithm, key=signer)

    def rotate_keys(self, *, keep_old: bool = True, kind: Kind = "older", kid: str | None = None) -> str:
        """Sign callbacks with a new key from now on and return its id, which is ``kid`` if given."""
        return self._tokens.keys(kind).rotate(keep_old=keep_old, kid=kid)

    def revoke_tokens(self) -> None:
        """Make Graph answer 401 to every access token given so far."""
        self.entra.revoke_tokens()

    def set_roles(self, roles: tuple[str, ...]) -> None:
        """Issue access tokens with these application permissions from now on."""
        self.entra.roles = roles

    def fail_keys(self, failing: int | None, *, kind: Kind = "older") -> None:
        """Return the status ``failing`` instead of the keys of ``kind``, as long as it is set."""
        self._tokens.keys(kind).failing = failing

    def wait_idle(self, timeout: float = 10) -> bool:
        """Wait until no one is being called, nothing is to be delivered and no request is open; return whether so."""
        return self._schedule.wait_idle(timeout)

    def reset(self) -> None:
        """Forget calls, people, faults and the log; address, keys and tokens stay."""
        with self.world.lock:
            self.world.forget()
        self._schedule.forget()
        self.faults.remove()
        self.keys.failing = self.entra.keys.failing = None
        self._schedule.wait_idle(1)
        self.log.clear()
