"""The one list of protocols: every table, and who reads which number.

A new protocol is one file with its table, its lines here, and one in
`core.wire.present.summary.INFO`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.wire.link import ethernet, linux_cooked, loopback, mpls, ppp, serial, shims, vlan
from core.wire.link.ethernet import EtherType
from core.wire.link.link_types import LinkType
from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering, Parser
from core.wire.network import (
    arp,
    icmp,
    icmpv6,
    igmp,
    ipv4,
    ipv4_options,
    ipv6,
    ipv6_options,
    tunnels,
)
from core.wire.network.ipv4 import IpProtocol
from core.wire.transport import sctp, tcp, tcp_options, udp

LINK_TABLES: tuple[HeaderTable, ...] = (
    ethernet.ETHERNET,
    ethernet.ETHERNET_802_3,
    ethernet.LLC,
    ethernet.LLC_16_BIT,
    ethernet.SNAP,
    ethernet.ETHERNET_INVALID,
    vlan.VLAN,
    vlan.VLAN_LENGTH,
    vlan.PROVIDER,
    mpls.MPLS,
    *ppp.TABLES,
    *linux_cooked.TABLES,
    *loopback.TABLES,
    *serial.TABLES,
    *shims.TABLES,
)
"""Tables of headers that stand before the network header."""

TABLES: tuple[HeaderTable, ...] = (
    *LINK_TABLES,
    arp.ARP,
    arp.ARP_IPV4,
    ipv4.IPV4,
    *ipv4_options.TABLES,
    ipv6.IPV6,
    ipv6.HOP_BY_HOP,
    ipv6.ROUTING,
    ipv6.RPL,
    ipv6.FRAGMENT,
    ipv6.DESTINATION_OPTIONS,
    ipv6.AUTHENTICATION,
    *ipv6_options.TABLES,
    icmp.ICMP,
    *icmp.CONTINUATIONS,
    igmp.IGMP,
    *igmp.CONTINUATIONS,
    icmpv6.ICMPV6,
    *icmpv6.CONTINUATIONS,
    *icmpv6.OPTION_TABLES,
    tcp.TCP,
    *tcp_options.TABLES,
    udp.UDP,
    sctp.SCTP,
    *tunnels.TABLES,
)

PARSERS: Mapping[Numbering, Mapping[int, Parser]] = {
    Numbering.LINK: {
        LinkType.ETHERNET: ethernet.parse,
        LinkType.NULL: loopback.parse,
        LinkType.LOOP: loopback.parse,
        LinkType.RAW: loopback.parse_raw,
        LinkType.RAW_BSD: loopback.parse_raw,
        LinkType.RAW_OPENBSD: loopback.parse_raw,
        LinkType.IPV4: ipv4.parse,
        LinkType.IPV6: ipv6.parse,
        LinkType.LINUX_SLL: linux_cooked.parse,
        LinkType.LINUX_SLL2: linux_cooked.parse_2,
        LinkType.PPP: ppp.parse,
        LinkType.C_HDLC: serial.parse_hdlc,
        LinkType.FRELAY: serial.parse_frame_relay,
        LinkType.NFLOG: serial.parse_nflog,
    },
    Numbering.LLC: {0: ethernet.parse_llc},
    Numbering.ETHERTYPE: {
        EtherType.IPV4: ipv4.parse,
        EtherType.IPV6: ipv6.parse,
        EtherType.ARP: arp.parse,
        EtherType.RARP: arp.parse,
        EtherType.PROVIDER_VLAN: vlan.parse_provider,
        EtherType.MPLS: mpls.parse,
        EtherType.MPLS_MULTICAST: mpls.parse,
        EtherType.PPP: ppp.parse,
        EtherType.PPPOE_DISCOVERY: ppp.parse_discovery,
        EtherType.PPPOE_SESSION: ppp.parse_session,
        EtherType.CISCO_METADATA: shims.parse_cisco_metadata,
        EtherType.NSH: shims.parse_nsh,
        EtherType.TRANSPARENT_ETHERNET: ethernet.parse,
        **dict.fromkeys(vlan.TAG_TYPES, vlan.parse),
    },
    Numbering.PPP_FRAME: {0: ppp.parse},
    Numbering.PPP: {
        ppp.IPV4: ipv4.parse,
        ppp.IPV6: ipv6.parse,
        ppp.MPLS: mpls.parse,
        ppp.MPLS_MULTICAST: mpls.parse,
    },
    Numbering.IP_PROTOCOL: {
        IpProtocol.ICMP: icmp.parse,
        IpProtocol.ICMPV6: icmpv6.parse,
        IpProtocol.IGMP: igmp.parse,
        IpProtocol.TCP: tcp.parse,
        IpProtocol.UDP: udp.parse,
        IpProtocol.SCTP: sctp.parse,
        IpProtocol.IPV4: ipv4.parse,
        IpProtocol.IPV6: ipv6.parse,
        IpProtocol.GRE: tunnels.parse_gre,
        IpProtocol.HOP_BY_HOP: ipv6.parse_hop_by_hop,
        IpProtocol.ROUTING: ipv6.parse_routing,
        IpProtocol.FRAGMENT: ipv6.parse_fragment,
        IpProtocol.DESTINATION: ipv6.parse_destination_options,
        IpProtocol.AH: ipv6.parse_authentication,
    },
    Numbering.UDP_PORT: {tunnels.VXLAN_PORT: tunnels.parse_vxlan},
}


def slots() -> Iterator[PlacedField]:
    """Every field of every table, in the order of `TABLES`."""
    for table in TABLES:
        yield from table.slots
