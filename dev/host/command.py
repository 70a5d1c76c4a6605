"""``python -m dev.host``: runs the app in this folder without Azure Functions Core Tools.

What to run is read from ``function_app.app``, ``host.json`` and ``local.settings.json``. The setting
DEV_HOST_HIDDEN_SECONDS (600) is how long a queue message stays hidden whose run was killed.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import secrets
import signal
import sys
import threading
import traceback
from pathlib import Path

from azure.functions import FunctionApp

from dev.host import host_json, settings_file
from dev.host.errors import CannotStart
from dev.host.http_server import HttpServer
from dev.host.runtime import Host

_PORT = 7071


def main(arguments: list[str] | None = None) -> int:
    """Run the app until the process gets SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m dev.host", description=__doc__)
    parser.add_argument("--port", type=int, default=_PORT, help=f"0 takes a free one (default {_PORT})")
    parser.add_argument("--key", help="opens every function (default: a random one, printed)")
    parser.add_argument("--settings", type=Path, default=Path("local.settings.json"))
    options = parser.parse_args(arguments)
    _configure_logging()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        host = _host(options.port, options.key, options.settings)
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    with host:
        for line in host.listing():
            print(f"  {line}")
        # One write, newline and all: a program that waits for this line may read it between two lines of the log.
        sys.stdout.write(f"listening on {host.address}\n")
        sys.stdout.flush()
        stopped.wait()
    if not host.ended_in_time:
        # A function still runs, and its thread would keep the process: the real host kills its worker, too.
        logging.shutdown()
        os._exit(0)
    return 0


def _host(port: int, key: str | None, settings: Path) -> Host:
    options = host_json.read(Path("host.json"))
    for name in settings_file.load(settings):
        print(f"{name}: the environment's value is used, not that of {settings}")
    try:
        server = HttpServer(port)
    except OverflowError as error:
        raise CannotStart(f"{port} is not a port.") from error
    except OSError as error:
        raise CannotStart(f"Port {port} cannot be used ({error.strerror}): choose another with --port.") from error
    try:
        if "WEBSITE_HOSTNAME" not in os.environ:
            os.environ.setdefault("PUBLIC_BASE_URL", f"http://127.0.0.1:{server.port}")
        if key is None:
            key = secrets.token_urlsafe(32)
            print(f"key for this run: {key}")
        _set_up_telemetry()
        return Host(_import_app(), options, server, key=key)
    except BaseException:
        server.stop()
        raise


def _import_app() -> FunctionApp:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module("function_app")
    except Exception as error:
        traceback.print_exc()
        raise CannotStart("function_app.py could not be imported; the trace is above.") from error
    app = getattr(module, "app", None)
    if not isinstance(app, FunctionApp):
        raise CannotStart("function_app.py has no `app = func.FunctionApp(...)`.")
    return app


def _set_up_telemetry() -> None:
    """Send telemetry to Application Insights where a setting says so; the worker does it before it loads an app."""
    if os.environ.get("PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "").strip().casefold() != "true":
        return
    from azure.monitor.opentelemetry import configure_azure_monitor  # noqa: PLC0415 - half a second to import

    try:
        configure_azure_monitor()
    except ValueError as error:
        reason = "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY needs a valid APPLICATIONINSIGHTS_CONNECTION_STRING."
        raise CannotStart(reason) from error


def _configure_logging() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    # Each request to storage would be logged at length; the real host's log level for these is set in Azure.
    logging.getLogger("azure").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
