"""The command line: keep a simulator running, and script a running one from another shell."""

from __future__ import annotations

import argparse
import errno
import json
import math
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic.alias_generators import to_camel

from dev.simulator.callback_tokens import Kind
from dev.simulator.client import ADDRESS_FILE, SimulatorClient, SimulatorError
from dev.simulator.console import line
from dev.simulator.examples import EXAMPLES
from dev.simulator.faults import Fault
from dev.simulator.options import Behaviour, OptionError, Options, Outcome, Reporting
from dev.simulator.postman import Delivery
from dev.simulator.scripts import CallOptions, IncomingOptions, Limits, MeetingOptions
from dev.simulator.simulator import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER = Path(".local/simulator")
_ABOUT = """A Microsoft Graph for one machine: Entra ID's tokens, invites into calls, signed callbacks, and faults
on demand.

Without a command it runs until it is stopped. The commands script a simulator that runs already, found by
its folder. Every duration is in Graph's seconds and is multiplied by --time-scale."""
_EXAMPLES = """examples:
  python -m dev.simulator --port 8443
  python -m dev.simulator call --callback-uri http://localhost:7071/api/notifications kind=peerToPeer
  python -m dev.simulator person 278405a3-f568-4b3e-b684-009193463064 declines after=5
  python -m dev.simulator fault status=429 retryAfter=2.128
  python -m dev.simulator fault cut=after rate=0.1
  python -m dev.simulator log rings
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command is None:
            return _serve(options)
        client = SimulatorClient.of_folder(options.folder)
        answer = options.run(client, options)
    except OverflowError:
        print(f"simulator: {options.port} is not a port", file=sys.stderr)
        return 1
    except (SimulatorError, OptionError, OSError) as error:
        is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        is_file = isinstance(error, OSError) and error.filename is not None
        text = f"port {options.port} is in use: choose another with --port" if is_taken else error
        text = f"{error.filename} can't be used ({error.strerror})" if is_file else text  # type: ignore[union-attr]
        print(f"simulator: {text}", file=sys.stderr)
        return 1
    if answer is not None:
        print(answer if isinstance(answer, str) else json.dumps(answer, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dev.simulator",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, default=_FOLDER, help=f"where its files are kept (default {_FOLDER})")
    parser.add_argument("--port", type=int, default=8443, help="where to listen; 0 takes a free port (default 8443)")
    parser.add_argument("--time-scale", type=_scale, default=0.1, help="real seconds in a Graph second (default 0.1)")
    parser.add_argument("--tenant", default=TENANT_ID, help="the tenant's id")
    parser.add_argument("--client-id", default=CLIENT_ID, help="the app registration's client id")
    parser.add_argument("--client-secret", default=CLIENT_SECRET, help="its secret")
    parser.add_argument("--certificate", type=Path, help="its certificate (PEM, public part), to verify assertions")
    parser.add_argument("--seed", type=int, default=0, help="of faults that come at a rate")
    parser.add_argument(
        "--callback-tokens",
        choices=get_args(Kind),
        default="older",
        help="who signs the callbacks' tokens: the calling service itself, or Entra (default older)",
    )
    parser.add_argument(
        "--callback-retries",
        type=int,
        default=Delivery().retries,
        help=f"how often a callback that is not answered 2xx is repeated (default {Delivery().retries})",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    call = _command(commands, "call", "make a call and print its id", _call)
    call.add_argument("--callback-uri", required=True, help="where its events go")
    call.add_argument("--id", help="its id (default: a new one)")
    call.add_argument(
        "--example", type=int, choices=EXAMPLES, help="report as this example of Graph's page on inviting prints it"
    )
    _options(call, CallOptions)
    end = _command(commands, "end", "end a call", _end)
    end.add_argument("call_id")
    end.add_argument("--quietly", action="store_true", help="send no notification")
    for name, about in (("join", "have a person come into a call"), ("leave", "have a person leave a call")):
        moved = _command(commands, name, about, _move)
        moved.add_argument("call_id")
        moved.add_argument("person", help="an identity id")
    incoming = _command(commands, "incoming", "have a person call the app and print the call's id", _incoming)
    incoming.add_argument("--callback-uri", required=True, help="the bot's webhook for calling")
    incoming.add_argument("source", help="who calls: a user id or a phone number")
    _options(incoming, IncomingOptions)
    for name, about, kind in (
        ("meeting", "add a meeting and print its links", MeetingOptions),
        ("limits", "change limits of the service", Limits),
        ("report", "change how everything is reported", Reporting),
        ("fault", "add a fault and print its number", Fault),
    ):
        _options(_command(commands, name, about, _change), kind)
    person = _command(commands, "person", "set what a person does when called", _person)
    person.add_argument("person", help="an identity id, or 'everyone'")
    person.add_argument("outcome", choices=get_args(Outcome))
    _options(person, Behaviour)
    _command(commands, "no-faults", "remove every fault", lambda client, _: client.remove_faults())
    log = _command(commands, "log", "print what happened, as JSON", _log)
    kinds = ("requests", "rings", "callbacks", "tokens", "keyFetches", "calls")
    log.add_argument("kind", nargs="?", choices=kinds, help="only this kind")
    _command(commands, "settings", "print the app's settings, as JSON", lambda client, _: client.settings())
    _command(commands, "reset", "forget calls, people, faults and the log", lambda client, _: client.reset())
    return parser


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale < math.inf:
        raise argparse.ArgumentTypeError("more than 0")
    return scale


def _command(commands: Any, name: str, about: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=run)
    # Given before or after the command's name; a default here would undo the one given before it.
    parser.add_argument("--folder", type=Path, default=argparse.SUPPRESS, help="of the running simulator")
    return parser


def _options(parser: argparse.ArgumentParser, kind: type[Options]) -> None:
    offered = kind.describe()
    for argument in ("outcome", "callbackUri", "id", "source"):
        offered.pop(argument, None)
    parser.epilog = "name=value:\n" + "\n".join(f"  {name}: {what}" for name, what in offered.items())
    parser.add_argument("options", nargs="*", type=_option, metavar="name=value", help="see below")


def _option(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _call(client: SimulatorClient, options: argparse.Namespace) -> object:
    chosen = {to_camel(name): value for name, value in EXAMPLES.get(options.example, {}).items()}
    return client.create_call(options.callback_uri, call_id=options.id, **{**chosen, **dict(options.options)})


def _end(client: SimulatorClient, options: argparse.Namespace) -> None:
    client.end_call(options.call_id, announce=not options.quietly)


def _move(client: SimulatorClient, options: argparse.Namespace) -> None:
    getattr(client, options.command)(options.call_id, options.person)


def _change(client: SimulatorClient, options: argparse.Namespace) -> object:
    return getattr(client, options.command)(**dict(options.options))


def _incoming(client: SimulatorClient, options: argparse.Namespace) -> object:
    return client.incoming_call(options.callback_uri, options.source, **dict(options.options))


def _person(client: SimulatorClient, options: argparse.Namespace) -> None:
    if options.person == "everyone":
        client.everyone(options.outcome, **dict(options.options))
        return
    client.person(options.person, options.outcome, **dict(options.options))


def _log(client: SimulatorClient, options: argparse.Namespace) -> object:
    log = client.log()
    return log[options.kind] if options.kind else log


def _serve(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    simulator = Simulator(
        time_scale=options.time_scale,
        port=options.port,
        folder=options.folder,
        tenant_id=options.tenant,
        client_id=options.client_id,
        client_secret=options.client_secret,
        certificate_pem=options.certificate.read_text() if options.certificate else None,
        seed=options.seed,
        delivery=Delivery(retries=options.callback_retries),
        callback_tokens=options.callback_tokens,
    )
    simulator.log.listen(lambda entry: _print(line(entry)))
    address_file = options.folder / ADDRESS_FILE
    with simulator:
        address = {"baseUrl": simulator.base_url, "caFile": simulator.ca_file, "processId": os.getpid()}
        address_file.write_text(json.dumps(address))
        _print(f"Microsoft Graph, simulated: {simulator.base_url} (a Graph second lasts {options.time_scale:g} s)")
        _print(f"Certificate authority:      {simulator.ca_file}")
        _print("Settings for local.settings.json, under Values:")
        _print("\n".join(f"  {text}" for text in json.dumps(simulator.settings(), indent=2).splitlines()[1:-1]))
        _print("Script it from another shell: python -m dev.simulator --help. Stop it with Ctrl+C.")
        try:
            stop.wait()
        finally:
            address_file.unlink(missing_ok=True)
    return 0


def _print(text: str | None) -> None:
    if text is not None:
        print(text, flush=True)
