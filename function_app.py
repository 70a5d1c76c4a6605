"""The table of contents: every trigger of the app, its route and who may call it. No logic.

The host adds the prefix ``api`` to every route (host.json).
"""

import azure.functions as func

import invite.http
import notifications.http
import operations.http
import operations.triggers
from operations.queues import CHECKS, OUTCOMES
from settings import storage_connection

KEY = func.AuthLevel.FUNCTION
ANYONE = func.AuthLevel.ANONYMOUS  # the function itself asks for a token, Graph's or the one in the address

app = func.FunctionApp(http_auth_level=KEY)


@app.route("calls/{callId}/participants/invite", methods=["POST"], auth_level=KEY)
def invite_participants(req: func.HttpRequest) -> func.HttpResponse:
    """Invite people into a call: 202, to be polled."""
    return invite.http.invite_participants(req)


@app.route("calls/{callId}/invitations/{invitationId}", methods=["GET"], auth_level=KEY)
def get_invitation(req: func.HttpRequest) -> func.HttpResponse:
    """The invitation as it stands."""
    return operations.http.get_invitation(req)


@app.route("calls/{callId}/invitations", methods=["GET"], auth_level=KEY)
def list_invitations(req: func.HttpRequest) -> func.HttpResponse:
    """All invitations of a call, newest first."""
    return operations.http.list_invitations(req)


@app.route("calls/{callId}/invitations/{invitationId}/result", methods=["GET"], auth_level=ANYONE)
def await_invitation(req: func.HttpRequest) -> func.HttpResponse:
    """202 while running, then 200 or 4xx; the token in the address opens it."""
    return operations.http.await_invitation(req)


@app.route("calls/{callId}", methods=["GET"], auth_level=KEY)
def get_call(req: func.HttpRequest) -> func.HttpResponse:
    """The call as Graph last reported it."""
    return operations.http.get_call(req)


@app.route("calls/{callId}/participants", methods=["GET"], auth_level=KEY)
def list_participants(req: func.HttpRequest) -> func.HttpResponse:
    """The roster as Graph last reported it."""
    return operations.http.list_participants(req)


@app.route("notifications", methods=["POST"], auth_level=ANYONE)
def receive_notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Graph's callbacks, which carry Graph's signed token."""
    return notifications.http.receive_notifications(req)


@app.route("health", methods=["GET"], auth_level=ANYONE)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Whether configuration and storage are in order."""
    return operations.http.health(req)


@app.route("calls/{callId}/participants/invite-phone", methods=["POST"], auth_level=KEY)
def invite_phone(req: func.HttpRequest) -> func.HttpResponse:
    """Invite one telephone into a call, with a flat body: 202, to be polled."""
    return invite.http.invite_phone(req)


@app.route("calls/{callId}/participants/move", methods=["POST"], auth_level=KEY)
def move_person(req: func.HttpRequest) -> func.HttpResponse:
    """Move one person from another meeting into a call, with a flat body: 202, to be polled."""
    return invite.http.move_person(req)


@app.route("calls/{callId}/participants/invite-and-wait", methods=["POST"], auth_level=KEY)
def invite_participants_and_wait(req: func.HttpRequest) -> func.HttpResponse:
    """Invite people into a call: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
    return invite.http.invite_participants_and_wait(req)


@app.route("calls/{callId}/invitations/{invitationId}/callback", methods=["DELETE"], auth_level=ANYONE)
def cancel_wait(req: func.HttpRequest) -> func.HttpResponse:
    """The flow no longer waits; the token in the address opens it."""
    return operations.http.cancel_wait(req)


@app.queue_trigger("message", OUTCOMES, storage_connection())
def deliver_outcome(message: func.QueueMessage) -> None:
    """POST an outcome to the flow that waits for it."""
    operations.triggers.deliver_outcome(message.get_body())


@app.queue_trigger("message", CHECKS, storage_connection())
def check_invitation(message: func.QueueMessage) -> None:
    """Look after an invitation that stayed open."""
    operations.triggers.check_invitation(message.get_body())


@app.timer_trigger("timer", "0 30 2 * * *")
def forget_old_calls(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it
    """Remove what is kept of calls that ended long ago, every night."""
    operations.triggers.forget_old_calls()
