"""Special-purpose address blocks: IANA's registries for IPv4 and IPv6 (RFC 6890, RFC 8190).

Each block has five properties, as bits from the highest: an address in it may be a source, may be a
destination, is forwardable, is globally reachable, and is reserved by the protocol itself.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation.byte_strings import equal_to, masked, spans_of


class Block(NamedTuple):
    """A block of addresses, its name, and the bits of its properties."""

    network: IPv4Network | IPv6Network
    name: str
    properties: int


_IPV4 = """
0.0.0.0/8           10001 "This network"
0.0.0.0/32          10001 "This host on this network"
10.0.0.0/8          11100 Private-Use
100.64.0.0/10       11100 Shared Address Space
127.0.0.0/8         00001 Loopback
169.254.0.0/16      11001 Link Local
172.16.0.0/12       11100 Private-Use
192.0.0.0/24        00000 IETF Protocol Assignments
192.0.0.0/29        11100 IPv4 Service Continuity Prefix
192.0.0.8/32        10000 IPv4 dummy address
192.0.0.9/32        11110 Port Control Protocol Anycast
192.0.0.10/32       11110 Traversal Using Relays around NAT Anycast
192.0.0.170/32      00001 NAT64/DNS64 Discovery
192.0.0.171/32      00001 NAT64/DNS64 Discovery
192.0.2.0/24        00000 Documentation (TEST-NET-1)
192.31.196.0/24     11110 AS112-v4
192.52.193.0/24     11110 AMT
192.88.99.0/24      00000 Deprecated (6to4 Relay Anycast)
192.168.0.0/16      11100 Private-Use
192.175.48.0/24     11110 Direct Delegation AS112 Service
198.18.0.0/15       11100 Benchmarking
198.51.100.0/24     00000 Documentation (TEST-NET-2)
203.0.113.0/24      00000 Documentation (TEST-NET-3)
240.0.0.0/4         00001 Reserved
255.255.255.255/32  01001 Limited Broadcast
"""
_IPV6 = """
::1/128             00001 Loopback Address
::/128              10001 Unspecified Address
::ffff:0:0/96       00001 IPv4-mapped Address
64:ff9b::/96        11110 IPv4-IPv6 Translat.
64:ff9b:1::/48      11100 IPv4-IPv6 Translat.
100::/64            11100 Discard-Only Address Block
2001::/23           00000 IETF Protocol Assignments
2001::/32           11100 TEREDO
2001:1::1/128       11110 Port Control Protocol Anycast
2001:1::2/128       11110 Traversal Using Relays around NAT Anycast
2001:2::/48         11100 Benchmarking
2001:3::/32         11110 AMT
2001:4:112::/48     11110 AS112-v6
2001:10::/28        00000 Deprecated (previously ORCHID)
2001:20::/28        11110 ORCHIDv2
2001:30::/28        11110 Drone Remote ID Protocol Entity Tags (DETs) Prefix
2001:db8::/32       00000 Documentation
2002::/16           11100 6to4
2620:4f:8000::/48   11110 Direct Delegation AS112 Service
fc00::/7            11100 Unique-Local
fe80::/10           11001 Link-Local Unicast
"""


def _read(text: str, kind: type[IPv4Network] | type[IPv6Network]) -> tuple[Block, ...]:
    """Return the blocks of a table, the smallest first."""
    rows = (line.split(maxsplit=2) for line in text.strip().splitlines())
    blocks = (Block(kind(net), name.strip('"'), int(bits, 2)) for net, bits, name in rows)
    return tuple(sorted(blocks, key=lambda block: -block.network.prefixlen))


IPV4_BLOCKS = _read(_IPV4, IPv4Network)
IPV6_BLOCKS = _read(_IPV6, IPv6Network)


def is_in_ipv4(addresses: NDArray[np.uint32], network: IPv4Network) -> NDArray[np.bool_]:
    """Return a mask (k,) of the addresses, as numbers, in a network."""
    found: NDArray[np.bool_] = (addresses & np.uint32(int(network.netmask))) == np.uint32(
        int(network.network_address)
    )
    return found


def is_in_ipv6(addresses: NDArray[np.uint8], network: IPv6Network) -> NDArray[np.bool_]:
    """Return a mask (k,) of the addresses, as rows of 16 bytes, in a network."""
    spans = spans_of(masked(addresses, network.prefixlen))
    return equal_to(spans, network.network_address.packed)


def smallest_block(addresses: NDArray[np.uint8] | NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the index (k,) of each address's smallest block, -1 if it is in none.

    The index counts in `IPV4_BLOCKS` for numbers, and in `IPV6_BLOCKS` for rows of bytes.
    """
    found = np.full(len(addresses), -1, dtype=np.int64)
    for index, block in enumerate(IPV4_BLOCKS if addresses.ndim == 1 else IPV6_BLOCKS):
        rest = np.flatnonzero(found < 0)
        if isinstance(block.network, IPv4Network):
            mask = is_in_ipv4(addresses[rest].astype(np.uint32), block.network)
        else:
            mask = is_in_ipv6(addresses[rest].astype(np.uint8), block.network)
        found[rest[mask]] = index
    return found
