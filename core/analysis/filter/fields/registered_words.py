"""Further words for the values of fields, which a filter may use beside those on the screen.

They are the keywords and names in the registries of IANA and in the RFCs that define the numbers,
as far as `core.wire.model.assigned_numbers` and the header tables do not have them, and those that
Wireshark has for the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, PROTOCOL_NAMES

_KEYWORDS = """
0 HOPOPT, 1 ICMP, 2 IGMP, 3 GGP, 4 IPv4, 5 ST, 6 TCP, 7 CBT, 8 EGP, 9 IGP, 10 BBN-RCC-MON,
11 NVP-II, 12 PUP, 13 ARGUS, 14 EMCON, 15 XNET, 16 CHAOS, 17 UDP, 18 MUX, 19 DCN-MEAS, 20 HMP,
21 PRM, 22 XNS-IDP, 23 TRUNK-1, 24 TRUNK-2, 25 LEAF-1, 26 LEAF-2, 27 RDP, 28 IRTP, 29 ISO-TP4,
30 NETBLT, 31 MFE-NSP, 32 MERIT-INP, 33 DCCP, 34 3PC, 35 IDPR, 36 XTP, 37 DDP, 38 IDPR-CMTP,
39 TP++, 40 IL, 41 IPv6, 42 SDRP, 43 IPv6-Route, 44 IPv6-Frag, 45 IDRP, 46 RSVP, 47 GRE, 48 DSR,
49 BNA, 50 ESP, 51 AH, 52 I-NLSP, 53 SWIPE, 54 NARP, 55 MOBILE, 56 TLSP, 57 SKIP, 58 IPv6-ICMP,
59 IPv6-NoNxt, 60 IPv6-Opts, 62 CFTP, 64 SAT-EXPAK, 65 KRYPTOLAN, 66 RVD, 67 IPPC, 69 SAT-MON,
70 VISA, 71 IPCV, 72 CPNX, 73 CPHB, 74 WSN, 75 PVP, 76 BR-SAT-MON, 77 SUN-ND, 78 WB-MON,
79 WB-EXPAK, 80 ISO-IP, 81 VMTP, 82 SECURE-VMTP, 83 VINES, 84 TTP, 85 NSFNET-IGP, 86 DGP, 87 TCF,
88 EIGRP, 89 OSPFIGP, 90 Sprite-RPC, 91 LARP, 92 MTP, 93 AX.25, 94 IPIP, 95 MICP, 96 SCC-SP,
97 ETHERIP, 98 ENCAP, 100 GMTP, 101 IFMP, 102 PNNI, 103 PIM, 104 ARIS, 105 SCPS, 106 QNX, 107 A/N,
108 IPComp, 109 SNP, 110 Compaq-Peer, 111 IPX-in-IP, 112 VRRP, 113 PGM, 115 L2TP, 116 DDX,
117 IATP, 118 STP, 119 SRP, 120 UTI, 121 SMP, 122 SM, 123 PTP, 124 ISIS over IPv4, 125 FIRE,
126 CRTP, 127 CRUDP, 128 SSCOPMCE, 129 IPLT, 130 SPS, 131 PIPE, 132 SCTP, 133 FC,
134 RSVP-E2E-IGNORE, 135 Mobility Header, 136 UDPLite, 137 MPLS-in-IP, 138 manet, 139 HIP,
140 Shim6, 141 WESP, 142 ROHC, 143 Ethernet, 144 AGGFRAG
"""
"""The keywords of IANA's registry of protocol numbers."""


def _numbered(text: str) -> dict[str, int]:
    """Return the number of each word in a list such as ``0 HOPOPT, 1 ICMP``."""
    pairs = (each.split(maxsplit=1) for each in text.split(","))
    return {word.strip(): int(number) for number, word in pairs}


