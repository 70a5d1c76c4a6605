"""The doctor: looks at everything that can be seen from outside, in order, and says what mends each fault.

    python -m dev.doctor --settings local.settings.json

The app never imports this. Exit status: 0 well (warnings allowed), 1 a fault, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import sys
import time
from collections import ChainMap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import settings
from dev.doctor.calls import check_graph
from dev.doctor.cloud import check_cloud
from dev.doctor.connection import AUTHORITIES, check_authorities
from dev.doctor.findings import Finding, Status, fault, not_checked, ok, warning
from dev.doctor.keys import check_keys
from dev.doctor.public_address import check_public_address
from dev.doctor.running import Check, Result
from dev.doctor.storage import check_queues, check_table
from dev.doctor.token import check_token
from graph.client import GraphClient
from graph.credentials import TokenSource
from graph.transport import new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping, Sequence

CANNOT_CHECK = (
    "whether the Azure Bot has its Teams channel with calling turned on (Graph answers 7503 where it has not)",
    "whether a Teams policy lets people use the app",
    "whether telephones may be invited: a service number, and a licence for it",
    "whether Graph can reach the public address from the internet: only this machine's view of it was tried",
    "whether whatever creates the calls gives <PUBLIC_BASE_URL>/api/notifications as their callbackUri",
)
_SECRET_SETTINGS = (
    "GRAPH_CLIENT_SECRET",
    "GRAPH_CLIENT_CERTIFICATE",
    "FLOW_CALLBACK_SECRET",
    "AzureWebJobsStorage",
    "STATE_STORAGE",
)
_SECRET_PARTS = re.compile(r"(?:AccountKey|SharedAccessSignature)=([^;]+)|[?&]sig=([^&;]+)", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]{5,}\.[\w.-]+")
_LEAST_SECRET = 6
_NOT_SECRET = re.compile(r"@Microsoft\.KeyVault\(.*|UseDevelopmentStorage=true;?", re.IGNORECASE)
_LEFT_OUT = [not_checked("left out with --skip")]
_REFERENCE = "@Microsoft.KeyVault("
_NO_FILE = "make run makes local.settings.json for this machine; --settings FILE names another; docs/doctor.md"
_SET = "az functionapp config appsettings set -n <app> -g <group> --settings"
# Where a value for a setting that is missing is to be found.
_SOURCES = {
    "GRAPH_TENANT_ID": "az account show --query tenantId -o tsv, after a login to the calls' own tenant",
    "GRAPH_CLIENT_ID": 'az ad app list --display-name "Call Invites" --query "[].appId" -o tsv',
    "PUBLIC_BASE_URL": "https:// and az functionapp show -n <app> -g <group> "
    '--query "properties.defaultHostName || defaultHostName" -o tsv',
    "several credentials": "az functionapp config appsettings delete -n <app> -g <group> --setting-names <the others>",
    "no credential": f'docs/settings.md#credential; {_SET} GRAPH_CLIENT_SECRET="<value>"',
}


class WrongUsage(Exception):
    """The command can't be run as it was given."""


