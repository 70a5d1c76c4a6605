"""Which IP addresses are on the public internet."""

from __future__ import annotations

import ipaddress

import pytest

from flows.addresses import _SPECIAL, is_public

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "168.63.129.16", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1",
    "192.168.0.1", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::10.0.0.1", "::168.63.129.16", "::20.50.2.10", "::ffff:10.0.0.1",
    "::ffff:168.63.129.16", "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::a83f:8110", "64:ff9b:1::1",
    "64:ff9b:1::1432:20a", "100::1", "100:0:0:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::1",
    "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::1", "2002:0a00:0001::1",
    "2002:1432:20a::1", "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "feff::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "20.50.2.10", "100.128.0.1", "168.63.129.15", "168.63.129.17", "172.32.0.1", "192.0.1.1", "198.20.0.1",
    "2001:200::1", "2603:1020:5:1::10", "2a00:1450::1", "::ffff:20.50.2.10", "64:ff9b::1432:20a",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address: str) -> None:
    """Special-purpose addresses, and Azure's own services, in each form that can lead to them."""
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    """The neighbours of special blocks, and the forms in which networks of IPv6 alone see IPv4."""
    assert is_public(address)


@pytest.mark.parametrize("network", _SPECIAL)
def test_whole_blocks(network: str) -> None:
    """The first and the last address of a block are refused."""
    block = ipaddress.ip_network(network)
    assert not is_public(str(block[0]))
    assert not is_public(str(block[-1]))


def test_what_python_calls_private() -> None:
    """No network that Python's own list has is missing, whatever its version is."""
    for number in range(0, 2**32, 2**32 // 65_536):
        address = ipaddress.IPv4Address(number)
        if is_public(str(address)):
            assert address.is_global
            assert not address.is_multicast
