"""How soon a waiting flow is notified, and what requests cost each other, with the queue function disabled."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from dev.benchmarks.bodies import invite_body, operation_report
from dev.benchmarks.callbacks import Posts, running_host
from dev.benchmarks.far import far
from dev.benchmarks.measure import ROOT, Figure, compared, compared_at_95, in_turn, say, worker
from dev.benchmarks.real_parts import real_parts
from dev.simulator.certificates import server_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

# A flow is not POSTed sooner than a second after its 201.
LISTENS_SECONDS = 1.1
_CREATED = 201
AT_ONCE = 16


class Flows:
    """A server of flows over HTTPS that notes when each POST arrives; one named ``hangs…`` never responds."""

    def __init__(self, context: ssl.SSLContext) -> None:
        arrived: dict[str, float] = {}
        over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                arrived[self.path[1:]] = time.monotonic()
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.startswith("/hangs"):
                    over.wait()
                with suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write no log."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that closes its connection is none."""

        self._over, self.arrived = over, arrived
        self._server = Server(("127.0.0.1", 0), Handler)
        # The handshake is made by the request's own thread.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = f"localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end what hangs."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


class App:
    """The app on the local host, as a flow and Graph see it."""

    def __init__(self, posts: Posts, calls: list[str], flows: Flows) -> None:
        self._posts, self._calls, self._flows = posts, calls, flows
        self._number = 0

    def invite(self, flow: str | None = None) -> dict[str, Any]:
        """Invite one person; a flow of this name waits."""
        self._number += 1
        path = f"/api/calls/{self._calls[self._number % len(self._calls)]}/participants/invite"
        body = invite_body(uuid.uuid4().hex)
        if flow is None:
            made: dict[str, Any] = self._posts.post(path, body)
        else:
            url = f"https://{self._flows.host}/{flow}"
            made = self._posts.post(f"{path}-and-wait", body | {"callbackUrl": url}, status=_CREATED)
        return made

    def escalate(self) -> tuple[str, dict[str, Any]]:
        """Call a person in a step for a new flow; return its name and the step's invitation."""
        self._number += 1
        name, call_id = uuid.uuid4().hex, self._calls[self._number % len(self._calls)]
        steps = [{"participants": invite_body("", str(uuid.uuid4()))["participants"], "waitSeconds": 300}]
        body = {"steps": steps, "callbackUrl": f"https://{self._flows.host}/{name}"}
        (step,) = self._posts.post(f"/api/calls/{call_id}/escalate-and-wait", body, status=_CREATED)["steps"]
        return name, self._posts.get(f"/api/calls/{call_id}/invitations/{step['invitationId']}")

    def report(self, made: dict[str, Any]) -> float:
        """Report that an invitation has completed; return the milliseconds of the callback."""
        body = operation_report(made["callId"], made["clientContext"], made["operations"][0]["id"])
        return milliseconds(lambda: self._posts.post("/api/notifications", body))

    def poll(self, made: dict[str, Any]) -> None:
        """Read an invitation."""
        self._posts.get(f"/api/calls/{made['callId']}/invitations/{made['id']}")

    def notify(self) -> tuple[str, dict[str, Any]]:
        """Invite one person for a new flow; return its name and the invitation."""
        name = uuid.uuid4().hex
        return name, self.invite(name)


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    started = time.monotonic()
    work()
    return 1000 * (time.monotonic() - started)


@contextmanager
def running(*, away: float = 0) -> Iterator[tuple[App, Flows, dict[str, str]]]:
    """Run the app with storage that many milliseconds away; give it, a server of flows, and the settings."""
    with ExitStack() as stack:
        shared = stack.enter_context(real_parts())
        if away:
            shared["AzureWebJobsStorage"] = stack.enter_context(far(shared["AzureWebJobsStorage"], away))
        flows = Flows(server_context(Path(shared["REQUESTS_CA_BUNDLE"]).parent))
        stack.callback(flows.close)
        own = {"AzureWebJobs.work.Disabled": "true", "FLOW_CALLBACK_LOCAL_HOSTS": flows.host}
        threads = {"PYTHON_THREADPOOL_THREAD_COUNT": str(AT_ONCE)}
        posts = Posts(stack.enter_context(running_host(ROOT, shared | own | threads)), shared["BENCHMARK_TOKEN"])
        yield App(posts, shared["BENCHMARK_CALLS"].split(), flows), flows, shared


def post(*, rounds: int = 9, count: int = 12) -> Iterator[Figure]:
    """Measure from sending a callback to the arrival of the flow's POST."""
    what = "from sending a callback to the arrival of the flow's POST"
    yield from _until_posted("post", what, App.notify, rounds, count)


def won(*, rounds: int = 9, count: int = 12) -> Iterator[Figure]:
    """Measure from sending the callback that wins an escalation to the arrival of the flow's POST."""
    what = "from sending a callback that a person of a step answered to the arrival of the flow's POST"
    yield from _until_posted("won", what, App.escalate, rounds, count)


def _until_posted(
    bench: str, what: str, prepare: Callable[[App], tuple[str, dict[str, Any]]], rounds: int, count: int
) -> Iterator[Figure]:
    say(what)
    single: tuple[list[float], list[float]] = [], []
    with (
        running() as (app, flows, shared),
        worker("bare", {**shared, "BENCHMARK_FLOWS": f"https://{flows.host}"}) as bare,
    ):

        def ours() -> float:
            waiting = [prepare(app) for _ in range(count)]
            time.sleep(LISTENS_SECONDS)
            began = {}
            for name, made in waiting:
                began[name] = time.monotonic()
                app.report(made)
            return taken(0, began)

        def theirs() -> float:
            return taken(1, bare.ask("notify", count))

        def taken(side: int, began: dict[str, float]) -> float:
            times = [1000 * (flows.arrived[name] - at) for name, at in began.items()]
            single[side].extend(times)
            return median(times)

        samples = in_turn(rounds, ours, theirs)
    other, twice = "a bare script", 2 if bench == "won" else 1  # it reads and replaces the escalation's rows as well
    yield compared(bench, what, samples, other, at_most=2.2 * twice)
    yield compared_at_95(bench, f"95th percentile {what}", single, other, at_most=3.0 * twice)


def hanging(*, rounds: int = 7, count: int = 24) -> Iterator[Figure]:
    """Measure callbacks while another callback waits for a flow that hangs, and alone."""
    say("callbacks while a flow hangs")
    single: tuple[list[float], list[float]] = [], []
    with running() as (app, _, _):

        def beside() -> float:
            made = [app.invite() for _ in range(count)]
            held = app.invite(f"hangs-{uuid.uuid4().hex}")
            time.sleep(LISTENS_SECONDS)
            with ThreadPoolExecutor(1) as pool:
                hangs = pool.submit(app.report, held)
                time.sleep(0.2)
                times = [app.report(one) for one in made if not hangs.done()]
            return taken(0, times)

        def alone() -> float:
            made = [app.invite() for _ in range(count)]
            time.sleep(LISTENS_SECONDS)
            return taken(1, [app.report(one) for one in made])

        def taken(side: int, times: list[float]) -> float:
            single[side].extend(times)
            return median(times)

        samples = in_turn(rounds, beside, alone)
    what = "a callback while another waits for a flow that hangs"
    yield compared("hanging", what, samples, "alone", at_most=1.2)
    yield compared_at_95("hanging", f"95th percentile of {what}", single, "alone", at_most=2.0)
