"""Special-purpose address blocks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
import pytest

from core.analysis.filter.evaluation.address_blocks import IPV4_BLOCKS, IPV6_BLOCKS, smallest_block


def block_of(text: str) -> str:
    """Return the name of an address's block, or an empty string."""
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        values, blocks = np.array([int(address)], np.uint32), IPV4_BLOCKS
    else:
        values, blocks = np.frombuffer(address.packed, np.uint8).reshape(1, 16), IPV6_BLOCKS
    index = int(smallest_block(values)[0])
    return blocks[index].name if index >= 0 else ""


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.1.2.3", "Private-Use"),
        ("172.31.0.1", "Private-Use"),
        ("172.32.0.1", ""),
        ("192.0.0.8", "IPv4 dummy address"),
        ("192.0.0.200", "IETF Protocol Assignments"),
        ("255.255.255.255", "Limited Broadcast"),
        ("8.8.8.8", ""),
        ("::1", "Loopback Address"),
        ("fe80::1", "Link-Local Unicast"),
        ("2001:db8::5", "Documentation"),
        ("2001:0:1::", "TEREDO"),
        ("2606:4700::1", ""),
    ],
)
def test_the_smallest_block_counts(address: str, name: str) -> None:
    assert block_of(address) == name


def test_a_block_that_is_globally_reachable_is_global_to_python() -> None:
    """Python has the registry, too; it differs where IANA lists no property."""
    reachable = 0b00010
    for block in (*IPV4_BLOCKS, *IPV6_BLOCKS):
        address = block.network.network_address
        if isinstance(address, IPv4Address | IPv6Address) and block.properties & reachable:
            assert block.network.prefixlen > 8
            assert not address.is_loopback
