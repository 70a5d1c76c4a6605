"""The host without its command line: an app's triggers, started and stopped together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from dev.host import app_model, queue_trigger
from dev.host.admin import Admin
from dev.host.errors import CannotStart
from dev.host.http_trigger import HttpTrigger
from dev.host.queue_trigger import QueueTrigger
from dev.host.timer_trigger import TimerTrigger
from dev.host.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.functions import FunctionApp

    from dev.host.host_json import HostOptions
    from dev.host.http_server import HttpServer

_log = logging.getLogger("dev.host")
_GRACE_SECONDS = 5.0


class Host:
    """Runs the functions of an app while the ``with`` block lasts."""

    def __init__(self, app: FunctionApp, options: HostOptions, server: HttpServer, *, key: str) -> None:
        """Read the app and prepare its triggers.

        Args:
            app: The app object, as the module ``function_app`` has it.
            options: From ``host.json``.
            server: Has its port already, and is stopped with the host.
            key: Opens every function, and ``/admin/functions``.

        Raises:
            CannotStart: The app or its settings can't be run.
        """
        self.address = f"http://127.0.0.1:{server.port}"
        self.ended_in_time = True
        self._prefix = options.extensions.http.route_prefix.strip("/")
        self._server = server
        self._app = app_model.read(app)
        self._worker = Worker()
        self._queues: list[QueueTrigger] = []
        for function in self._app.queue:
            try:
                service = queue_trigger.service(function.connection)
            except CannotStart as error:
                # HTTP runs all the same: the app's own responses say what is not configured.
                _log.warning("%s does not run: %s", function.name, error)
                continue
            self._queues.append(QueueTrigger(function, self._worker, options.extensions.queues, service))
        self._timers = [TimerTrigger(function, self._worker) for function in self._app.timer]
        triggers: list[QueueTrigger | TimerTrigger] = [*self._queues, *self._timers]
        run = {trigger.function.name: trigger.run_once for trigger in triggers}
        self._listening = [trigger for trigger in triggers if not trigger.function.is_disabled]
        admin = Admin(self._app, self.address, self._prefix, run)
        self._http = HttpTrigger(self._app, self._worker, admin, prefix=self._prefix, key=key)

    def __enter__(self) -> Self:
        for trigger in self._listening:
            self._worker.spawn(trigger.listen())
        self._server.start(self._http.answer)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        for trigger in self._listening:
            self._worker.spawn(trigger.stop())
        self.ended_in_time = self._worker.close(_GRACE_SECONDS)
        if self.ended_in_time:
            for queue in self._queues:
                queue.close()

    def listing(self) -> Iterator[str]:
        """Describe each function in a line, as a developer wants to see them at the start."""
        base = "/".join(part for part in (self.address, self._prefix) if part)
        for http in self._app.http:
            yield f"{http.name}: [{','.join(sorted(http.methods))}] {base}/{http.template.text}{_note(http)}"
        for queue in self._app.queue:
            yield f"{queue.name}: queue {queue.queue}{_note(queue)}"
        for timer in self._app.timer:
            yield f"{timer.name}: timer {timer.schedule}{_note(timer)}"


def _note(function: app_model.Declared) -> str:
    return " (disabled)" if function.is_disabled else ""
