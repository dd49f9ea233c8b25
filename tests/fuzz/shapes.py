"""A frame for every header that rawscope reads, in every form: each table, each option kind.

`shapes` yields them by name. They are small, so that a test can try every prefix of each, and made
from the header tables, so that a test finds a new table without a shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from core.forge.compose.layer_kinds import KINDS
from core.wire.encode.build import build
from core.wire.link import linux_cooked, ppp
from core.wire.link.ethernet import ETHERNET, ETHERNET_802_3, LLC, LLC_16_BIT, SNAP
from core.wire.link.link_types import LinkType
from core.wire.link.mpls import MPLS
from core.wire.link.shims import CISCO_METADATA, NSH
from core.wire.link.vlan import PROVIDER, VLAN, VLAN_LENGTH
from core.wire.model.assigned_numbers import GENEVE_PORT, VXLAN_PORT, EtherType, IpProtocol
from core.wire.model.options import OptionList
from core.wire.model.packet_parts import Header, Parts
from core.wire.model.table import HeaderTable, continuations
from core.wire.network import geneve, icmp, icmpv6, igmp, neighbor_discovery, tunnels
from core.wire.network.arp import ARP, ARP_IPV4
from core.wire.network.authentication_header import AUTHENTICATION
from core.wire.network.ipv4_options import OPTIONS as IPV4_OPTIONS
from core.wire.network.ipv6_extensions import DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP
from core.wire.network.ipv6_options import OPTIONS as IPV6_OPTIONS
from core.wire.network.ipv6_routing import ROUTING, ROUTING_RPL, RPL
from core.wire.protocol import LayerPosition
from core.wire.transport import sctp
from core.wire.transport.tcp_options import OPTIONS as TCP_OPTIONS
from tests.core.wire import frames

ETHER, IPV4, IPV6 = LinkType.ETHERNET, LinkType.IPV4, LinkType.IPV6
DATAGRAM = frames.ipv4(frames.udp(b"data"), IpProtocol.UDP)
DATAGRAM_6 = frames.ipv6(frames.udp(b"data", six=True), IpProtocol.UDP)
UNKNOWN = 200  # an unassigned IP protocol, option kind and ICMP type
SACKS, ADDRESSES = 3, 2

DNS_QUERY = bytes.fromhex("000101000001000000000000076578616d706c65036f72670000010001")
DNS_ANSWER = bytes.fromhex(
    "000181800001000200000000" "076578616d706c65036f726700" "00010001"
    "c00c00010001000000070004c0000201" "c00c000f000100000007000400 05c00c"
)  # fmt: skip
CLIENT_HELLO = bytes.fromhex(
    "16030100400100003c0303" + "11" * 32 + "00" "0002" "1301" "0100"
    "0011" "0000" "000d" "000b" "00" "0008" + b"host.org".hex()
)  # fmt: skip
APPLICATIONS = {
    "dns": DNS_QUERY,
    "dns answer": DNS_ANSWER,
    "dns over tcp": len(DNS_QUERY).to_bytes(2, "big") + DNS_QUERY,
    "http": b"GET /a HTTP/1.1\r\nHost: b\r\n\r\n",
    "http status": b"HTTP/1.1 404 Not Found\r\n\r\n",
    "tls": CLIENT_HELLO,
    "data": b"\x00\xff\x1b",
}


class Shape(NamedTuple):
    """A frame, and how to read it."""

    name: str
    link_type: int
    data: bytes


def shapes() -> Iterator[Shape]:
    """Yield every shape; names are unique."""
    yield from _links()
    yield from _ethernet()
    yield from _networks()
    yield from _transports()
    yield from _messages()
    yield from _tunnels()
    yield from _forged()


def _links() -> Iterator[Shape]:
    yield Shape("raw ip", LinkType.RAW, DATAGRAM)
    yield Shape("raw ipv6", LinkType.RAW, DATAGRAM_6)
    yield Shape("unread", 105, DATAGRAM)
    words = "02000000 00000002 1e000000 0000001e 00020000 00000800 00080000 000086dd 63000000"
    for word in words.split():
        packet = DATAGRAM_6 if "1e" in word or "86" in word else DATAGRAM
        for link in (LinkType.NULL, LinkType.LOOP):
            yield Shape(f"{link.name} {word}", link, bytes.fromhex(word) + packet)
    yield Shape("NULL ppp", LinkType.NULL, b"\xff\x03\x00\x21" + DATAGRAM)
    for start in ("ff030021", "ff0321", "0021", "21", "ff03c021", "ff030057"):
        packet = DATAGRAM_6 if start.endswith("57") else DATAGRAM
        yield Shape(f"ppp {start}", LinkType.PPP, bytes.fromhex(start) + packet)
    for control in (0x51, 0xD0, 0x41):
        header = bytes((control,)) + bytes(12) + bytes.fromhex("aaaa030000000800")
        yield Shape(f"fddi {control}", LinkType.FDDI, header + DATAGRAM)
    yield Shape("chdlc", LinkType.C_HDLC, b"\x0f\x00\x08\x00" + DATAGRAM)
    yield Shape("chdlc slarp", LinkType.C_HDLC, b"\x8f\x00\x80\x35" + bytes(14))
    snap = ("1861030080000000" + "0800", "1861030080000001" + "0800", "186103000800")
    for start in ("186103cc", "18610800", "186003cc", "186000610800", "186103aa", *snap):
        yield Shape(f"fr {start}", LinkType.FRELAY, bytes.fromhex(start) + DATAGRAM)
    for family, order in product((2, 7, 10), ("little", "big")):
        values = (5).to_bytes(2, order) + (10).to_bytes(2, order) + bytes(4)
        values += (len(DATAGRAM) + 4).to_bytes(2, order) + (9).to_bytes(2, order) + DATAGRAM
        yield Shape(f"nflog {family} {order}", LinkType.NFLOG, bytes([family, 0, 0, 1]) + values)
    hardware = (1, 801, *linux_cooked.HARDWARE_MEANINGS)
    for kind, (number, length) in product(hardware, ((0x0800, 6), (0x0800, 4), (4, 6), (1, 4))):
        for link, table in (
            (LinkType.LINUX_SLL, linux_cooked.SLL),
            (LinkType.LINUX_SLL2, linux_cooked.SLL2),
        ):
            header = table.emit({"hatype": kind, "etype": number, "halen": length})
            payload = b"\x18\x61\x03\xcc" if kind == linux_cooked.HARDWARE_FRAD else b""
            payload += LLC.emit({"dsap": 6, "ssap": 6, "control": 3}) if number == 4 else b""
            name = f"{link.name} {kind} {number:04x} {length}"
            yield Shape(name, link, header + payload + DATAGRAM)


def _ethernet() -> Iterator[Shape]:
    yield Shape("ethernet", ETHER, frames.ethernet(DATAGRAM))
    yield Shape("ethernet ipv6", ETHER, frames.ethernet(DATAGRAM_6, EtherType.IPV6))
    yield Shape("lldp", ETHER, frames.ethernet(b"\x02\x07", EtherType.LLDP))
    yield Shape("neither", ETHER, ETHERNET.emit({"type": 0x05FF}) + DATAGRAM)
    llcs = {
        "unnumbered": LLC.emit({"dsap": 0x42, "ssap": 0x42, "control": 3}),
        "numbered": LLC_16_BIT.emit({"dsap": 0xF0, "ssap": 0xF0, "control": 1}),
        "ip": LLC.emit({"dsap": 6, "ssap": 6, "control": 3}) + DATAGRAM,
        "ipx": b"\xff\xff\x00\x1e",
        "snap": LLC.emit({"dsap": 0xAA, "ssap": 0xAA, "control": 3})
        + SNAP.emit({"type": EtherType.IPV4})
        + DATAGRAM,
        "snap of cisco": LLC.emit({"dsap": 0xAA, "ssap": 0xAA, "control": 3})
        + SNAP.emit({"oui": 0x00000C, "type": 0x2000}),
    }
    for name, body in llcs.items():
        yield Shape(f"802.3 {name}", ETHER, ETHERNET_802_3.emit({"len": len(body)}) + body)
    length = VLAN_LENGTH.emit({"id": 3, "len": len(llcs["unnumbered"])}) + llcs["unnumbered"]
    inside = {
        "vlan": (EtherType.VLAN, VLAN.emit({"id": 5, "etype": EtherType.IPV4}) + DATAGRAM),
        "vlan 802.3": (EtherType.VLAN, length),
        "provider": (
            EtherType.PROVIDER_VLAN,
            PROVIDER.emit({"id": 9, "type": EtherType.VLAN})
            + VLAN.emit({"id": 5, "etype": EtherType.IPV4})
            + DATAGRAM,
        ),
        "mpls": (EtherType.MPLS, MPLS.emit({"label": 9, "bottom": 1}) + DATAGRAM),
        "mpls data": (EtherType.MPLS_MULTICAST, MPLS.emit({"label": 14, "bottom": 1}) + bytes(4)),
        "pppoe": (
            EtherType.PPPOE_SESSION,
            ppp.PPPOE.emit({"payload_length": 2 + len(DATAGRAM)}) + b"\x00\x21" + DATAGRAM,
        ),
        "pppoe discovery": (EtherType.PPPOE_DISCOVERY, ppp.PPPOE.emit({"code": 9}) + bytes(4)),
        "ppp": (EtherType.PPP, b"\x00\x21" + DATAGRAM),
        "cmd": (EtherType.CISCO_METADATA, CISCO_METADATA.emit({"type": 0x0800}) + DATAGRAM),
        "nsh": (EtherType.NSH, NSH.emit({"length": 12, "nextproto": 1}) + bytes(4) + DATAGRAM),
        "nsh short": (EtherType.NSH, NSH.emit({"length": 4})),
        "bridged": (EtherType.TRANSPARENT_ETHERNET, frames.ethernet(DATAGRAM)),
    }
    for name, (kind, body) in inside.items():
        yield Shape(name, ETHER, frames.ethernet(body, kind))
    for operation in range(10):
        common = ARP.emit({"opcode": operation})
        yield Shape(f"arp {operation}", ETHER, _arp(common + ARP_IPV4.emit({"dst.proto_ipv4": 1})))
        infiniband = ARP.emit({"opcode": operation, "hw.type": 32, "hw.size": 20})
        yield Shape(f"arp infiniband {operation}", ETHER, _arp(infiniband + bytes(range(48))))
    for sizes in ((0, 4), (6, 0), (0, 0), (6, 16), (255, 255)):
        common = ARP.emit({"hw.size": sizes[0], "proto.size": sizes[1]})
        yield Shape(f"arp {sizes}", ETHER, _arp(common + bytes(2 * min(44, sum(sizes)))))
    reverse = ARP.emit({"opcode": 3}) + ARP_IPV4.emit({})
    yield Shape("rarp", ETHER, frames.ethernet(reverse, EtherType.RARP))


def _arp(body: bytes) -> bytes:
    return frames.ethernet(body, EtherType.ARP)


def _networks() -> Iterator[Shape]:
    for kind, options in _option_lists(IPV4_OPTIONS, 4):
        packet = frames.ipv4(frames.udp(b"x"), IpProtocol.UDP, options)
        yield Shape(f"ip option {kind}", IPV4, packet)
    for kind, options in _option_lists(IPV6_OPTIONS, 8, before=2):
        for table, number in ((HOP_BY_HOP, 0), (DESTINATION_OPTIONS, 60)):
            header = _extension(table, options)
            packet = frames.ipv6(header + frames.udp(b"x", six=True), number)
            yield Shape(f"{table.name} {kind}", IPV6, packet)
    for kind in (0, 2, ROUTING_RPL, 4, 9):
        more = RPL.emit({"cmprE": 4}) if kind == ROUTING_RPL else bytes(4)
        body = more + bytes(16 * ADDRESSES)
        header = ROUTING.emit({"nxt": 17, "type": kind, "segleft": 1, "len": 2 * ADDRESSES}) + body
        yield Shape(
            f"routing {kind}",
            IPV6,
            frames.ipv6(header + frames.udp(b"x", six=True), IpProtocol.ROUTING),
        )
    for protocol in (1, 2, 6, 17, 47, 58, 132, UNKNOWN):
        for offset, more in ((0, 1), (3, 0), (185, 1), (185, 0), (0, 0)):
            place = f"{protocol} at {offset} {more}"
            header = FRAGMENT.emit({"nxt": protocol, "offset": offset, "more": more, "ident": 7})
            body = {6: frames.tcp(bytes(4)), 17: frames.udp(bytes(16))}.get(protocol, bytes(24))
            yield Shape(f"fragment {place}", IPV6, frames.ipv6(header + body, IpProtocol.FRAGMENT))
            packet = frames.ipv4(body, protocol, frag_offset=offset, flags__mf=more, id=7)
            yield Shape(f"ip fragment {place}", IPV4, packet)
    authentication = AUTHENTICATION.emit({"next_header": 17, "length": 4}) + bytes(12)
    yield Shape("ah", IPV4, frames.ipv4(authentication + frames.udp(b"x"), IpProtocol.AH))
    packet = frames.ipv6(authentication + frames.udp(b"x", six=True), IpProtocol.AH)
    yield Shape("ah ipv6", IPV6, packet)
    yield Shape("ip unknown", IPV4, frames.ipv4(b"x", UNKNOWN))
    yield Shape("ipv6 unknown", IPV6, frames.ipv6(b"x", UNKNOWN))
    for name, fields in (("version", {"version": 5}), ("header", {"hdr_len": 16})):
        yield Shape(f"ip wrong {name}", IPV4, frames.ipv4(b"x" * 8, 17, checksum=0, **fields))
    yield Shape("ipv6 wrong version", IPV6, frames.ipv6(b"x", 17, version=5))


def _extension(table: HeaderTable, options: bytes) -> bytes:
    return table.emit({"nxt": IpProtocol.UDP, "len": (2 + len(options)) // 8 - 1}) + options


def _option_lists(options: OptionList, unit: int, before: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield a list for each kind, padded to a multiple of `unit` bytes with `before`."""
    padding = 1 if options.inclusive else 0  # the kind of one byte
    for kind in (*options.kinds, UNKNOWN):
        for name, option in _options(options, kind):
            spare = -(before + len(option)) % unit
            yield f"{kind} {name}", option + bytes([padding]) * spare