_PROTOCOL_ALIASES: Mapping[str, int] = {
    **_numbered(_KEYWORDS),
    "IPv6 Hop-by-Hop Option": 0,
    "IPIP": 4,
    "Datagram Congestion Control Protocol": 33,
    "Routing Header for IPv6": 43,
    "Fragment Header for IPv6": 44,
    "Reservation Protocol": 46,
    "Generic Routing Encapsulation": 47,
    "Encap Security Payload": 50,
    "Authentication Header": 51,
    "No Next Header for IPv6": 59,
    "Destination Options for IPv6": 60,
    "Mobile IPv6": 135,
    "MPLS in IP": 137,
    "Layer Two Tunneling Protocol": 115,
    "Stream Control Transmission Protocol": 132,
}
_ETHERTYPE_ALIASES: Mapping[str, int] = {
    "Wake on LAN": 0x0842,
    "802.1Q Virtual LAN": 0x8100,
    "MPLS label switched packet": 0x8847,
    "MPLS multicast label switched packet": 0x8848,
    "802.1ad Provider Bridge (Q-in-Q)": 0x88A8,
    "Link Layer Discovery Protocol": 0x88CC,
    "Network Service Header": 0x894F,
    "CiscoMetaData": 0x8909,
    "Slow Protocols": 0x8809,
}
_CODEPOINTS = {  # RFC 3168 §5
    "Not ECN-Capable Transport": 0,
    "ECN-Capable Transport codepoint '01'": 1,
    "ECN-Capable Transport codepoint '10'": 2,
}
_INFINITY = {"Infinity": 0xFFFFFFFF}
_BY_FIELD: Mapping[str, Mapping[str, int]] = {
    "arp.hw.type": _numbered(
        "2 Experimental Ethernet, 3 AX.25, 5 Chaos, 7 ARCNET, 8 Hyperchannel, 9 Lanstar, "
        "12 LocalNet, 14 SMDS, 15 Frame Relay DLCI, 16 ATM, 17 HDLC, "
        "20 Serial Line, 24 IEEE 1394.1995, 25 MAPOS, 26 Twinaxial, 27 EUI-64, 28 HIPARP, "
        "30 ARPSec, 31 IPsec tunnel, 34 Wiegand Interface, 35 Pure IP, 37 HFI"
    ),
    "arp.opcode": _numbered(
        "8 inverse request, 9 inverse reply, 10 ARP NAK, 11 MARS request, 12 MARS multi, "
        "13 MARS mserv, 14 MARS join, 15 MARS leave, 16 MARS nak, 17 MARS unserv, 18 MARS sjoin, "
        "19 MARS sleave, 20 MARS grouplist request, 21 MARS grouplist reply, "
        "22 MARS redirect map, 23 MAPOS UNARP, 24 experimental 1, 25 experimental 2"
    ),
    "chdlc.protocol": {"IP": 0x0800},
    "gre.flags.version": {"GRE": 0, "Enhanced GRE": 1},
    "gre.proto": {"IP": 0x0800},
    "icmpv6.opt.prefix.preferred_lifetime": _INFINITY,
    "icmpv6.opt.prefix.valid_lifetime": _INFINITY,
    "icmpv6.opt.rdnss.lifetime": _INFINITY,
    "icmpv6.type": _numbered(
        "128 Echo (ping) request, 129 Echo (ping) reply, 138 Router Renumbering, "
        "140 Node Information Reply, 141 Inverse Neighbor Discovery Solicitation, "
        "142 Inverse Neighbor Discovery Advertisement, 143 Multicast Listener Report Message v2, "
        "144 Home Agent Address Discovery Request, 145 Home Agent Address Discovery Reply, "
        "146 Mobile Prefix Solicitation, 147 Mobile Prefix Advertisement, "
        "148 Certification Path Solicitation, 149 Certification Path Advertisement, "
        "151 Multicast Router Advertisement, 152 Multicast Router Solicitation, "
        "153 Multicast Router Termination, 154 FMIPv6, 155 RPL Control, "
        "157 Duplicate Address Request, 158 Duplicate Address Confirmation, "
        "159 MPL Control Message, 160 Extended Echo request, 161 Extended Echo reply"
    ),
    "igmp.record_type": {"Change To Include Mode": 3, "Change To Exclude Mode": 4},
    "ip.dsfield.dscp": {"Lower Effort": 1},
    "ip.dsfield.ecn": _CODEPOINTS,
    "ipv6.routing.type": {"Nimrod": 1, "Type 2 Routing": 2, "RPL Source Route": 3},
    "ipv6.tclass.dscp": {"Lower Effort": 1},
    "ipv6.tclass.ecn": _CODEPOINTS,
    "mpls.label": {"IPv4 Explicit-Null": 0, "IPv6 Explicit-Null": 2, "Implicit-Null": 3},
    "null.family": {"IP": 2},
    "pppoe.code": {  # RFC 2516 §5
        "Active Discovery Offer (PADO)": 0x07,
        "Active Discovery Initiation (PADI)": 0x09,
        "Active Discovery Request (PADR)": 0x19,
        "Active Discovery Session-confirmation (PADS)": 0x65,
        "Active Discovery Terminate (PADT)": 0xA7,
    },
    "sll.gretype": {"IP": 0x0800},
    "sll.pkttype": {"Unicast to us": 0, "Unicast to another host": 3},
    "tcp.options.mptcp.subtype": _numbered(  # RFC 8684 §9.2
        "0 Multipath Capable, 1 Join Connection, 2 Data Sequence Signal, 3 Add Address, "
        "4 Remove Address, 5 Change Subflow Priority, 6 Fallback, 7 Fast Close"
    ),
}


def aliases(name: str, words: Mapping[int, str]) -> Mapping[str, int]:
    """Return further words that Wireshark or the registry of a field's numbers has for them."""
    if words is PROTOCOL_NAMES:
        return _PROTOCOL_ALIASES
    common = _ETHERTYPE_ALIASES if words is ETHERTYPE_NAMES else {}
    return {**common, **_BY_FIELD.get(name, {})}
