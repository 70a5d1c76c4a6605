"""What the app trusts: a trust root that is not the default is a warning, and in Azure one for trials is a fault."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from domain.clouds import OPENID_DOMAINS
from domain.configuration.environment import LOOPBACK, split_url
from domain.configuration.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.clouds import Cloud
    from domain.configuration.environment import Environment

CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Settings that name a CA bundle; the first that is set counts."""

# Domains in which any customer can have a host: those of https://publicsuffix.org (private section) and of Azure's own
# services that a flow's or a gateway's URL might have.
_SHARED = """
    amazonaws.com amplifyapp.com appspot.com awsapprunner.com azure-api.net azure-apihub.net azure-mobile.net
    azure.com azurecontainer.io azurecontainerapps.io azurecontainerapps.us azureedge.net azurefd.net azurefd.us
    azurestaticapps.net azurewebsites.net azurewebsites.us beeceptor.com blogspot.com cloudapp.azure.com cloudapp.net
    cloudapp.usgovcloudapi.net cloudflare.net cloudfront.net cloudfunctions.net core.usgovcloudapi.net
    core.windows.net deno.dev devtunnels.ms dynamics.com elb.amazonaws.com execute-api.amazonaws.com firebaseapp.com
    fly.dev github.io gitlab.io glitch.me googleapis.com herokuapp.com hookdeck.com loca.lt microsoft.com microsoft.us
    microsoftonline.com netlify.app ngrok-free.app ngrok-free.dev ngrok.app ngrok.dev ngrok.io office.com office365.us
    on-aws.com onmicrosoft.com onrender.com pages.dev pipedream.net powerapps.com powerplatform.com railway.app
    repl.co replit.app requestcatcher.com run.app s3.amazonaws.com scm.azurewebsites.net servicebus.windows.net
    sharepoint.com supabase.co trafficmanager.net trycloudflare.com usgovcloudapi.net usgovtrafficmanager.net
    vault.azure.net vercel.app web.app web.core.windows.net webhook.site windows.net workers.dev
"""
# With one label more these are a region's, and still shared: westeurope.cloudapp.azure.com.
_REGIONAL = """
    azurecontainer.io azurecontainerapps.io azurecontainerapps.us azurestaticapps.net cloudapp.azure.com
    cloudapp.usgovcloudapi.net core.windows.net core.usgovcloudapi.net devtunnels.ms elb.amazonaws.com
    execute-api.amazonaws.com run.app web.core.windows.net
"""
# The regional part of a unique default host name: app-hash.westeurope-01.azurewebsites.net.
_REGION_AND_NUMBER = re.compile(r"[a-z]+\d?-\d\d\.(azurewebsites\.(net|us)|azure-api\.net)")
# Below a country's domain these are the registry's own, as .co.uk and .com.au.
_SECOND_LEVEL = """
    ac asn co com edu firm gen go gob gouv gov govt gv id ind info judiciary lg ltd me mil muni ne net nhs nic nom or
    org plc police pref pvt res sch school web
"""


# A domain with at least two labels; an address or a port is none.
_SUFFIX = re.compile(r"\.?([^\s.*/:@?#]+\.)+(?!\d+\.?$)[^\s.*/:@?#]+\.?")
_US_STATE = re.compile(r"([a-z0-9-]+\.){0,2}[a-z]{2}\.us")


def is_shared(suffix: str) -> bool:
    """Return whether hosts of strangers end like this: a public suffix, or a domain that a cloud's customers share.

    Args:
        suffix: in lowercase, with or without a dot in front.
    """
    domain = suffix.strip(".")
    first, _, rest = domain.partition(".")
    country = len(rest) == len("uk") and rest.isalpha()
    return (
        not rest
        or domain in _SHARED.split()
        or rest in _REGIONAL.split()
        or _REGION_AND_NUMBER.fullmatch(domain) is not None
        or _US_STATE.fullmatch(domain) is not None
        or (country and first in _SECOND_LEVEL.split())
    )


