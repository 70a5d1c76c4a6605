"""The host without its command line: an app's triggers, started and stopped together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from dev.host import app_model, queue_trigger
from dev.host.errors import CannotStart
from dev.host.http_trigger import HttpTrigger
from dev.host.invocation import Invoker, thread_count
from dev.host.queue_trigger import QueueTrigger
from dev.host.timer_trigger import TimerTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.functions import FunctionApp

    from dev.host.host_json import HostOptions
    from dev.host.web import WebServer

_log = logging.getLogger("dev.host.command")
_GRACE_SECONDS = 5.0


class Host:
    """Runs the functions of an app while the ``with`` block lasts."""

    def __init__(self, app: FunctionApp, options: HostOptions, server: WebServer, *, key: str) -> None:
        """Read the app and reach for what its triggers need.

        Args:
            app: The app object, as the module ``function_app`` has it.
            options: From ``host.json``.
            server: A server that listens already and is stopped with the host.
            key: Opens every function, and runs those without a route.

        Raises:
            CannotStart: The app or its settings are not fit to be run.
        """
        self.address = f"http://127.0.0.1:{server.port}"
        self.ended_in_time = True
        self._options = options
        self._server = server
        self._app = app_model.read(app)
        self._invoker = Invoker(thread_count())
        self._queue_functions: list[app_model.QueueFunction] = []
        self._queues: list[QueueTrigger] = []
        for function in self._app.queue:
            try:
                service = queue_trigger.service(function.connection)
            except CannotStart as error:
                # HTTP runs all the same: the app's own answers say what is not configured.
                _log.warning("%s does not run: %s", function.name, error)
                continue
            self._queue_functions.append(function)
            self._queues.append(QueueTrigger(function, self._invoker, options.queues, service))
        self._timers = [TimerTrigger(function, self._invoker) for function in self._app.timer]
        at_once = {function.name: trigger.at_once for function, trigger in self._without_route()}
        self._http = HttpTrigger(self._app, self._invoker, prefix=options.route_prefix, key=key, at_once=at_once)

    def __enter__(self) -> Self:
        for _, trigger in self._without_route():
            trigger.start()
        self._server.start(self._http.answer)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        for timer in self._timers:
            timer.stop()
        for queue in self._queues:
            queue.stop_fetching()
        self.ended_in_time = self._invoker.close(_GRACE_SECONDS)
        if self.ended_in_time:
            for queue in self._queues:
                queue.close()

    def listing(self) -> Iterator[str]:
        """Describe each function in a line, as a developer wants to see them at the start."""
        base = "/".join(part for part in (self.address, self._options.route_prefix) if part)
        for http in self._app.http:
            yield f"{http.name}: [{','.join(sorted(http.methods))}] {base}/{http.template.text}"
        for queue in self._queue_functions:
            yield f"{queue.name}: queue {queue.queue}"
        for timer in self._app.timer:
            yield f"{timer.name}: timer {timer.schedule.text}"

    def _without_route(self) -> Iterator[tuple[app_model.Declared, QueueTrigger | TimerTrigger]]:
        yield from zip(self._queue_functions, self._queues, strict=True)
        yield from zip(self._app.timer, self._timers, strict=True)
