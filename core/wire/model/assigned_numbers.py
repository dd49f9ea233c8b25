"""Assigned numbers by which a header names the next one, and the names of those numbers.

EtherTypes (IEEE registration authority), IP protocol numbers (IANA; RFC 8200 §4 for IPv6), PPP
protocol numbers (RFC 1661 §2), and NSH next protocols (RFC 8300 §2.2). The lists have every number
that some header leads to, and others that are only named. A reader of another number may define it
in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class EtherType(IntEnum):
    """EtherTypes."""

    IPV4 = 0x0800
    ARP = 0x0806
    WAKE_ON_LAN = 0x0842
    TRANSPARENT_ETHERNET = 0x6558
    RARP = 0x8035
    VLAN = 0x8100
    IPV6 = 0x86DD
    PPP = 0x880B
    MPLS = 0x8847
    MPLS_MULTICAST = 0x8848
    PPPOE_DISCOVERY = 0x8863
    PPPOE_SESSION = 0x8864
    EAPOL = 0x888E
    PROVIDER_VLAN = 0x88A8
    CISCO_METADATA = 0x8909
    NSH = 0x894F
    LLDP = 0x88CC
    QINQ_OLD = 0x9100


ETHERTYPE_NAMES: dict[int, str] = {
    EtherType.IPV4: "IPv4",
    EtherType.ARP: "ARP",
    EtherType.WAKE_ON_LAN: "Wake-on-LAN",
    EtherType.TRANSPARENT_ETHERNET: "Transparent Ethernet bridging",
    EtherType.RARP: "RARP",
    EtherType.VLAN: "802.1Q VLAN",
    EtherType.IPV6: "IPv6",
    EtherType.PPP: "PPP",
    EtherType.MPLS: "MPLS",
    EtherType.MPLS_MULTICAST: "MPLS multicast",
    EtherType.PPPOE_DISCOVERY: "PPPoE discovery",
    EtherType.PPPOE_SESSION: "PPPoE session",
    EtherType.EAPOL: "802.1X authentication",
    EtherType.PROVIDER_VLAN: "802.1ad provider VLAN",
    EtherType.LLDP: "LLDP",
    EtherType.CISCO_METADATA: "Cisco metadata",
    EtherType.NSH: "NSH",
    EtherType.QINQ_OLD: "802.1Q VLAN (old stacked tag)",
    0x8809: "Slow protocols (LACP, OAM)",
    0x88F7: "PTP",
    0x8902: "802.1ag fault management",
    0x9000: "Loopback (configuration test)",
}


VXLAN_PORT, GENEVE_PORT = 4789, 6081
TUNNEL_PORTS = (VXLAN_PORT, GENEVE_PORT)
"""The UDP ports of tunnels (IANA), to or from which datagrams carry packets."""


class IpProtocol(IntEnum):
    """IP protocol numbers: IPv4's protocol and IPv6's next header."""

    HOP_BY_HOP = 0
    ICMP = 1
    IGMP = 2
    IPV4 = 4
    TCP = 6
    UDP = 17
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    ESP = 50
    AH = 51
    ICMPV6 = 58
    NO_NEXT = 59
    DESTINATION = 60
    SCTP = 132


PROTOCOL_NAMES: dict[int, str] = {
    IpProtocol.HOP_BY_HOP: "IPv6 hop-by-hop options",
    IpProtocol.ICMP: "ICMP",
    IpProtocol.IGMP: "IGMP",
    IpProtocol.IPV4: "IPv4 (tunnel)",
    IpProtocol.TCP: "TCP",
    8: "EGP",
    9: "IGP",
    IpProtocol.UDP: "UDP",
    33: "DCCP",
    IpProtocol.IPV6: "IPv6 (tunnel)",
    IpProtocol.ROUTING: "IPv6 routing",
    IpProtocol.FRAGMENT: "IPv6 fragment",
    46: "RSVP",
    IpProtocol.GRE: "GRE",
    IpProtocol.ESP: "ESP",
    IpProtocol.AH: "AH",
    IpProtocol.ICMPV6: "ICMPv6",
    IpProtocol.NO_NEXT: "IPv6 no next header",
    IpProtocol.DESTINATION: "IPv6 destination options",
    88: "EIGRP",
    89: "OSPF",
    94: "IP within IP encapsulation",
    103: "PIM",
    108: "IPComp",
    112: "VRRP",
    115: "L2TP",
    IpProtocol.SCTP: "SCTP",
    135: "IPv6 mobility",
    136: "UDP-Lite",
    137: "MPLS in IP",
    139: "HIP",
    140: "Shim6",
}


class PppProtocol(IntEnum):
    """PPP protocol numbers."""

    IPV4 = 0x0021
    IPV6 = 0x0057
    MPLS = 0x0281
    MPLS_MULTICAST = 0x0283


PPP_PROTOCOL_NAMES: dict[int, str] = {
    PppProtocol.IPV4: "IPv4",
    PppProtocol.IPV6: "IPv6",
    0x002D: "Van Jacobson compressed TCP",
    0x00FD: "Compressed datagram",
    PppProtocol.MPLS: "MPLS",
    PppProtocol.MPLS_MULTICAST: "MPLS multicast",
    0x8021: "IPCP",
    0x8057: "IPv6CP",
    0x80FD: "CCP",
    0xC021: "LCP",
    0xC023: "PAP",
    0xC025: "Link quality report",
    0xC223: "CHAP",
}

NSH_ETHERTYPES: Mapping[int, EtherType] = {
    1: EtherType.IPV4,
    2: EtherType.IPV6,
    3: EtherType.TRANSPARENT_ETHERNET,
    5: EtherType.MPLS,
}
"""The EtherType of what an NSH next protocol number names."""

NSH_PROTOCOL_NAMES = {1: "IPv4", 2: "IPv6", 3: "Ethernet", 5: "MPLS"}
