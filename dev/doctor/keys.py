"""Whether the keys of Graph's callbacks can be had, without which every report of Graph is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from dev.doctor import connection
from dev.doctor.findings import Finding, fault, ok, warning
from graph.callback_keys import CallbackKeys
from graph.errors import KeysUnavailable

if TYPE_CHECKING:
    from settings import Settings

_SECONDS = (2.0, 3.0)  # as the app gives it
_MEND = (
    "Remove CALLBACK_OPENID_CONFIGURATION where it is set (az functionapp config appsettings delete -n <app> -g "
    "<group> --setting-names CALLBACK_OPENID_CONFIGURATION); for US Government see docs/limits.md#national-clouds"
)


class _Broken(Exception):
    """The announcement can't be read; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def check_keys(settings: Settings, session: requests.Session) -> list[Finding]:
    """Read the announcement step by step, to see where it breaks, and then as the app does."""
    address = settings.callback_openid_configuration
    host = connection.host_of(address)
    try:
        count, keys_at = _announced(address, session)
    except _Broken as broken:
        return [broken.finding]
    try:
        CallbackKeys(address, session).key("doctor")
    except KeysUnavailable:
        return [fault(f"the key set at {keys_at} has {count} entries, but no RSA key that signs", _MEND)]
    if settings.cloud.name.startswith("us-gov") and address == settings.cloud.openid_configuration:
        text = f"{host} announces keys, but for US Government it is not confirmed that Graph signs with these"
        return [warning(text, "docs/limits.md#national-clouds")]
    return [ok(f"{host} announces keys with which Graph's reports can be judged")]


def _announced(address: str, session: requests.Session) -> tuple[int, str]:
    """Return how many keys are announced, and at which host."""
    keys_at = _fetched(address, session, "the announcement of Graph's keys").get("jwks_uri")
    if not isinstance(keys_at, str) or not keys_at:
        text = f"the announcement at {connection.host_of(address)} names no jwks_uri: it is another one"
        raise _Broken(fault(text, _MEND))
    if not keys_at.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        text = f"the announcement at {connection.host_of(address)} names a jwks_uri that is no https address"
        raise _Broken(fault(text, _MEND))
    keys = _fetched(keys_at, session, "the key set that the announcement names").get("keys")
    host = connection.host_of(keys_at)
    if not isinstance(keys, list) or not keys:
        raise _Broken(fault(f"the key set at {host} is empty", _MEND))
    return len(keys), host


def _fetched(address: str, session: requests.Session, what: str) -> dict[str, Any]:
    host = connection.host_of(address)
    try:
        response = session.get(address, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise _Broken(connection.explained(error, address, mend_name=_MEND)) from error
    except ValueError as error:  # requests reads where a redirection leads even where it is not followed
        raise _Broken(fault(f"{what} can't be read: {host} leads on to something that is no address", _MEND)) from error
    if response.status_code != requests.codes.ok:
        raise _Broken(fault(f"{what} can't be read: {host} answers {response.status_code}", _MEND))
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _Broken(fault(f"{what} can't be read: {host} answers something that is not a JSON object", _MEND))
    return body
