"""What a header's empty fields are filled with: lengths, next protocols, sums.

A rule gets the `Context` of one header: what was given, what it carries, what is around it. Rules
go by the field's full name, so a field that is declared `automatic` and has none is a fault
that a test finds.

* Lengths go by what is there, the trailer left out.
* The next protocol goes by the table of the next header. Where only a payload follows, the numbers
  set aside for experiments say so: EtherType 0x88B5 (IEEE 802), protocol 253 (RFC 3692 §2.1).
* Sums go over the bytes that are there, with the pseudo-header of the next network header out,
  also where a length field was given wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.wire.checksum.packet_checksums import crc32c, internet_checksum, pseudo_header_sum
from core.wire.encode.packet_parts import Header
from core.wire.link.ethernet import EtherType
from core.wire.model.field import PlacedField
from core.wire.network import ipv4_options, ipv6, ipv6_options
from core.wire.network.ipv4 import IpProtocol
from core.wire.network.ipv6 import AH_UNIT, UNIT

EXPERIMENTAL_TYPE = 0x88B5  # IEEE 802 local experimental EtherType 1
EXPERIMENTAL_PROTOCOL = 253  # RFC 3692 §2.1
_ALL_ONES = 0xFFFF
_JUMBO = 0  # what a payload length holds that does not fit it (RFC 2675 §3)

ETHERTYPES: Mapping[str, int] = {
    "ip": EtherType.IPV4,
    "ipv6": EtherType.IPV6,
    "arp": EtherType.ARP,
    "vlan": EtherType.VLAN,
    "ieee8021ad": EtherType.PROVIDER_VLAN,
    "mpls": EtherType.MPLS,
    "pppoe": EtherType.PPPOE_SESSION,
    "nsh": EtherType.NSH,
    "cmd": EtherType.CISCO_METADATA,
}
PROTOCOLS: Mapping[str, int] = {
    "ipv6.hopopts": IpProtocol.HOP_BY_HOP,
    "icmp": IpProtocol.ICMP,
    "igmp": IpProtocol.IGMP,
    "ip": IpProtocol.IPV4,
    "tcp": IpProtocol.TCP,
    "udp": IpProtocol.UDP,
    "ipv6": IpProtocol.IPV6,
    "ipv6.routing": IpProtocol.ROUTING,
    "ipv6.fraghdr": IpProtocol.FRAGMENT,
    "gre": IpProtocol.GRE,
    "ah": IpProtocol.AH,
    "icmpv6": IpProtocol.ICMPV6,
    "ipv6.dstopts": IpProtocol.DESTINATION,
    "sctp": IpProtocol.SCTP,
}


@dataclass(frozen=True, slots=True)
class Context:
    """One header among the others. `size` is its own bytes, body included; `carried` all after
    it but the trailer; `outer` the headers around it, outermost first."""

    header: Header
    size: int
    carried: bytes
    following: Header | None
    outer: tuple[Header, ...]


Rule = Callable[[Context], int]
SumRule = Callable[[Context, bytes], int]  # the second argument: the header, its sum zero


def alignment(header: Header) -> int:
    """What the header's length is a multiple of, as its length field counts (bytes)."""
    match header.name:
        case "ip" | "tcp":
            return header.slot("hdr_len").field.unit
        case "ipv6.hopopts" | "ipv6.routing" | "ipv6.dstopts":
            return UNIT
        case "ah":
            return AH_UNIT
        case "nsh":
            return header.slot("length").field.unit
    return 1


def _ethertype(context: Context) -> int:
    if context.following is None:
        return EXPERIMENTAL_TYPE
    return ETHERTYPES.get(context.following.name, EXPERIMENTAL_TYPE)


def _protocol(context: Context) -> int:
    if context.following is None:
        return EXPERIMENTAL_PROTOCOL
    return PROTOCOLS.get(context.following.name, EXPERIMENTAL_PROTOCOL)


def _next_header(context: Context) -> int:
    if context.following is None and not context.carried:
        return IpProtocol.NO_NEXT
    return _protocol(context)


def _size(context: Context) -> int:
    return context.size


def _all(context: Context) -> int:
    return context.size + len(context.carried)


def _carried(context: Context) -> int:
    return len(context.carried)


def _payload_length(context: Context) -> int:
    length = len(context.carried)
    return length if length <= context.header.slot("plen").maximum else _JUMBO


def _units_after_first(context: Context) -> int:
    return context.size // UNIT - 1


