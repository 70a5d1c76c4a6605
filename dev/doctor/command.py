"""The doctor's command: what it reads and what it prints.

    python -m dev.doctor --settings local.settings.json

The app never imports this. Exit status: 0 well (warnings allowed), 1 a fault, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev.doctor.examination import Examination, session_for
from dev.doctor.findings import Status
from dev.doctor.latency import Plan
from dev.doctor.measuring import KEY, measure
from domain.configuration.trust import CA_BUNDLES

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from dev.doctor.running import Result

CANNOT_CHECK = (
    "whether the Azure Bot has its Teams channel with calling turned on (Graph answers 7503 where it has not)",
    "whether a Teams policy lets people use the app",
    "whether phones may be invited: a service number, and a license for it",
    "whether Graph can reach the public URL from the internet: only this machine's view of it was tried",
    "whether calls are created with <PUBLIC_BASE_URL>/api/notifications as their callbackUri",
)


class WrongUsage(Exception):
    """The command can't be run as it was given."""


def read_settings(file: Path, environment: MutableMapping[str, str]) -> None:
    """Put a file's settings into the environment; what is there already wins, except for CA bundles.

    Args:
        file: ``local.settings.json``, or what ``az functionapp config appsettings list`` prints.
        environment: where they go.

    Raises:
        WrongUsage: there is no such file, or it has neither form.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise WrongUsage(f"the settings file {file} can't be read ({error.strerror})") from error
    except ValueError as error:
        raise WrongUsage(f"the settings file {file} is not JSON") from error
    if isinstance(content, dict) and content.get("IsEncrypted"):
        raise WrongUsage(f"the settings file {file} is encrypted: func settings decrypt")
    if isinstance(content, list):
        values: Any = {one.get("name"): one.get("value") or "" for one in content if isinstance(one, dict)}
    else:
        values = content.get("Values") if isinstance(content, dict) else None
    strings = [one for pair in values.items() for one in pair] if isinstance(values, dict) else [None]
    usable = all(isinstance(one, str) and "\0" not in one for one in strings)
    if not isinstance(values, dict) or not usable or any(not name or "=" in name for name in values):
        raise WrongUsage(f'the settings file {file} must be {{"Values": {{...}}}}, every value a string')
    # As the local host does: many machines name a CA bundle in the environment, and the file's is meant.
    environment.update({name: each for name, each in values.items() if name in CA_BUNDLES or name not in environment})
    if "CONTAINER_NAME" not in values:  # a sign of Azure for the app, and this machine may be a container too
        environment.pop("CONTAINER_NAME", None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    names = [check.name for check in Examination({}).checks()[2:]]
    parser = argparse.ArgumentParser(prog="python -m dev.doctor", description="Says whether the app can work.")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="local.settings.json, or what az lists")
    parser.add_argument("--skip", action="append", default=[], choices=names, help="leave this out; may be repeated")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument("--latency", action="store_true", help="measure a deployed app instead, with FUNCTION_KEY")
    parser.add_argument(
        "--samples", type=int, choices=range(1, 11), default=3, metavar="N", help="of --latency: 1 to 10"
    )
    options = parser.parse_args(arguments)
    # The app's log would mix with the lines.
    logging.getLogger().addHandler(logging.NullHandler())
    if options.settings is not None:
        try:
            read_settings(options.settings, os.environ)
        except WrongUsage as error:
            parser.error(str(error))
    left_out = names if options.latency else options.skip
    examination = Examination(os.environ, left_out, from_file=options.settings is not None)
    if options.latency:
        (settings, *_) = examination.results()
        if examination.known is None:
            _print(settings)
            return 1
        plan = Plan(samples=options.samples)
        session = session_for(examination.known)
        return measure(examination.known, os.environ.get(KEY), session, plan, as_json=options.json)
    results = []
    for result in examination.results():
        results.append(result)
        if not options.json:
            _print(result)
    if options.json:
        print(json.dumps(_report(results), indent=2))
    else:
        _print_end(results)
    return int(_is_faulty(results))


def _is_faulty(results: Sequence[Result]) -> bool:
    return any(result.status is Status.FAULT for result in results)


def _report(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "status": "fault" if _is_faulty(results) else "ok",
        "checks": [
            {
                "name": result.name,
                "status": result.status,
                "seconds": result.seconds,
                "findings": [asdict(finding) for finding in result.findings],
            }
            for result in results
        ],
        "cannotCheck": list(CANNOT_CHECK),
    }


def _print(result: Result) -> None:
    for finding in result.findings:
        print(f"{finding.status:<12} {result.name:<15} {finding.text}", flush=True)
        if finding.fix:
            print(f"{'':<28} -> {finding.fix}", flush=True)


def _print_end(results: Sequence[Result]) -> None:
    counts = [(status, sum(result.status is status for result in results)) for status in Status]
    print()
    print("What can't be seen from here:")
    for what in CANNOT_CHECK:
        print(f"  - {what}")
    print()
    print(f"{len(results)} checks: " + ", ".join(f"{count} {status}" for status, count in counts if count))
