"""Whether the app answers at its public URL, and whether Graph's callbacks would reach it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from dev.doctor import connection
from dev.doctor.cloud import is_simulated
from dev.doctor.findings import Finding, fault, ok, warning

if TYPE_CHECKING:
    from settings import Settings

# A cold start takes its time.
_SECONDS = (3.0, 12.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SIGN_IN = ("login.microsoftonline.com", "login.microsoftonline.us", "login.windows.net")
# What answers may not be this app, and its text may be endless.
_MOST_CHARACTERS = 1_000
_MOST_FAULTS = 30
_ADDRESS = (
    "PUBLIC_BASE_URL must be https:// and what az functionapp show -n <app> -g <group> "
    '--query "properties.defaultHostName || defaultHostName" -o tsv '
    "prints, or a domain of yours that leads there"
)
_FUNCTIONS = (
    "az functionapp function list -n <app> -g <group> -o table must name health and receive_notifications: if not, a "
    "package did not install (Function App > Deployment Center > Logs); docs/deploy.md#7-the-app-itself. Else "
    f"{_ADDRESS}"
)
_RESTRICTION = (
    "az functionapp config access-restriction show -n <app> -g <group>, or Function App > Networking > Public network "
    "access; a gateway of yours must let /api/notifications and /api/health through"
)
_EASY_AUTH = (
    "az webapp auth show -n <app> -g <group>, or Function App > Authentication: turn it off, or leave "
    "/api/notifications, /api/health and the result and callback routes out (excludedPaths); "
    "docs/deploy.md#7-the-app-itself"
)
_CONFIGURATION = "az functionapp config appsettings set -n <app> -g <group> --settings NAME=<value>; docs/settings.md"
_STORAGE = "Roles, or a firewall before the storage account: docs/operate.md#every-invitation-is-503"
_LOG = (
    "Function App > Diagnose and solve problems, or az webapp log tail -n <app> -g <group>, shows why the app does not "
    "start; in OpenTelemetry mode the log stream can stay empty (azure-functions-host#10666)"
)


def check_public_address(settings: Settings, session: requests.Session) -> list[Finding]:
    """Ask the app at its public URL for its health, and post a callback without Graph's token."""
    base = settings.public_base_url
    findings = _health(base, session) or _notifications(base, session)
    if not findings:
        findings = [ok(f"{connection.host_of(base)} is healthy, and accepts callbacks from Graph alone")]
        if urlsplit(base).hostname in _LOOPBACK and not is_simulated(settings):
            text = "PUBLIC_BASE_URL is this machine itself, where Graph can't report and flows can't ask"
            findings.append(warning(text, _ADDRESS))
    return findings


def _health(base: str, session: requests.Session) -> list[Finding]:
    address = f"{base}/api/health"
    response = _asked(session, "GET", address)
    if isinstance(response, Finding):
        return [response]
    body = _json(response)
    checks = body.get("checks")
    if body.get("status") == "healthy" and response.status_code == requests.codes.ok:
        return []
    if response.status_code == requests.codes.unavailable and isinstance(checks, list):
        start = f"the app at {connection.host_of(base)}"
        reported = [found for check in checks if isinstance(check, dict) for found in _faults(check, start)]
        return reported or [fault(f"{start} reports that it is unhealthy", f"curl {address} shows why")]
    return [_stranger(response, "/api/health", base)]


def _faults(check: dict[str, Any], start: str) -> list[Finding]:
    faults, name = check.get("faults"), str(check.get("name"))[:40]
    fix = _CONFIGURATION if name == "configuration" else _STORAGE
    texts = [one for one in faults if isinstance(one, str)] if isinstance(faults, list) else []
    return [fault(f"{start} runs and reports: {name}: {one[:_MOST_CHARACTERS]}", fix) for one in texts[:_MOST_FAULTS]]


def _notifications(base: str, session: requests.Session) -> list[Finding]:
    path = "/api/notifications"
    response = _asked(session, "POST", f"{base}{path}", {"value": []})
    if isinstance(response, Finding):
        return [response]
    code = response.headers.get("x-ms-error-code")
    if response.status_code == requests.codes.unauthorized and code == "NotFromGraph":
        return []
    if response.status_code < requests.codes.multiple_choices:
        text = f"{path} at {connection.host_of(base)} accepts a callback without Graph's token ({response.status_code})"
        return [fault(f"{text}: this is not this app", _ADDRESS)]
    return [_stranger(response, path, base)]


def _asked(session: requests.Session, method: str, address: str, body: object = None) -> requests.Response | Finding:
    try:
        return session.request(method, address, json=body, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return connection.explained(error, address, fix_name=_ADDRESS)
    except ValueError:  # requests reads where a redirection leads even where it is not followed
        host = connection.host_of(address)
        return fault(f"{host} redirects to something that is not a URL: something else is there", _ADDRESS)


def _stranger(response: requests.Response, path: str, base: str) -> Finding:
    """Name what may be answering in the app's place."""
    status = response.status_code
    said = f"{path} at {connection.host_of(base)} answers {status}"
    if response.is_redirect:
        return _redirected(said, response.headers["Location"], base)
    if status == requests.codes.unauthorized:
        return fault(f"{said} without this app's error code: something before the app wants a sign-in", _EASY_AUTH)
    if status == requests.codes.forbidden:
        if "stopped" in response.text[:20_000]:
            return fault(f"{said}: the app is stopped", "az functionapp start -n <app> -g <group>")
        return fault(f"{said}: a firewall, an access restriction or a gateway stands before the app", _RESTRICTION)
    if status in (requests.codes.not_found, requests.codes.method_not_allowed):
        return fault(f"{said}: it is not this app, or the app has no functions", _FUNCTIONS)
    if status >= requests.codes.internal_server_error:
        cause = "the app's host does not start, or a gateway can't reach it"
        return fault(f"{said}, and without this app's error code: {cause}", _LOG)
    return fault(f"{said}, as this app never does: something else is there", _ADDRESS)


def _redirected(said: str, location: str, base: str) -> Finding:
    own = connection.host_of(base)
    target = own if location.startswith("/") else connection.host_of(location)
    if target in _SIGN_IN:
        return fault(f"{said}: Easy Auth redirects every caller to sign in, Graph too", _EASY_AUTH)
    if target == own and location.startswith("https://") and base.startswith("http://"):
        return fault(f"{said}: it wants https", "Write PUBLIC_BASE_URL with https://")
    return fault(f"{said}: it redirects to {target}, and Graph need not follow", _ADDRESS)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
