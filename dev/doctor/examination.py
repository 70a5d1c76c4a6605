"""Everything that the doctor looks at, in order: each check builds on those before it."""

from __future__ import annotations

import re
import time
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import settings
from dev.doctor import advice
from dev.doctor.calls import check_graph
from dev.doctor.cloud import check_cloud
from dev.doctor.connection import check_bundle
from dev.doctor.findings import Finding, Status, fault, not_checked, ok, warning
from dev.doctor.keys import check_keys
from dev.doctor.public_address import check_public_address
from dev.doctor.running import Check, Result
from dev.doctor.storage import check_queues, check_table
from dev.doctor.token import check_token
from domain.configuration.faults import Kind
from graph.certificates import open_certificate
from graph.client import GraphClient
from graph.credentials import TokenSource
from graph.transport import new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping, Sequence

    from domain.configuration.faults import Fault

_SECRET_SETTINGS = (
    "GRAPH_CLIENT_SECRET",
    "GRAPH_CLIENT_CERTIFICATE",
    "GRAPH_CLIENT_CERTIFICATE_PASSWORD",
    "FLOW_CALLBACK_SECRET",
    "AzureWebJobsStorage",
    "STATE_STORAGE",
)
_SECRET_PARTS = re.compile(r"(?:AccountKey|SharedAccessSignature)=([^;]+)|[?&]sig=([^&;]+)", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]{5,}\.[\w.-]+")
_LEAST_SECRET = 6
_NOT_SECRET = re.compile(r"@Microsoft\.KeyVault\(.*|UseDevelopmentStorage=true;?", re.IGNORECASE)
_SKIPPED = [not_checked("left out with --skip")]
# Where the Azurite of make run notes its connection string, and the short form that stands for it.
AZURITE = Path(__file__).resolve().parents[2] / ".local" / "azurite" / "connection"
_EMULATOR = "usedevelopmentstorage=true"
_IDS = ("GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_AUTHORITY", "GRAPH_ENDPOINT")
_CREDENTIAL = ("GRAPH_CLIENT_SECRET", "GRAPH_CLIENT_CERTIFICATE", "GRAPH_MANAGED_IDENTITY_CLIENT_ID")


