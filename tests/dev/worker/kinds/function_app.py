"""One function for each kind of response and failure that the local host and the real worker must treat alike."""

import json
from typing import Any

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("kinds/{kind}", methods=["POST"])
def respond(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Respond in the way that the route names."""
    kind = req.route_params["kind"]
    if kind == "seen":
        trace: Any = context.trace_context
        seen = [req.method, req.get_body().decode(), dict(req.params), dict(req.route_params), req.headers["x-name"]]
        seen += [context.function_name, trace.trace_parent[:36], trace.Traceparent[:36], trace.Tracestate]
        return func.HttpResponse(json.dumps(seen), mimetype="application/json")
    if kind == "cookies":
        response = func.HttpResponse("x", headers={"Set-Cookie": "a=1; Path=/; Secure"})
        response.headers.add("Set-Cookie", "b=2")
        return response
    responses: dict[str, Any] = {
        "text": lambda: func.HttpResponse("\u00e9"),
        "bytes": lambda: func.HttpResponse(b"\xff\x00", status_code=202, mimetype="application/octet-stream"),
        "empty": lambda: func.HttpResponse(status_code=204),
        "headers": lambda: func.HttpResponse("{}", status_code=422, headers={"Content-Type": "a/b", "Age": "2"}),
        "charset": lambda: func.HttpResponse("\u00e9", charset="latin-1"),
        "nothing": lambda: None,
        "mapping": lambda: {"a": 1},
        "raises": lambda: 1 // 0,
    }
    return responses[kind]()  # type: ignore[no-any-return] # some are no responses, on purpose


@app.queue_trigger("message", "kinds", "AzureWebJobsStorage")
async def work(message: func.QueueMessage):  # type: ignore[no-untyped-def] # noqa: ANN201 - what it returns is under test
    """Return what the message says: nothing, or a value that nothing takes."""
    return message.get_json()
