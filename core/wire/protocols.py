"""The one list of protocols: every table, and who reads which number.

A new protocol is one file with its table, and its lines here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.wire import (
    arp,
    ethernet,
    icmp,
    icmpv6,
    ipv4,
    ipv4_options,
    ipv6,
    ipv6_options,
    tcp,
    tcp_options,
    udp,
    vlan,
)
from core.wire.ethernet import EtherType
from core.wire.field import HeaderTable, Slot
from core.wire.ipv4 import IpProtocol
from core.wire.link import LinkType
from core.wire.walk import Parser, Space

TABLES: tuple[HeaderTable, ...] = (
    ethernet.ETHERNET,
    ethernet.ETHERNET_802_3,
    ethernet.LLC,
    ethernet.LLC_16_BIT,
    ethernet.SNAP,
    vlan.VLAN,
    arp.ARP,
    arp.ARP_IPV4,
    ipv4.IPV4,
    *ipv4_options.TABLES,
    ipv6.IPV6,
    ipv6.HOP_BY_HOP,
    ipv6.ROUTING,
    ipv6.FRAGMENT,
    ipv6.DESTINATION_OPTIONS,
    ipv6.AUTHENTICATION,
    *ipv6_options.TABLES,
    icmp.ICMP,
    *icmp.CONTINUATIONS,
    icmpv6.ICMPV6,
    *icmpv6.CONTINUATIONS,
    *icmpv6.OPTION_TABLES,
    tcp.TCP,
    *tcp_options.TABLES,
    udp.UDP,
)

PARSERS: Mapping[Space, Mapping[int, Parser]] = {
    Space.LINK: {
        LinkType.ETHERNET: ethernet.parse,
        LinkType.IPV4: ipv4.parse,
        LinkType.IPV6: ipv6.parse,
    },
    Space.LLC: {0: ethernet.parse_llc},
    Space.ETHERTYPE: {
        EtherType.IPV4: ipv4.parse,
        EtherType.IPV6: ipv6.parse,
        EtherType.ARP: arp.parse,
        EtherType.RARP: arp.parse,
        **dict.fromkeys(vlan.TAG_TYPES, vlan.parse),
    },
    Space.IP_PROTOCOL: {
        IpProtocol.ICMP: icmp.parse,
        IpProtocol.ICMPV6: icmpv6.parse,
        IpProtocol.TCP: tcp.parse,
        IpProtocol.UDP: udp.parse,
        IpProtocol.IPV4: ipv4.parse,
        IpProtocol.IPV6: ipv6.parse,
        IpProtocol.HOP_BY_HOP: ipv6.parse_hop_by_hop,
        IpProtocol.ROUTING: ipv6.parse_routing,
        IpProtocol.FRAGMENT: ipv6.parse_fragment,
        IpProtocol.DESTINATION: ipv6.parse_destination_options,
        IpProtocol.AH: ipv6.parse_authentication,
    },
    Space.UDP_PORT: {},
    Space.PPP: {},
    Space.MPLS: {},
}


def slots() -> Iterator[Slot]:
    """Every field of every table, in the order of `TABLES`."""
    for table in TABLES:
        yield from table.slots
