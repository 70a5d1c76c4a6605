"""Whether the keys that sign Graph's callbacks can be read, of both kinds: without them callbacks are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from dev.doctor import connection
from dev.doctor.findings import Finding, fault, ok, warning
from graph.callback_keys import CallbackKeys
from graph.errors import KeysUnavailable

if TYPE_CHECKING:
    from settings import Settings

_SECONDS = (2.0, 3.0)  # as the app gives it
_FIX_OLDER = (
    "Remove CALLBACK_OPENID_CONFIGURATION where it is set (az functionapp config appsettings delete -n <app> -g "
    "<group> --setting-names CALLBACK_OPENID_CONFIGURATION); for US Government see docs/limits.md#national-clouds"
)
_FIX_ENTRA = (
    "Compare GRAPH_AUTHORITY, where it is set, with the cloud's own authority, and look at the way to Entra ID: "
    "docs/settings.md#proxy-and-ca-bundle. Callbacks with the other kind of token are accepted meanwhile"
)


@dataclass(frozen=True, slots=True)
class _Metadata:
    """The OpenID metadata of one kind of token."""

    name: str
    url: str
    fix: str


class _Broken(Exception):
    """The OpenID metadata can't be read; ``finding`` has the reason."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def check_keys(settings: Settings, session: requests.Session) -> list[Finding]:
    """Read the OpenID metadata of both kinds step by step, to see where it breaks, and then as the app does."""
    older = _Metadata("Graph's callbacks", settings.callback_openid_configuration, _FIX_OLDER)
    entra = _Metadata("Entra ID", f"{settings.authority}/v2.0/.well-known/openid-configuration", _FIX_ENTRA)
    with ThreadPoolExecutor(2) as threads:  # so that both together fit into the time of the check
        found = [one for one in threads.map(lambda each: _finding(each, session), (older, entra)) if one]
    if settings.cloud.name.startswith("us-gov") and older.url == settings.cloud.openid_configuration and not found:
        host = connection.host_of(older.url)
        text = f"{host} publishes keys, but it is unconfirmed whether Graph signs with these in US Government"
        found = [warning(text, "docs/limits.md#national-clouds")]
    hosts = " and ".join(connection.host_of(each.url) for each in (older, entra))
    return found or [ok(f"{hosts} publish the keys of both kinds of callback tokens, the older and Entra ID's")]


def _finding(metadata: _Metadata, session: requests.Session) -> Finding | None:
    """Return what is wrong with one kind's metadata or keys."""
    try:
        count, keys_at = _published(metadata, session)
    except _Broken as broken:
        return broken.finding
    try:
        CallbackKeys(metadata.url, session).key("doctor")
    except KeysUnavailable:
        return fault(f"the JWKS at {keys_at} has {count} entries, but no RSA key that signs", metadata.fix)
    return None


def _published(metadata: _Metadata, session: requests.Session) -> tuple[int, str]:
    """Return how many keys are published, and at which host."""
    what = f"the OpenID metadata of {metadata.name}"
    keys_at = _fetched(metadata.url, session, what, metadata.fix).get("jwks_uri")
    if not isinstance(keys_at, str) or not keys_at:
        text = f"{what} at {connection.host_of(metadata.url)} has no jwks_uri: it is another document"
        raise _Broken(fault(text, metadata.fix))
    if not keys_at.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        text = f"the jwks_uri in {what} at {connection.host_of(metadata.url)} is not an https URL"
        raise _Broken(fault(text, metadata.fix))
    keys = _fetched(keys_at, session, f"the JWKS that {what} names", metadata.fix).get("keys")
    host = connection.host_of(keys_at)
    if not isinstance(keys, list) or not keys:
        raise _Broken(fault(f"the JWKS at {host} is empty", metadata.fix))
    return len(keys), host


def _fetched(address: str, session: requests.Session, what: str, fix: str) -> dict[str, Any]:
    host = connection.host_of(address)
    try:
        response = session.get(address, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise _Broken(connection.explained(error, address, fix_name=fix)) from error
    except ValueError as error:  # requests reads the target of a redirection even where it does not follow
        raise _Broken(fault(f"{what} can't be read: {host} redirects to something that is not a URL", fix)) from error
    if response.status_code != requests.codes.ok:
        raise _Broken(fault(f"{what} can't be read: {host} answers {response.status_code}", fix))
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _Broken(fault(f"{what} can't be read: {host} answers something that is not a JSON object", fix))
    return body
