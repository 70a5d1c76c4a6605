"""Whether the signing keys of Graph's callbacks can be read: without them every callback is refused."""

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
_FIX = (
    "Remove CALLBACK_OPENID_CONFIGURATION where it is set (az functionapp config appsettings delete -n <app> -g "
    "<group> --setting-names CALLBACK_OPENID_CONFIGURATION); for US Government see docs/limits.md#national-clouds"
)


class _Broken(Exception):
    """The OpenID metadata can't be read; ``finding`` has the reason."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def check_keys(settings: Settings, session: requests.Session) -> list[Finding]:
    """Read the OpenID metadata step by step, to see where it breaks, and then as the app does."""
    address = settings.callback_openid_configuration
    host = connection.host_of(address)
    try:
        count, keys_at = _published(address, session)
    except _Broken as broken:
        return [broken.finding]
    try:
        CallbackKeys(address, session).key("doctor")
    except KeysUnavailable:
        return [fault(f"the JWKS at {keys_at} has {count} entries, but no RSA key that signs", _FIX)]
    if settings.cloud.name.startswith("us-gov") and address == settings.cloud.openid_configuration:
        text = f"{host} publishes keys, but it is unconfirmed whether Graph signs with these in US Government"
        return [warning(text, "docs/limits.md#national-clouds")]
    return [ok(f"{host} publishes keys that Graph's callbacks can be checked with")]


def _published(address: str, session: requests.Session) -> tuple[int, str]:
    """Return how many keys are published, and at which host."""
    keys_at = _fetched(address, session, "the OpenID metadata of Graph's callbacks").get("jwks_uri")
    if not isinstance(keys_at, str) or not keys_at:
        text = f"the OpenID metadata at {connection.host_of(address)} has no jwks_uri: it is another document"
        raise _Broken(fault(text, _FIX))
    if not keys_at.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        text = f"the jwks_uri in the OpenID metadata at {connection.host_of(address)} is not an https URL"
        raise _Broken(fault(text, _FIX))
    keys = _fetched(keys_at, session, "the JWKS that the OpenID metadata names").get("keys")
    host = connection.host_of(keys_at)
    if not isinstance(keys, list) or not keys:
        raise _Broken(fault(f"the JWKS at {host} is empty", _FIX))
    return len(keys), host


def _fetched(address: str, session: requests.Session, what: str) -> dict[str, Any]:
    host = connection.host_of(address)
    try:
        response = session.get(address, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise _Broken(connection.explained(error, address, fix_name=_FIX)) from error
    except ValueError as error:  # requests reads the target of a redirection even where it does not follow
        raise _Broken(fault(f"{what} can't be read: {host} redirects to something that is not a URL", _FIX)) from error
    if response.status_code != requests.codes.ok:
        raise _Broken(fault(f"{what} can't be read: {host} answers {response.status_code}", _FIX))
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _Broken(fault(f"{what} can't be read: {host} answers something that is not a JSON object", _FIX))
    return body