def suffixes(environment: Environment, name: str, default: str) -> tuple[str, ...]:
    """Return host suffixes in lowercase, each with a dot in front."""
    found = environment.list(name, default)
    if not all(_SUFFIX.fullmatch(suffix) for suffix in found):
        text = f"{name} holds something that is not a host suffix: write .example.com,.example.org"
        environment.fault(name, Kind.INVALID, text)
    read = tuple("." + suffix.lstrip(".").casefold() for suffix in found)
    added = set(read) - set(default.split(","))
    if environment.in_azure and any(is_shared(suffix) for suffix in added):
        text = f"{name} holds a domain that strangers have hosts in: name your own hosts, such as .contoso.com"
        environment.fault(name, Kind.UNSAFE, text)
    return read


def check_hosts(environment: Environment, cloud: Cloud) -> None:
    """In Azure, Graph, Entra ID and OpenID metadata must be Microsoft's own."""
    if not environment.in_azure:
        return
    for name, allowed in (
        ("GRAPH_ENDPOINT", (cloud.endpoint.removeprefix("https://"),)),
        ("GRAPH_AUTHORITY", cloud.authority_hosts),
        ("CALLBACK_OPENID_CONFIGURATION", OPENID_DOMAINS),
    ):
        host = _host(environment.get(name))
        is_domain = name == "CALLBACK_OPENID_CONFIGURATION"
        if host and host not in allowed and not (is_domain and host.endswith(tuple(f".{one}" for one in allowed))):
            text = f"{name} leads elsewhere than {cloud.name}'s own hosts, which is for trials: remove it in Azure"
            environment.fault(name, Kind.UNSAFE, text)


def check_local_hosts(environment: Environment, hosts: Iterable[str], *, is_local: bool) -> None:
    """Warn of flows that may be on private networks, unless the app is itself local; in Azure they are a fault."""
    name = "FLOW_CALLBACK_LOCAL_HOSTS"
    if hosts and environment.in_azure:
        environment.fault(name, Kind.UNSAFE, f"{name} opens private addresses to callers: remove it in Azure")
    elif hosts and not is_local:
        environment.warn(name, Kind.UNSAFE, f"{name} opens private addresses to callers: for one machine only")


def warn_of_trust_roots(environment: Environment, defaults: dict[str, str]) -> None:
    """Warn of each trust root that is not the default.

    Args:
        environment: where they are set.
        defaults: the default of each, comma-separated; leaving a part of it out is no widening.
    """
    concerned = {fault.setting for fault in environment.faults}
    for name, default in defaults.items():
        given = {entry.rstrip("/").casefold() for entry in environment.list(name)}
        if name not in concerned and given - {entry.casefold() for entry in default.split(",")}:
            environment.warn(name, Kind.UNSAFE, f"{name} is not the default: the app trusts what it names")
    bundle = _bundle_setting(environment)
    if bundle is not None:
        environment.warn(bundle, Kind.UNSAFE, f"{bundle} replaces the usual CA bundle: the app trusts what it holds")


def check_public_url(environment: Environment, url: str) -> None:
    """In Azure, the URL that Graph sends its callbacks to is one of the internet."""
    host = _host(url) or ""
    try:
        address = ip_address(host)
    except ValueError:
        is_private = "." not in host
    else:
        is_private = not address.is_global
    is_news = all(fault.setting != "PUBLIC_BASE_URL" for fault in environment.faults)
    if environment.in_azure and host and is_private and is_news:
        text = "PUBLIC_BASE_URL leads to a private address, which Graph's callbacks can't reach: give the public host"
        environment.fault("PUBLIC_BASE_URL", Kind.INVALID, text)


def ca_bundle(values: Mapping[str, str]) -> str | None:
    """Return the path of the CA bundle that replaces the usual one, where a setting names it."""
    name = _bundle_setting(values)
    return None if name is None else values[name]


def bundle_fault(values: Mapping[str, str]) -> Fault:
    """Return the fault of a CA bundle that can't be read."""
    name = _bundle_setting(values) or CA_BUNDLES[0]
    text = f"{name} names a CA bundle that can't be read: nothing can be asked over HTTPS"
    return Fault(name, Kind.INVALID, text)


def _bundle_setting(values: Environment | Mapping[str, str]) -> str | None:
    return next((name for name in CA_BUNDLES if values.get(name)), None)


def is_this_machine(url: str) -> bool:
    """Return whether a URL leads to the machine that the app runs on."""
    return _host(url) in LOOPBACK


def _host(url: str | None) -> str | None:
    parts = split_url(url or "")
    return parts.hostname if parts is not None else None