def _words_after_two(context: Context) -> int:
    return context.size // AH_UNIT - 2


NUMBER_RULES: Mapping[str, Rule] = {
    "eth.type": _ethertype,
    "eth.len": _carried,
    "vlan.etype": _ethertype,
    "vlan.len": _carried,
    "ieee8021ad.type": _ethertype,
    "sll.etype": _ethertype,
    "pppoe.payload_length": _carried,
    "nsh.length": _size,
    "ip.hdr_len": _size,
    "ip.len": _all,
    "ip.proto": _protocol,
    "ipv6.plen": _payload_length,
    "ipv6.nxt": _next_header,
    "ipv6.hopopts.nxt": _next_header,
    "ipv6.hopopts.len": _units_after_first,
    "ipv6.dstopts.nxt": _next_header,
    "ipv6.dstopts.len": _units_after_first,
    "ipv6.routing.nxt": _next_header,
    "ipv6.routing.len": _units_after_first,
    "ipv6.fraghdr.nxt": _next_header,
    "ah.next_header": _next_header,
    "ah.length": _words_after_two,
    "tcp.hdr_len": _size,
    "udp.length": _all,
}


_LONGEST_HEADER: Mapping[Rule, Callable[[int], int]] = {
    _size: lambda most: most,
    _units_after_first: lambda most: (most + 1) * UNIT,
    _words_after_two: lambda most: (most + 2) * AH_UNIT,
}


def longest_header(slot: PlacedField) -> int | None:
    """The bytes of the longest header that a length field can say; None for any other field, also
    for a length that counts what the header carries."""
    found = _LONGEST_HEADER.get(NUMBER_RULES[slot.name]) if slot.name in NUMBER_RULES else None
    return found(slot.maximum) if found is not None else None


def _header_sum(_context: Context, header: bytes) -> int:
    return internet_checksum(header)


def _message_sum(context: Context, header: bytes) -> int:
    return internet_checksum(header + context.carried)


def _transport_sum(context: Context, header: bytes) -> int:
    segment = header + context.carried
    return internet_checksum(segment, _pseudo_header(context, len(segment)))


def _udp_sum(context: Context, header: bytes) -> int:
    return _transport_sum(context, header) or _ALL_ONES  # zero says "none" (RFC 768)


def _crc(context: Context, header: bytes) -> int:
    return crc32c(header + context.carried)


SUM_RULES: Mapping[str, SumRule] = {
    "ip.checksum": _header_sum,
    "tcp.checksum": _transport_sum,
    "udp.checksum": _udp_sum,
    "icmpv6.checksum": _transport_sum,
    "icmp.checksum": _message_sum,
    "igmp.checksum": _message_sum,
    "sctp.checksum": _crc,
}


def _pseudo_header(context: Context, length: int) -> int:
    """The sum of the pseudo-header; 0 where there is no network header.

    What stands between the transport and its network header may change the addresses: a source
    route, a routing header with segments left, a home address option.
    """
    protocol = PROTOCOLS[context.header.name]
    outer = context.outer
    place = next((i for i in reversed(range(len(outer))) if outer[i].name in ("ip", "ipv6")), None)
    if place is None:
        return 0
    network = outer[place]
    source, destination = (_address(network, key) for key in ("src", "dst"))
    if network.name == "ip":
        options = ipv4_options.OPTIONS.read(network.body, 0, len(network.body))
        destination = ipv4_options.final_destination(network.body, options) or destination
    for header in outer[place + 1 :]:
        if header.name == ipv6.ROUTING.name and header.value("segleft"):
            destination = ipv6.final_destination(_written(header), destination)
        elif header.name == ipv6.DESTINATION_OPTIONS.name:
            source = _home_address(header) or source
    return pseudo_header_sum(source, destination, protocol, length)


def _address(header: Header, key: str) -> bytes:
    value = header.value(key)
    size = header.slot(key).field.bits // 8
    return value if isinstance(value, bytes) else value.to_bytes(size, "big")


def _written(header: Header) -> bytes:
    """A header's bytes but for what is computed, which says nothing about addresses."""
    return header.emit(header.values) + header.body


def _home_address(header: Header) -> bytes | None:
    for option in ipv6_options.OPTIONS.read(header.body, 0, len(header.body)):
        if option.kind == ipv6_options.HOME_ADDRESS and option.values:
            span = option.values[0].span
            return header.body[span.start : span.stop]
    return None
