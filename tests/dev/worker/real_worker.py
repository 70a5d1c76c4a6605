"""Runs the app in this folder on Microsoft's worker library: one JSON request a line in, one JSON response a line out.

The library, https://pypi.org/project/azure-functions-runtime/, is what indexes and invokes an app in Azure from Python
3.13 on. It is given the host's messages; here they are plain objects with the members that
https://github.com/Azure/azure-functions-language-worker-protobuf declares.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime  # type: ignore[import-not-found] # in an environment of its own


class Message(SimpleNamespace):
    """A protobuf message as far as the library reads it."""

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Return which member of a group is there."""
        return "data" if group == "rpc_data" else next(iter(vars(self)), None)


class _Protos:
    """The message types: any name is one; those with constants are here."""

    class StatusResult(Message):
        Success, Failure = "Success", "Failure"

    class BindingInfo(Message):
        out, inout, undefined = 1, 2, 0

    class RpcHttpCookie(Message):
        SameSite = SimpleNamespace(Lax=1, Strict=2, ExplicitNone=3, **{"None": 0})

    def __getattr__(self, _: str) -> type[Message]:
        return Message


async def _init() -> dict[str, Any]:
    request = Message(capabilities={}, function_app_directory=os.getcwd())  # noqa: PTH109 - the host sends a string
    properties = {"host": "127.0.0.1", "protos": _Protos()}
    response = await runtime.worker_init_request(
        Message(request=Message(worker_init_request=request), properties=properties)
    )
    listed = await runtime.functions_metadata_request(Message())
    return {
        **_result(response.result),
        "metadata": _result(listed.result)["status"],
        "functions": [
            {"name": each.name, "id": each.function_id, "bindings": [json.loads(text) for text in each.raw_bindings]}
            for each in listed.function_metadata_results or ()
        ],
    }


async def _invoke(given: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: Message(json=json.dumps(value)) for name, value in given.get("metadata", {}).items()}
    invocation = Message(
        invocation_id=given["invocation"],
        function_id=given["id"],
        trace_context=Message(trace_parent=given["trace"], trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        input_data=[Message(name=given["parameter"], data=_data(given["data"]))],
        trigger_metadata=metadata,
    )
    response = await runtime.invocation_request(Message(request=Message(invocation_request=invocation), properties={}))
    result = _result(response.result)
    if (value := getattr(response, "return_value", None)) is not None:
        http = value.http
        result["http"] = {
            "status": http.status_code,
            "headers": http.headers,
            "cookies": [f"{each.name}={each.value}" for each in http.cookies or ()],
            "body": base64.b64encode(http.body.bytes).decode(),
        }
    return result


def _data(given: dict[str, Any]) -> Message:
    """Make what a trigger fills: a request, bytes in Base64, or JSON."""
    if "http" in given:
        body = _data(given["http"].pop("body")) if given["http"].get("body") else Message()
        return Message(http=Message(**{**given["http"], "body": body}))
    if "bytes" in given:
        return Message(bytes=base64.b64decode(given["bytes"]))
    return Message(json=given["json"])


def _result(result: Any) -> dict[str, Any]:
    exception = getattr(result, "exception", None)
    return {
        "status": result.status,
        "message": exception.message if exception else "",
        "stack": exception.stack_trace if exception else "",
    }


async def _main() -> None:
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the app prints goes to the log
    runtime.start_threadpool_executor()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        given = json.loads(line)
        output.write(json.dumps(await (_invoke(given) if given else _init())) + "\n")
        output.flush()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - an entry of the path is a string
    asyncio.run(_main())
