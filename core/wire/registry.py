"""The one list of protocols, and what follows from it: all tables, and the reader of each number.

A new protocol is one module with its `core.wire.protocol.Protocol` records, and one line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.wire.link import ethernet, fddi, linux_cooked, loopback, mpls, ppp, serial, shims, vlan
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering, Parser
from core.wire.network import (
    arp,
    authentication_header,
    geneve,
    icmp,
    icmpv6,
    igmp,
    ipv4,
    ipv6,
    ipv6_extensions,
    ipv6_routing,
    tunnels,
    vrrp,
)
from core.wire.protocol import Protocol, Reader
from core.wire.transport import sctp, tcp, udp

LINK_PROTOCOLS: tuple[Protocol, ...] = (
    *ethernet.PROTOCOLS,
    *vlan.PROTOCOLS,
    *mpls.PROTOCOLS,
    *ppp.PROTOCOLS,
    *linux_cooked.PROTOCOLS,
    *loopback.PROTOCOLS,
    *serial.PROTOCOLS,
    *fddi.PROTOCOLS,
    *shims.PROTOCOLS,
)
"""Protocols of headers before the network header."""

PACKET_PROTOCOLS: tuple[Protocol, ...] = (
    *arp.PROTOCOLS,
    *ipv4.PROTOCOLS,
    *ipv6.PROTOCOLS,
    *ipv6_extensions.PROTOCOLS,
    *ipv6_routing.PROTOCOLS,
    *authentication_header.PROTOCOLS,
    *icmp.PROTOCOLS,
    *icmpv6.PROTOCOLS,
    *igmp.PROTOCOLS,
    *tcp.PROTOCOLS,
    *udp.PROTOCOLS,
    *sctp.PROTOCOLS,
    *vrrp.PROTOCOLS,
    *tunnels.PROTOCOLS,
    *geneve.PROTOCOLS,
)
"""Protocols of network headers and of what they carry."""

PROTOCOLS: tuple[Protocol, ...] = (*LINK_PROTOCOLS, *PACKET_PROTOCOLS)
"""Every protocol that rawscope reads."""

LINK_TABLES: tuple[HeaderTable, ...] = tuple(
    table for protocol in LINK_PROTOCOLS for table in protocol.tables
)
"""Tables of headers before the network header."""

TABLES: tuple[HeaderTable, ...] = tuple(
    table for protocol in PROTOCOLS for table in protocol.tables
)


def readers(
    protocols: tuple[Protocol, ...] = PROTOCOLS,
) -> Iterator[tuple[Numbering, int, Reader]]:
    """Yield every number that leads to these protocols' readers, from the innermost outward.

    The batch decode compares numbers in this order: the frequent IP and TCP come before tags.
    """
    for protocol in reversed(protocols):
        for reader in protocol.readers:
            for number in reader.numbers:
                yield reader.space, number, reader


def _parsers() -> Mapping[Numbering, Mapping[int, Parser]]:
    parsers: dict[Numbering, dict[int, Parser]] = {space: {} for space in Numbering}
    for space, number, reader in readers():
        if number in parsers[space]:
            raise ValueError(f"two protocols answer to {space.value} {number}")
        parsers[space][number] = reader.parser
    return parsers


PARSERS = _parsers()


def numbers(space: Numbering) -> dict[str, int]:
    """Return the number that a header writes to name the next one, by the next one's name."""
    found: dict[str, int] = {}
    for protocol in PROTOCOLS:
        for reader in protocol.readers:
            if reader.space is space and reader.is_computed:
                found.setdefault(protocol.name, reader.numbers[0])
    return found
