#!/bin/sh
# azure-functions-runtime 1.3.0, azure-functions 2.3.0, opentelemetry-sdk 1.45.1, Python 3.13.
#
# Expected: with PYTHON_ENABLE_OPENTELEMETRY a function's spans belong to the trace that the host sends with the
# invocation, as they do with 1.2.1.
# Seen: this holds for an async function only. The runtime attaches the trace context in its event loop and runs a
# synchronous function with loop.run_in_executor, which copies no context variables to the thread: each span there
# begins a trace of its own. Extracting context.trace_context inside the function and attaching it restores the parent.
#
# Output seen:
#   async: the host's trace
#   sync: a trace of its own
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A name on PATH proves nothing where pyenv's shims are: the first that runs is taken.
for python in "${PYTHON:-python3.13}" python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python; do
  "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2> /dev/null && break
done
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  azure-functions-runtime==1.3.0 azure-functions==2.3.0 opentelemetry-sdk==1.45.1
mkdir "$folder/app"
cat > "$folder/app/function_app.py" <<'PY'
import azure.functions as func
from opentelemetry import trace

app = func.FunctionApp()

@app.queue_trigger("message", "queue", "AzureWebJobsStorage")
async def async_one(message: func.QueueMessage) -> None:
    trace.get_tracer("app").start_span("async").end()

@app.queue_trigger("message", "queue", "AzureWebJobsStorage")
def sync_one(message: func.QueueMessage) -> None:
    trace.get_tracer("app").start_span("sync").end()
PY
cat > "$folder/host.py" <<'PY'
# The host's side: its messages as plain objects in place of protobuf.
import asyncio, os, sys
from types import SimpleNamespace as Message

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
os.environ["PYTHON_ENABLE_OPENTELEMETRY"] = "true"
sys.path.insert(0, sys.argv[1])

from azure_functions_runtime import handle_event
from azure_functions_runtime.utils.threadpool import start_threadpool_executor

class Names(type):
    def __getattr__(cls, name):
        return 1 if name == "out" else name

class Protos:
    def __getattr__(self, name):
        return Names(name, (Message,), {"undefined": None} if name == "BindingInfo" else {})

class Text(Message):
    def WhichOneof(self, _):
        return "string" if hasattr(self, "string") else "data"

async def main():
    start_threadpool_executor()
    init = Message(capabilities={}, function_app_directory=sys.argv[1])
    request = Message(request=Message(worker_init_request=init), properties={"host": "", "protos": Protos()})
    answer = await handle_event.worker_init_request(request)
    assert answer.result.status == "Success", answer
    for function_id, function in handle_event._functions._functions.items():
        invocation = Message(
            invocation_id="1", function_id=function_id, trigger_metadata={},
            input_data=[Text(name="message", data=Text(string="{}"))],
            trace_context=Message(trace_parent=f"00-{'a' * 32}-{'b' * 16}-01", trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await handle_event.invocation_request(Message(request=Message(invocation_request=invocation)))
        assert answer.result.status == "Success", answer

asyncio.run(main())
found = {one.name: f"{one.context.trace_id:032x}" == "a" * 32 for one in spans.get_finished_spans()}
for name, is_hosts in sorted(found.items()):
    print(f"{name}: {'the host' + chr(39) + 's trace' if is_hosts else 'a trace of its own'}")
sys.exit(found != {"async": True, "sync": False})
PY
"$folder/venv/bin/python" "$folder/host.py" "$folder/app"