class Examination:
    """The checks of one app, each of which builds on those before it."""

    def __init__(
        self, environment: MutableMapping[str, str], left_out: Sequence[str] = (), *, from_file: bool = True
    ) -> None:
        self._environment = environment
        self._from_file = from_file
        self._left_out = frozenset(left_out)
        self._settings: settings.Settings | None = None
        self._unresolved: set[str] = set()
        self._tokens: TokenSource | None = None
        self._has_token = False

    def checks(self) -> list[Check]:
        """Return the checks in order; their time limits add up to a minute."""
        return [
            Check("settings", 2, self._look_at_settings),
            Check("cloud", 1, self._of_settings(check_cloud, _IDS)),
            Check("table-storage", 9, self._of_storage(check_table)),
            Check("queue-storage", 9, self._of_storage(check_queues)),
            Check("token", 9, self._of_settings(self._look_at_token, _IDS + _CREDENTIAL)),
            Check("graph", 9, self._of_settings(self._look_at_graph)),
            Check(
                "callback-keys",
                6,
                self._of_settings(
                    lambda known: check_keys(known, session_for(known)), ("CALLBACK_OPENID_CONFIGURATION",)
                ),
            ),
            Check(
                "public-address",
                15,
                self._of_settings(lambda known: check_public_address(known, session_for(known)), ("PUBLIC_BASE_URL",)),
            ),
        ]

    @property
    def known(self) -> settings.Settings | None:
        """The settings, once they were looked at and found without a fault."""
        return self._settings

    def results(self) -> Iterator[Result]:
        """Run one check after the other, and yield each result as soon as it is known."""
        for check in self.checks():
            started = time.monotonic()
            findings = _SKIPPED if check.name in self._left_out else check.findings()
            cleaned = [Finding(one.status, self._clean(one.text), one.fix and self._clean(one.fix)) for one in findings]
            yield Result(check.name, round(time.monotonic() - started, 2), cleaned)

    def _of_settings(
        self, look: Callable[[settings.Settings], list[Finding]], needs: tuple[str, ...] = ()
    ) -> Callable[[], list[Finding]]:
        def looking() -> list[Finding]:
            if self._settings is None:
                return [not_checked("the settings have faults: see above")]
            unresolved = sorted(name for name in self._unresolved if name.startswith(needs or ("\0",)))
            if unresolved:
                return [not_checked(f"{unresolved[0]} is a Key Vault reference: see settings above")]
            return look(self._settings)

        return looking

    def _look_at_settings(self) -> list[Finding]:
        # A dictionary of its own would be case-sensitive, unlike the environment on Windows.
        environment: ChainMap[str, str] = ChainMap({}, self._environment)
        if "public-address" in self._left_out and not environment.get("PUBLIC_BASE_URL", "").strip():
            # Before the first deployment there is no URL yet; in Azure WEBSITE_HOSTNAME makes one.
            environment.setdefault("WEBSITE_HOSTNAME", "not-deployed-yet.invalid")
        if environment.get("AzureWebJobsStorage", "").strip().rstrip(";").casefold() == _EMULATOR and AZURITE.exists():
            environment["AzureWebJobsStorage"] = AZURITE.read_text(encoding="utf-8")
        findings = check_bundle(environment)
        try:
            known = settings.load(environment, open_certificate=open_certificate, references_are_faults=False)
        except settings.SettingsError as error:
            if not self._from_file:
                findings.append(
                    not_checked("no settings file was named: the shell's environment was read", advice.NO_FILE)
                )
            findings += self._warnings(error.warnings)
            return findings + [fault(str(one), advice.fix(one)) for one in error.faults]
        findings += self._warnings(known.warnings)
        findings += [fault(str(one), advice.fix(one)) for one in known.faults]
        if known.sign_in.is_required:
            findings.append(warning(*advice.SIGN_IN))
        if any(finding.status is Status.FAULT for finding in findings):
            return findings
        self._settings = known
        return findings or [ok("complete, and none contradicts another")]

    def _warnings(self, warnings: Sequence[Fault]) -> list[Finding]:
        self._unresolved = {one.setting for one in warnings if one.kind is Kind.UNRESOLVED}
        return [
            warning(*advice.reference(one.setting))
            if one.kind is Kind.UNRESOLVED
            else warning(str(one), "docs/settings.md explains the setting")
            for one in warnings
        ]

    def _look_at_token(self, known: settings.Settings) -> list[Finding]:
        self._tokens = TokenSource(known, session_for(known))
        token, findings = check_token(known, self._tokens)
        self._has_token = token is not None
        return findings

    def _look_at_graph(self, known: settings.Settings) -> list[Finding]:
        if self._tokens is None or not self._has_token:
            return [not_checked("there is no token: see above")]
        return check_graph(known, GraphClient(known.graph_endpoint, self._tokens, session_for(known)))

    def _of_storage(self, look: Callable[[settings.Settings, str], list[Finding]]) -> Callable[[], list[Finding]]:
        name = settings.storage_connection(self._environment)
        return self._of_settings(lambda known: look(known, name), (name,))

    def _clean(self, text: str) -> str:
        """Remove anything secret, should a message ever hold it."""
        for name in _SECRET_SETTINGS:
            value = self._environment.get(name, "").strip()
            parts = [part for found in _SECRET_PARTS.findall(value) for part in found]
            for secret in (value, *parts):
                if len(secret) >= _LEAST_SECRET and not _NOT_SECRET.fullmatch(secret):
                    text = text.replace(secret, "[secret]")
        text = "".join(character if character.isprintable() else " " for character in _TOKEN.sub("[token]", text))
        return " ".join(text.split())


def session_for(known: settings.Settings) -> Any:
    """Return a session for the hosts of the settings."""
    return new_session(
        (known.graph_endpoint, known.authority, known.callback_openid_configuration, known.public_base_url)
    )