def _options(options: OptionList, kind: int) -> Iterator[tuple[str, bytes]]:
    """Return options of this kind: one of a correct length, one too short, one too long."""
    if kind in options.single:
        yield "", bytes([kind])
        return
    known = options.kinds.get(kind)
    table = known.table if known else None
    repeated = SACKS if known and known.repeated else 1
    body = table.emit({}) * repeated if table else b"\x01\x02"
    body += bytes(-(2 + len(body)) % options.unit)
    length = (2 + len(body)) // options.unit if options.inclusive else len(body)
    yield "whole", bytes([kind, length]) + body
    yield "short", bytes([kind, max(0, length - 1)]) + body
    yield "none", bytes([kind, 0]) + body
    yield "long", bytes([kind, 250]) + body


def _transports() -> Iterator[Shape]:
    for name, payload in APPLICATIONS.items():
        port = 53 if name.startswith("dns") else 9
        segment = frames.tcp(payload, dstport=port, flags__ack=1)
        yield Shape(f"tcp {name}", IPV4, frames.ipv4(segment, IpProtocol.TCP))
        datagram = frames.udp(payload, six=True, dstport=port)
        yield Shape(f"udp {name}", IPV6, frames.ipv6(datagram, IpProtocol.UDP))
    for kind, options in _option_lists(TCP_OPTIONS, 4):
        if len(options) <= 40:
            packet = frames.ipv4(frames.tcp(b"x", options, flags__syn=1), IpProtocol.TCP)
            yield Shape(f"tcp option {kind}", IPV4, packet)
    yield Shape("tcp header 16", IPV4, frames.ipv4(frames.tcp(b"x" * 8, hdr_len=16), 6))
    for length in (0, 7, 60_000):
        packet = frames.ipv4(frames.udp(b"abc", length=length), IpProtocol.UDP)
        yield Shape(f"udp length {length}", IPV4, packet)
    chunks = b"".join(bytes([kind, 0, 0, 4]) for kind in (*list(sctp.CHUNK_NAMES)[:4], UNKNOWN))
    packet = sctp.SCTP.emit({"srcport": 1, "dstport": 2}) + chunks
    yield Shape("sctp", IPV4, frames.ipv4(packet, IpProtocol.SCTP))


