#!/bin/sh
# azure-monitor-opentelemetry 1.8.11 (exporter 1.0.0b58), azure-core 1.41.0, Python 3.11 to 3.13.
#
# Expected: a process that logs one line at level info sends that line, and then nothing.
# Seen: it sends without end. The exporter posts each batch with azure-core, whose logger
# azure.core.pipeline.policies.http_logging_policy writes the request and the response at level info. With the root
# logger at info, as the Azure Functions worker sets it, configure_azure_monitor() exports these lines in the next
# batch, whose request is logged in turn. logging.getLogger("azure").setLevel(logging.WARNING) ends it.
#
# Output seen (the number varies):
#   batches in 5 idle seconds, azure at INFO: 9
#   batches in 5 idle seconds, azure at WARNING: 0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  azure-monitor-opentelemetry==1.8.11 azure-monitor-opentelemetry-exporter==1.0.0b58 azure-core==1.41.0
cat > "$folder/idle.py" <<'PY'
import json, logging, os, sys, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

batches = []

class Ingestion(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/track"):
            batches.append(time.monotonic())
        body = json.dumps({"itemsReceived": 1, "itemsAccepted": 1, "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Ingestion)
threading.Thread(target=server.serve_forever, daemon=True).start()
here = f"http://127.0.0.1:{server.server_address[1]}/"
os.environ["APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL"] = "true"
os.environ["OTEL_METRICS_EXPORTER"] = "none"
os.environ["OTEL_BLRP_SCHEDULE_DELAY"] = "500"
logging.getLogger().setLevel(logging.INFO)

from azure.monitor.opentelemetry import configure_azure_monitor

configure_azure_monitor(
    connection_string=f"InstrumentationKey={uuid.uuid4()};IngestionEndpoint={here};LiveEndpoint={here}"
)
logging.getLogger("azure").setLevel(sys.argv[1])
logging.getLogger("app").info("one line")
while not batches:
    time.sleep(0.1)
time.sleep(2)
before = len(batches)
time.sleep(5)
print(f"batches in 5 idle seconds, azure at {sys.argv[1]}: {len(batches) - before}", flush=True)
os._exit(0 if (len(batches) - before > 2) == (sys.argv[1] == "INFO") else 1)
PY
"$folder/venv/bin/python" "$folder/idle.py" INFO
"$folder/venv/bin/python" "$folder/idle.py" WARNING
