"""A storage account's connection string, checked as the Functions host parses it.

The rules are those of ``StorageConnectionString.ParseCore`` (Azure/azure-sdk-for-net,
``sdk/storage/Azure.Storage.Common/src/Shared/StorageConnectionString.cs``): nothing twice, nothing unknown, a key or a
signature, and a name or endpoints. Python's storage libraries accept more: the app would work, its triggers would not.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from domain.configuration.environment import LOOPBACK, split_url
from domain.configuration.faults import Kind
from domain.configuration.signatures import signature_problem

if TYPE_CHECKING:
    from domain.configuration.environment import Environment

_ENDPOINTS = tuple(f"{service}endpoint" for service in ("blob", "file", "queue", "table"))
_SECONDARY = tuple(f"{service}secondaryendpoint" for service in ("blob", "file", "queue", "table"))
_BY_NAME = ("defaultendpointsprotocol", "endpointsuffix")
_KNOWN = {*_ENDPOINTS, *_SECONDARY, *_BY_NAME, "accountname", "accountkey", "accountkeyname", "sharedaccesssignature"}
ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
"""https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name"""
SERVICE_HOST = re.compile(r"([a-z0-9-]+)\.(?:z\d+\.)?(blob|dfs|file|queue|table|web)\.")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_WHOLE = "copy it whole: az storage account show-connection-string prints it"
_EMULATOR = {"usedevelopmentstorage": "true"}
# The emulator's account and key are the same everywhere and documented by Microsoft.
_EMULATOR_ACCOUNT = "devstoreaccount1"
_EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_EMULATOR_PORTS = {"Blob": 10000, "Queue": 10001, "Table": 10002}


def service_problem(host: str, service: str) -> str | None:
    """Return what is wrong with the host of a storage service, as far as its name says so."""
    if ".privatelink." in host:
        public = f"<account>.{service}.core.windows.net"
        return f"names the private link zone, which no certificate covers: write {public}"
    found = SERVICE_HOST.match(host)
    if found is not None and found[2] != service:
        return f"is the URL of a {found[2]} service: give that of the {service} service"
    if found is not None and found[1].endswith("-secondary"):
        return "is the secondary endpoint, which can only be read: give the primary one"
    return None


def read_connection_string(environment: Environment, name: str, text: str) -> str:
    """Return a connection string with the emulator's short form written out, which not all libraries understand."""
    if environment.is_unresolved(name):
        return text
    pairs = [part.partition("=") for part in text.split(";") if part]
    parts = {key.casefold(): value for key, _, value in pairs}
    is_emulator = {key: value.casefold() for key, value in parts.items()} == _EMULATOR
    if is_emulator and not environment.in_azure:
        return _emulator()
    problem = (
        "is of the emulator, which a deployed app can't reach: give an account's connection string"
        if is_emulator
        else _malformed(pairs)
        or _incomplete(parts)
        or _wrong_value(parts, in_azure=environment.in_azure)
        or signature_problem(parts.get("sharedaccesssignature", ""), environment.now)
    )
    if problem is not None:
        environment.fault(name, Kind.INVALID, f"{name} {problem}")
    return text


def _malformed(pairs: list[tuple[str, str, str]]) -> str | None:
    keys = [key.casefold() for key, _, _ in pairs]
    if pairs and pairs[0][0][:1] in ("'", '"'):
        return "begins with a quotation mark: give the connection string without quotes"
    if not all(equals for _, equals, _ in pairs):
        return f"is not a connection string: {_WHOLE}"
    if len(set(keys)) < len(keys):
        return f"has a part twice: {_WHOLE}"
    if not _KNOWN.issuperset(keys):
        return f"has a part that a storage account's connection string doesn't have: {_WHOLE}"
    return None


def _incomplete(parts: dict[str, str]) -> str | None:
    given = {key for key, value in parts.items() if value.strip()}
    has_signature = "sharedaccesssignature" in given
    if has_signature and "accountkey" in parts:
        return "has both AccountKey and SharedAccessSignature: give one of them"
    missing = []
    if not has_signature:
        missing = [shown for shown in ("AccountName", "AccountKey") if shown.casefold() not in given]
    elif "accountname" not in given:
        missing = [shown for shown in ("TableEndpoint", "QueueEndpoint") if shown.casefold() not in given]
    if missing:
        return f"lacks {' and '.join(missing)}: {_WHOLE}"
    if "accountname" not in given and any(key in parts for key in _BY_NAME):
        return "has no AccountName, so DefaultEndpointsProtocol and EndpointSuffix can't be used: remove them"
    if any(key in parts and key.replace("secondary", "") not in given for key in _SECONDARY):
        return f"has a secondary endpoint without its primary one: {_WHOLE}"
    return None


def _wrong_value(parts: dict[str, str], *, in_azure: bool) -> str | None:
    try:
        base64.b64decode(parts.get("accountkey", ""), validate=True)
    except ValueError:
        return f"has an AccountKey that is not Base64: {_WHOLE}"
    needs_name = not {"queueendpoint", "tableendpoint"} <= parts.keys()
    if needs_name and not ACCOUNT_NAME.fullmatch(parts["accountname"]):
        return "has an invalid AccountName: 3 to 24 lowercase letters and digits"
    protocol = parts.get("defaultendpointsprotocol", "https").casefold()
    if protocol not in ("http", "https"):
        return "has a DefaultEndpointsProtocol that is not https"
    if not _DOMAIN.fullmatch(parts.get("endpointsuffix", "core.windows.net")):
        return "has an EndpointSuffix that is not a domain such as core.windows.net"
    urls = [split_url(parts[key]) for key in (*_ENDPOINTS, *_SECONDARY) if key in parts]
    if any(url is None or url.scheme not in ("http", "https") or url.query or url.fragment for url in urls):
        return "has an endpoint that is not a URL: write it as https://host"
    for service in ("blob", "queue", "table"):
        url = split_url(parts.get(f"{service}endpoint", ""))
        problem = service_problem(url.hostname or "", service) if url is not None else None
        if problem is not None:
            return f"has a {service.capitalize()}Endpoint that {problem}"
    is_plain = (needs_name and protocol == "http") or any(
        url is not None and (url.scheme == "http" or url.hostname in LOOPBACK) for url in urls
    )
    if in_azure and is_plain:
        return "leads to the emulator or over plain http: in Azure give https endpoints"
    return None


def _emulator() -> str:
    endpoints = ";".join(
        f"{service}Endpoint=http://127.0.0.1:{port}/{_EMULATOR_ACCOUNT}" for service, port in _EMULATOR_PORTS.items()
    )
    account = f"AccountName={_EMULATOR_ACCOUNT};AccountKey={_EMULATOR_KEY}"
    return f"DefaultEndpointsProtocol=http;{account};{endpoints};"