class Examination:
    """The checks of one app, each of which builds on those before it."""

    def __init__(
        self, environment: MutableMapping[str, str], left_out: Sequence[str] = (), *, from_file: bool = True
    ) -> None:
        self._environment = environment
        self._from_file = from_file
        self._left_out = frozenset(left_out)
        self._settings: settings.Settings | None = None
        self._tokens: TokenSource | None = None
        self._has_token = False

    def checks(self) -> list[Check]:
        """Return what is looked at, in order; all time limits together are a minute."""
        return [
            Check("settings", 2, self._look_at_settings),
            Check("cloud", 1, self._of_settings(check_cloud)),
            Check("table-storage", 9, self._of_storage(check_table)),
            Check("queue-storage", 9, self._of_storage(check_queues)),
            Check("token", 9, self._of_settings(self._look_at_token)),
            Check("graph", 9, self._of_settings(self._look_at_graph)),
            Check("callback-keys", 6, self._of_settings(lambda known: check_keys(known, _session(known)))),
            Check("public-address", 15, self._of_settings(lambda known: check_public_address(known, _session(known)))),
        ]

    def results(self) -> Iterator[Result]:
        """Look at one thing after the other, and give what was found as soon as it is known."""
        for check in self.checks():
            started = time.monotonic()
            findings = _LEFT_OUT if check.name in self._left_out else check.findings()
            cleaned = [
                Finding(one.status, self._clean(one.text), one.mend and self._clean(one.mend)) for one in findings
            ]
            yield Result(check.name, round(time.monotonic() - started, 2), cleaned)

    def _of_settings(self, look: Callable[[settings.Settings], list[Finding]]) -> Callable[[], list[Finding]]:
        def looking() -> list[Finding]:
            if self._settings is None:
                return [not_checked("the settings are at fault: see above")]
            return look(self._settings)

        return looking

    def _look_at_settings(self) -> list[Finding]:
        # A dictionary of its own would not be blind to case, as the environment is on Windows.
        environment: ChainMap[str, str] = ChainMap({}, self._environment)
        if "public-address" in self._left_out and not environment.get("PUBLIC_BASE_URL", "").strip():
            # Before the first deployment there is no address yet; in Azure WEBSITE_HOSTNAME makes one.
            environment.setdefault("WEBSITE_HOSTNAME", "not-deployed-yet.invalid")
        findings = [_reference(name) for name in sorted(environment) if environment[name].startswith(_REFERENCE)]
        findings += check_authorities(environment)
        try:
            known = settings.load(environment)
        except settings.SettingsError as error:
            if not self._from_file:
                findings.append(not_checked("no settings file was named: the shell's environment was read", _NO_FILE))
            return findings + [fault(text, _source(text)) for text in error.faults]
        if any(finding.status is Status.FAULT for finding in findings):
            return findings
        self._settings = known
        findings += [warning(text, "docs/settings.md says what it is for") for text in known.warnings]
        return findings or [ok("complete, and none contradicts another")]

    def _look_at_token(self, known: settings.Settings) -> list[Finding]:
        if (known.credential.client_secret or "").startswith(_REFERENCE):
            return [not_checked("the secret is a Key Vault reference: see settings above")]
        self._tokens = TokenSource(known, _session(known))
        token, findings = check_token(known, self._tokens)
        self._has_token = token is not None
        return findings

    def _look_at_graph(self, known: settings.Settings) -> list[Finding]:
        if self._tokens is None or not self._has_token:
            return [not_checked("there is no token to show: see above")]
        return check_graph(known, GraphClient(known.graph_endpoint, self._tokens, _session(known)))

    def _of_storage(self, look: Callable[[settings.Settings, str], list[Finding]]) -> Callable[[], list[Finding]]:
        def looking(known: settings.Settings) -> list[Finding]:
            if (known.storage.connection_string or "").startswith(_REFERENCE):
                return [not_checked("the connection string is a Key Vault reference: see settings above")]
            return look(known, settings.storage_connection(self._environment))

        return self._of_settings(looking)

    def _clean(self, text: str) -> str:
        """Take out whatever is secret, should a message ever hold it."""
        for name in _SECRET_SETTINGS:
            value = self._environment.get(name, "").strip()
            parts = [part for found in _SECRET_PARTS.findall(value) for part in found]
            for secret in (value, *parts):
                if len(secret) >= _LEAST_SECRET and not _NOT_SECRET.fullmatch(secret):
                    text = text.replace(secret, "[secret]")
        text = "".join(character if character.isprintable() else " " for character in _TOKEN.sub("[token]", text))
        return " ".join(text.split())


def _session(known: settings.Settings) -> Any:
    return new_session(
        (known.graph_endpoint, known.authority, known.callback_openid_configuration, known.public_base_url)
    )


def _reference(name: str) -> Finding:
    text = f"{name} is a Key Vault reference, which Azure resolves for the deployed app only"
    mend = f'Give its value for this run: {name}="$(az keyvault secret show --id <SecretUri> --query value -o tsv)"'
    return warning(text, f"{mend} before the command")


def _source(text: str) -> str:
    for start, source in _SOURCES.items():
        if text.startswith(start):
            return source
    return f"{_SET} {text.split(maxsplit=1)[0]}=<value>, or under Values in local.settings.json; docs/settings.md"


def read_settings(file: Path, environment: MutableMapping[str, str]) -> None:
    """Put a file's settings into the environment; what is there already wins, but for the authorities to trust.

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
    texts = [one for pair in values.items() for one in pair] if isinstance(values, dict) else [None]
    usable = all(isinstance(one, str) and "\0" not in one for one in texts)
    if not isinstance(values, dict) or not usable or any(not name or "=" in name for name in values):
        raise WrongUsage(f'the settings file {file} must be {{"Values": {{...}}}}, every value a text')
    # As the local host has it: many machines name authorities in the environment, and the file's are meant.
    environment.update({name: each for name, each in values.items() if name in AUTHORITIES or name not in environment})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    names = [check.name for check in Examination({}).checks()[2:]]
    parser = argparse.ArgumentParser(prog="python -m dev.doctor", description="Says whether the app can work.")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="local.settings.json, or what az lists")
    parser.add_argument("--skip", action="append", default=[], choices=names, help="leave this out; may be repeated")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    options = parser.parse_args(arguments)
    # What the app logs would stand between the lines; the findings say it.
    logging.getLogger().addHandler(logging.NullHandler())
    if options.settings is not None:
        try:
            read_settings(options.settings, os.environ)
        except WrongUsage as error:
            parser.error(str(error))
    results = []
    for result in Examination(os.environ, options.skip, from_file=options.settings is not None).results():
        results.append(result)
        if not options.json:
            _print(result)
    if options.json:
        print(json.dumps(_report(results), indent=2))
    else:
        _print_end(results)
    return int(_is_ill(results))


def _is_ill(results: Sequence[Result]) -> bool:
    return any(result.status is Status.FAULT for result in results)


def _report(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "status": "fault" if _is_ill(results) else "ok",
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
        if finding.mend:
            print(f"{'':<28} -> {finding.mend}", flush=True)


def _print_end(results: Sequence[Result]) -> None:
    counts = [(status, sum(result.status is status for result in results)) for status in Status]
    print()
    print("What can't be seen from here:")
    for what in CANNOT_CHECK:
        print(f"  - {what}")
    print()
    print(f"{len(results)} checks: " + ", ".join(f"{count} {status}" for status, count in counts if count))


if __name__ == "__main__":
    sys.exit(main())
