"""Every trigger of the app, its route and its authorization level, on one page.

The host adds the prefix ``api`` to every route (host.json).
"""

import gc
from typing import cast

# Nothing that an import makes is garbage. Without collections a start takes an eighth less time, and what it made is
# not searched again by those of the requests, which take the time of all threads.
gc.disable()
try:
    import azure.functions as func

    from app import CHECKS, OUTCOMES, WORK, current, edge, storage_connection, triggered
finally:
    gc.freeze()
    gc.enable()

KEY = func.AuthLevel.FUNCTION
ANYONE = func.AuthLevel.ANONYMOUS  # the function itself asks for a token, Graph's or the one in the URL
# The worker requires the type of ``context`` to be ``func.Context`` and nothing else, and always gives one.
BY_HAND = cast("func.Context", None)

app = func.FunctionApp(http_auth_level=KEY)


@app.route("calls/{callId}/participants/invite", methods=["POST"], auth_level=KEY)
def invite_participants(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Invite people into a call: 202, to be polled."""
    return edge.keyed(req, context, lambda app, request: app.invite.invite(request))


@app.route("calls/{callId}/participants/invite-and-wait", methods=["POST"], auth_level=KEY)
def invite_participants_and_wait(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Invite people into a call: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
    return edge.keyed(req, context, lambda app, request: app.invite.invite_and_wait(request))


@app.route("calls/{callId}/participants/invite-phone", methods=["POST"], auth_level=KEY)
def invite_phone(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Invite one phone into a call, with a flat body: 202, to be polled."""
    return edge.keyed(req, context, lambda app, request: app.invite.invite_phone(request))


@app.route("calls/{callId}/participants/move", methods=["POST"], auth_level=KEY)
def move_person(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Move one person from another meeting into a call, with a flat body: 202, to be polled."""
    return edge.keyed(req, context, lambda app, request: app.invite.move_person(request))


@app.route("calls/{callId}/invitations/{invitationId}", methods=["GET"], auth_level=KEY)
def get_invitation(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The invitation as it stands."""
    return edge.keyed(req, context, lambda app, request: app.queries.invitation(request))


@app.route("calls/{callId}/invitations", methods=["GET"], auth_level=KEY)
def list_invitations(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """All invitations of a call, newest first."""
    return edge.keyed(req, context, lambda app, request: app.queries.invitations(request))


@app.route("calls/{callId}/invitations/{invitationId}/result", methods=["GET"], auth_level=ANYONE)
def await_invitation(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """202 while running, then 200 or 4xx; the token in the URL opens it."""
    return edge.answer(req, context, lambda app, request: app.queries.result(request))


@app.route("calls/{callId}/invitations/{invitationId}/callback", methods=["DELETE"], auth_level=ANYONE)
def cancel_wait(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The flow no longer waits; the token in the URL opens it."""
    return edge.answer(req, context, lambda app, request: app.queries.cancel_wait(request))


@app.route("calls/{callId}", methods=["GET"], auth_level=KEY)
def get_call(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The call as Graph last reported it."""
    return edge.keyed(req, context, lambda app, request: app.page.call(request))


@app.route("calls/{callId}/timeline", methods=["GET"], auth_level=KEY)
def get_timeline(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """What happened in a call, oldest first."""
    return edge.keyed(req, context, lambda app, request: app.page.timeline(request))


@app.route("calls/{callId}/page-token", methods=["POST"], auth_level=KEY)
def renew_page_token(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """End all links to a call's page, and get a new one."""
    return edge.keyed(req, context, lambda app, request: app.page.new_page_token(request))


@app.route("calls/{callId}/live", methods=["GET"], auth_level=ANYONE)
def watch_call(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """What the page shows; the page's token opens it."""
    return edge.answer(req, context, lambda app, request: app.page.live(request))


@app.route("page", methods=["GET"], auth_level=ANYONE)
def page(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The page that shows a call live, without data."""
    return edge.answer(req, context, lambda app, request: app.page.page(request))


@app.route("calls/{callId}/participants", methods=["GET"], auth_level=KEY)
def list_participants(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The roster as Graph last reported it."""
    return edge.keyed(req, context, lambda app, request: app.queries.participants(request))


@app.route("calls/start", methods=["POST"], auth_level=KEY)
def start_call(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Join a meeting or start a call, then invite: 202, to be polled."""
    return edge.keyed(req, context, lambda app, request: app.calls.start(request))


@app.route("calls/start-and-wait", methods=["POST"], auth_level=KEY)
def start_call_and_wait(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Join a meeting or start a call, then invite: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
    return edge.keyed(req, context, lambda app, request: app.calls.start_and_wait(request))


@app.route("starts/{startId}", methods=["GET"], auth_level=KEY)
def get_start(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The start as it stands."""
    return edge.keyed(req, context, lambda app, request: app.calls.get(request))


@app.route("starts/{startId}", methods=["DELETE"], auth_level=KEY)
def stop_start(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """End an open start: no further person is called, and its call is left."""
    return edge.keyed(req, context, lambda app, request: app.calls.stop(request))


@app.route("starts/{startId}/result", methods=["GET"], auth_level=ANYONE)
def await_start(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """202 until the outcome, then 200 or 422; the token in the URL opens it."""
    return edge.answer(req, context, lambda app, request: app.calls.result(request))


@app.route("starts/{startId}/callback", methods=["DELETE"], auth_level=ANYONE)
def cancel_start_wait(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The flow no longer waits; the token in the URL opens it."""
    return edge.answer(req, context, lambda app, request: app.calls.cancel_wait(request))


@app.route("calls/{callId}/escalate", methods=["POST"], auth_level=KEY)
def escalate(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Call people step by step until somebody joins: 202, to be polled."""
    return edge.keyed(req, context, lambda app, request: app.escalations.escalate(request))


@app.route("calls/{callId}/escalate-and-wait", methods=["POST"], auth_level=KEY)
def escalate_and_wait(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Call people step by step: 201, and the outcome is POSTed to the flow's ``callbackUrl``."""
    return edge.keyed(req, context, lambda app, request: app.escalations.escalate_and_wait(request))


@app.route("calls/{callId}/escalations/{escalationId}", methods=["GET"], auth_level=KEY)
def get_escalation(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The escalation as it stands."""
    return edge.keyed(req, context, lambda app, request: app.escalations.get(request))


@app.route("calls/{callId}/escalations/{escalationId}", methods=["DELETE"], auth_level=KEY)
def stop_escalation(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Stop an escalation: no further person is called."""
    return edge.keyed(req, context, lambda app, request: app.escalations.stop(request))


@app.route("calls/{callId}/escalations/{escalationId}/result", methods=["GET"], auth_level=ANYONE)
def await_escalation(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """202 until the outcome, then 200 or 422; the token in the URL opens it."""
    return edge.answer(req, context, lambda app, request: app.escalations.result(request))


@app.route("calls/{callId}/escalations/{escalationId}/callback", methods=["DELETE"], auth_level=ANYONE)
def cancel_escalation_wait(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The flow no longer waits; the token in the URL opens it."""
    return edge.answer(req, context, lambda app, request: app.escalations.cancel_wait(request))


@app.route("calls", methods=["GET"], auth_level=KEY)
def list_calls(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Open calls, newest first."""
    return edge.keyed(req, context, lambda app, request: app.calls.calls(request))


@app.route("calls/{callId}", methods=["DELETE"], auth_level=KEY)
def hang_up(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The app leaves the call."""
    return edge.keyed(req, context, lambda app, request: app.calls.hang_up(request))


@app.route("calls/{callId}/participants/{participantId}", methods=["DELETE"], auth_level=KEY)
def remove_participant(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Remove one person from a call."""
    return edge.keyed(req, context, lambda app, request: app.calls.remove(request))


@app.route("calls/{callId}/invitations/{invitationId}", methods=["DELETE"], auth_level=KEY)
def cancel_invitation(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Stop calling the people of an invitation whose devices ring."""
    return edge.keyed(req, context, lambda app, request: app.calls.cancel_invitation(request))


@app.route("notifications", methods=["POST"], auth_level=ANYONE)
def receive_notifications(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """Graph's callbacks, which carry Graph's signed token."""
    return edge.answer(req, context, lambda app, request: app.notifications.receive(request))


@app.route("health", methods=["GET"], auth_level=ANYONE)
def health(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """Whether configuration and storage are in order."""
    return edge.health(context, lambda app: app.health.answer())


@app.route("about", methods=["GET"], auth_level=ANYONE)
def about(req: func.HttpRequest, context: func.Context = BY_HAND) -> func.HttpResponse:
    """The app's name, version and links."""
    return edge.about(req, context)


@app.queue_trigger("message", WORK, storage_connection())
async def work(message: func.QueueMessage, context: func.Context = BY_HAND) -> None:
    """Everything that time brings: alarms, retries, what an earlier request had no time for."""
    with triggered(context):
        await current().work.handle(message.get_body())


@app.queue_trigger("message", OUTCOMES, storage_connection())
async def deliver_outcome(message: func.QueueMessage, context: func.Context = BY_HAND) -> None:
    """Messages of the previous release; removed with the next."""
    with triggered(context):
        await current().work.handle(message.get_body())


@app.queue_trigger("message", CHECKS, storage_connection())
async def check_invitation(message: func.QueueMessage, context: func.Context = BY_HAND) -> None:
    """Messages of the previous release; removed with the next."""
    with triggered(context):
        await current().work.handle(message.get_body())


@app.timer_trigger("timer", "0 30 2 * * *")
def forget_old_calls(timer: func.TimerRequest, context: func.Context = BY_HAND) -> None:  # noqa: ARG001 - the host passes it
    """Remove what is kept of calls that ended long ago, every night."""
    with triggered(context):
        current().retention.forget_old_calls()