def _messages() -> Iterator[Shape]:
    kinds = sorted({kind for table in icmp.CONTINUATIONS if table.when for kind in table.when[1]})
    for kind in (*kinds, UNKNOWN):
        for code in (0, icmp.FRAGMENTATION_NEEDED):
            body = icmp.ICMP.emit({"type": kind, "code": code})
            body += _rest(continuations(icmp.CONTINUATIONS, kind))
            quoted = frames.ipv4(frames.tcp(b"x"), IpProtocol.TCP)
            body += quoted if kind in icmp.ERRORS else b"data"
            yield Shape(f"icmp {kind}/{code}", IPV4, frames.ipv4(body, IpProtocol.ICMP))
    for kind in [*sorted(igmp.TYPES), UNKNOWN]:
        for more in (0, 8, 20):
            body = igmp.IGMP.emit({"type": kind})
            body += _rest(continuations((igmp.GROUP, igmp.REPORT), kind)) + bytes(more)
            yield Shape(f"igmp {kind} {more}", IPV4, frames.ipv4(body, IpProtocol.IGMP))
    record = igmp.REPORT.emit({"num_grp_recs": 1}) + igmp.RECORD.emit({"maddr": 0xE0000001})
    body = igmp.IGMP.emit({"type": igmp.REPORT_3}) + record
    yield Shape("igmp record", IPV4, frames.ipv4(body, IpProtocol.IGMP))
    tables = icmpv6.CONTINUATIONS
    for kind in sorted({kind for table in tables if table.when for kind in table.when[1]}):
        body = icmpv6.ICMPV6.emit({"type": kind, "code": 1}) + _rest(continuations(tables, kind))
        body += frames.ipv6(frames.tcp(six=True), 6) if kind in icmpv6.ERRORS else b""
        yield Shape(f"icmpv6 {kind}", IPV6, frames.ipv6(body, IpProtocol.ICMPV6))
    yield Shape("icmpv6 unknown", IPV6, frames.ipv6(bytes([UNKNOWN, 1, 0, 0]), 58))
    asking = icmpv6.ICMPV6.emit({"type": 135}) + neighbor_discovery.SOLICITATION.emit({})
    for kind, options in _option_lists(neighbor_discovery.OPTIONS, 8):
        yield Shape(f"nd option {kind}", IPV6, frames.ipv6(asking + options, IpProtocol.ICMPV6))


