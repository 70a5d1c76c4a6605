"""Which IP addresses are on the public internet.

From IANA's special-purpose registries of November 2026, whether they call a block globally reachable or not: no flow
is in one. https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

import ipaddress

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that IANA has allocated of IPv6, so that the blocks outside need no row below."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: an IPv4 address as a network without IPv4 sees it."""
_SPECIAL = {
    "0.0.0.0/8": "this network, RFC 791",
    "10.0.0.0/8": "private use, RFC 1918",
    "100.64.0.0/10": "shared address space, RFC 6598",
    "127.0.0.0/8": "loopback, RFC 1122",
    "168.63.129.16/32": "the host's own services in Azure, in no registry: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16",
    "169.254.0.0/16": "link local, RFC 3927, with the metadata of cloud machines",
    "172.16.0.0/12": "private use, RFC 1918",
    "192.0.0.0/24": "IETF protocol assignments, RFC 6890",
    "192.0.2.0/24": "documentation, RFC 5737",
    "192.31.196.0/24": "AS112, RFC 7535",
    "192.52.193.0/24": "AMT, RFC 7450",
    "192.88.99.0/24": "6to4 relay anycast, RFC 7526",
    "192.168.0.0/16": "private use, RFC 1918",
    "192.175.48.0/24": "AS112, RFC 7534",
    "198.18.0.0/15": "benchmarking, RFC 2544",
    "198.51.100.0/24": "documentation, RFC 5737",
    "203.0.113.0/24": "documentation, RFC 5737",
    "224.0.0.0/4": "multicast, RFC 5771",
    "240.0.0.0/4": "reserved and limited broadcast, RFC 1112 and RFC 8190",
    "2001::/23": "IETF protocol assignments, RFC 2928: Teredo, benchmarking, AMT, AS112, ORCHID and DRIP",
    "2001:db8::/32": "documentation, RFC 3849",
    "2002::/16": "6to4, RFC 3056, which holds an IPv4 address",
    "2620:4f:8000::/48": "AS112, RFC 7534",
    "3fff::/20": "documentation, RFC 9637",
}
_NETWORKS = tuple(map(ipaddress.ip_network, _SPECIAL))


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet; one inside an IPv6 address is what counts of that."""
    checked = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(checked, ipaddress.IPv6Address):
        inner = checked.ipv4_mapped
        if inner is None and checked in _NAT64:
            inner = ipaddress.IPv4Address(int(checked) & 0xFFFFFFFF)
        if inner is None and checked not in _GLOBAL_UNICAST:
            return False
        checked = inner or checked
    return not any(checked in network for network in _NETWORKS if network.version == checked.version)
