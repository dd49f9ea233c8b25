"""Compute the fields that were left empty: lengths, next protocols, checksums.

A rule gets the `Context` of one header: its given values, what it carries, and the headers around
it. Rules go by the field's full name; a test finds an `automatic` field without a rule.

* Lengths count the bytes that are there, without the trailer.
* The next protocol follows from the table of the next header. For a bare payload it is a number set
  aside for experiments: EtherType 0x88B5 (IEEE 802), protocol 253 (RFC 3692 §2.1).
* Sums cover the bytes that are there, with the pseudo-header of the nearest network header outside,
  also if a length field was given a wrong value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.wire.checksum.packet_checksums import crc32c, internet_checksum, pseudo_header_sum
from core.wire.encode.packet_parts import Header
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.field import PlacedField
from core.wire.model.walk import Numbering
from core.wire.network import authentication_header, ipv4_options, ipv6_extensions, ipv6_options
from core.wire.network.ipv6_extensions import UNIT
from core.wire.protocol import ChecksumRule, ComputedNumber
from core.wire.registry import PROTOCOLS, numbers

EXPERIMENTAL_TYPE = 0x88B5  # IEEE 802 local experimental EtherType 1
EXPERIMENTAL_PROTOCOL = 253  # RFC 3692 §2.1
_ALL_ONES = 0xFFFF
_JUMBO = 0  # the payload length of a jumbogram (RFC 2675 §3)

ETHERTYPES = numbers(Numbering.ETHERTYPE)
IP_PROTOCOLS = numbers(Numbering.IP_PROTOCOL)


@dataclass(frozen=True, slots=True)
class Context:
    """One header among the others.

    `size` is its own bytes, body included; `carried` all bytes after it but the trailer; `outer`
    the headers around it, outermost first.
    """

    header: Header
    size: int
    carried: bytes
    following: Header | None
    outer: tuple[Header, ...]


Rule = Callable[[Context], int]
SumRule = Callable[[Context, bytes], int]  # the second argument: the header, its sum zero


def alignment(header: Header) -> int:
    """Return the unit of the header's length (bytes)."""
    return _ALIGNMENTS[header.name]


_ALIGNMENTS = {protocol.name: protocol.alignment for protocol in PROTOCOLS}


def _ethertype(context: Context) -> int:
    if context.following is None:
        return EXPERIMENTAL_TYPE
    return ETHERTYPES.get(context.following.name, EXPERIMENTAL_TYPE)


def _protocol(context: Context) -> int:
    if context.following is None:
        return EXPERIMENTAL_PROTOCOL
    return IP_PROTOCOLS.get(context.following.name, EXPERIMENTAL_PROTOCOL)


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
    return context.size // authentication_header.UNIT - 2


_NUMBER_RULE_OF: Mapping[ComputedNumber, Rule] = {
    ComputedNumber.ETHERTYPE: _ethertype,
    ComputedNumber.PROTOCOL: _protocol,
    ComputedNumber.NEXT_HEADER: _next_header,
    ComputedNumber.SIZE: _size,
    ComputedNumber.TOTAL: _all,
    ComputedNumber.CARRIED: _carried,
    ComputedNumber.PAYLOAD_LENGTH: _payload_length,
    ComputedNumber.UNITS_AFTER_FIRST: _units_after_first,
    ComputedNumber.WORDS_AFTER_TWO: _words_after_two,
}
NUMBER_RULES: Mapping[str, Rule] = {
    f"{protocol.name}.{key}": _NUMBER_RULE_OF[computed]
    for protocol in PROTOCOLS
    for key, computed in protocol.computed.items()
}


_LONGEST_HEADER: Mapping[Rule, Callable[[int], int]] = {
    _size: lambda most: most,
    _units_after_first: lambda most: (most + 1) * UNIT,
    _words_after_two: lambda most: (most + 2) * authentication_header.UNIT,
}


def longest_header(slot: PlacedField) -> int | None:
    """Return the bytes of the longest header that a length field can express.

    Return None for any other field, also for a length that counts what the header carries.
    """
    found = _LONGEST_HEADER.get(NUMBER_RULES[slot.name]) if slot.name in NUMBER_RULES else None
    return found(slot.maximum) if found is not None else None


def _sum_rule(rule: ChecksumRule) -> SumRule:
    """Return the function that computes a checksum by a protocol's rule."""

    def compute(context: Context, header: bytes) -> int:
        covered = header if rule.is_header_only else header + context.carried
        if rule.cyclic:
            return crc32c(covered)
        has_pseudo = _has_pseudo_header(rule, context.header)
        pseudo = _pseudo_header(context, len(covered)) if has_pseudo else 0
        total = internet_checksum(covered, pseudo)
        return total or _ALL_ONES if rule.zero_is_absent else total

    return compute


def _has_pseudo_header(rule: ChecksumRule, header: Header) -> bool:
    if rule.pseudo_header_when is None:
        return rule.pseudo_header
    key, numbers = rule.pseudo_header_when
    return rule.pseudo_header and header.value(key) in numbers


SUM_RULES: Mapping[str, SumRule] = {
    protocol.tables[0]["checksum"].name: _sum_rule(protocol.checksum)
    for protocol in PROTOCOLS
    if protocol.checksum is not None
}


def _pseudo_header(context: Context, length: int) -> int:
    """Return the sum of the pseudo-header; 0 if there is no network header.

    Headers between the transport and its network header may change the addresses: a source route, a
    routing header with segments left, a home address option.
    """
    protocol = IP_PROTOCOLS[context.header.name]
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
        if header.name == ipv6_extensions.ROUTING.name and header.value("segleft"):
            destination = ipv6_extensions.final_destination(_written(header), destination)
        elif header.name == ipv6_extensions.DESTINATION_OPTIONS.name:
            source = _home_address(header) or source
    return pseudo_header_sum(source, destination, protocol, length)


def _address(header: Header, key: str) -> bytes:
    value = header.value(key)
    size = header.slot(key).field.bits // 8
    return value if isinstance(value, bytes) else value.to_bytes(size, "big")


def _written(header: Header) -> bytes:
    """Return a header's bytes without its computed fields, which do not affect addresses."""
    return header.emit(header.values) + header.body


def _home_address(header: Header) -> bytes | None:
    for option in ipv6_options.OPTIONS.read(header.body, 0, len(header.body)):
        if option.kind == ipv6_options.HOME_ADDRESS and option.values:
            span = option.values[0].span
            return header.body[span.start : span.stop]
    return None