def _rest(tables: tuple[HeaderTable, ...]) -> bytes:
    return b"".join(table.emit({}) for table in tables)


def _tunnels() -> Iterator[Shape]:
    yield Shape("ip in ip", IPV4, frames.ipv4(DATAGRAM, IpProtocol.IPV4))
    yield Shape("ipv6 in ip", IPV4, frames.ipv4(DATAGRAM_6, IpProtocol.IPV6))
    vxlan = tunnels.VXLAN.emit({"vni": 7}) + frames.ethernet(DATAGRAM)
    datagram = frames.udp(vxlan, dstport=VXLAN_PORT)
    yield Shape("vxlan", IPV4, frames.ipv4(datagram, IpProtocol.UDP))
    option = geneve.OPTION.emit({"class": 0x102, "type": 0x85, "words": 1}) + b"data"
    for kind, inner in (
        (EtherType.IPV4, DATAGRAM),
        (EtherType.TRANSPARENT_ETHERNET, frames.ethernet(DATAGRAM)),
    ):
        for options in (b"", option, geneve.OPTION.emit({}) + option):
            values = {"proto_type": kind, "vni": 7, "option.length": len(options)}
            body = geneve.GENEVE.emit(values) + options + inner
            datagram = frames.udp(body, dstport=GENEVE_PORT)
            name = f"geneve {kind:04x} {len(options)}"
            yield Shape(name, IPV4, frames.ipv4(datagram, IpProtocol.UDP))
    names = ("checksum", "routing", "key", "sequence_number", "ack")
    for version, flags in product((0, tunnels.PPTP), product((0, 1), repeat=len(names))):
        if version == tunnels.PPTP and not flags[2]:  # PPTP always has a key
            continue
        values = {f"flags.{name}": flag for name, flag in zip(names, flags, strict=True)}
        header = tunnels.GRE.emit({**values, "flags.version": version, "proto": EtherType.IPV4})
        summed, routed, keyed, numbered, acknowledged = map(bool, flags)
        table = tunnels.optional_table(summed or routed, keyed, numbered, version, acknowledged)
        header += table.emit({}) if table else b""
        name = "".join(map(str, flags))
        yield Shape(f"gre {version} {name}", IPV4, frames.ipv4(header + DATAGRAM, IpProtocol.GRE))


def _forged() -> Iterator[Shape]:
    """Yield each transport of the forge with default values, over both versions of IP."""
    networks = ((IPV4, KINDS["ip"].tables), (IPV6, KINDS["ipv6"].tables))
    for kind, (link, tables) in product(KINDS.values(), networks):
        if kind.place is LayerPosition.TRANSPORT:
            built = build(Parts((Header(tables), Header(kind.tables)), b"payload"))
            yield Shape(f"forged {kind.name} over {link.name}", link, built.data)
