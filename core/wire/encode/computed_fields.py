"""Compute the fields that were left empty: lengths, next protocols, checksums.

A rule gets the `HeaderContext` of one header: its given values, what it carries, and the headers
around it. Rules come from the protocols' records and go by the field's full name; a test finds an
`automatic` field without a rule.

* Lengths count the bytes that are there, without the trailer.
* The next protocol follows from the table of the next header (`core.wire.model.computed_number`).
* Sums cover the bytes that are there, with the pseudo-header of the nearest network header outside,
  also if a length field was given a wrong value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.wire.checksum.packet_checksums import crc32c, internet_checksum, pseudo_header_sum
from core.wire.model.computed_number import ComputedNumber, HeaderContext
from core.wire.model.field import PlacedField
from core.wire.model.packet_parts import Header
from core.wire.model.walk import Endpoints, Numbering
from core.wire.protocol import ChecksumRule
from core.wire.registry import PROTOCOLS, numbers

_ALL_ONES = 0xFFFF

NUMBERS: Mapping[Numbering, Mapping[str, int]] = {space: numbers(space) for space in Numbering}

SumRule = Callable[[HeaderContext, bytes], int]  # the second argument: the header, its sum zero


def alignment(header: Header) -> int:
    """Return the unit of the header's length (bytes)."""
    return _ALIGNMENTS[header.name]


_ALIGNMENTS = {protocol.name: protocol.alignment for protocol in PROTOCOLS}


NUMBER_RULES: Mapping[str, ComputedNumber] = {
    f"{protocol.name}.{key}": computed
    for protocol in PROTOCOLS
    for key, computed in protocol.computed.items()
}


def longest_header(slot: PlacedField) -> int | None:
    """Return the bytes of the longest header that a length field can express.

    Return None for any other field, also for a length that counts what the header carries.
    """
    rule = NUMBER_RULES.get(slot.name)
    if rule is None or rule.header_length is None:
        return None
    return rule.header_length(slot.maximum)


def _sum_rule(rule: ChecksumRule) -> SumRule:
    """Return the function that computes a checksum by a protocol's rule."""

    def compute(context: HeaderContext, header: bytes) -> int:
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


_NETWORKS = {
    protocol.name: protocol.addresses
    for protocol in PROTOCOLS
    if protocol.has_pseudo_header and protocol.addresses is not None
}
_CHANGES = {protocol.name: protocol.change_endpoints for protocol in PROTOCOLS}


def _pseudo_header(context: HeaderContext, length: int) -> int:
    """Return the sum of the pseudo-header; 0 if there is no network header.

    Headers between the transport and its network header may change the addresses: a source route, a
    routing header with segments left, a home address option.
    """
    ends: Endpoints | None = None
    for header in context.outer:
        if header.name in _NETWORKS:
            source, destination = _NETWORKS[header.name]
            ends = Endpoints(header.address(source), header.address(destination))
        change = _CHANGES[header.name]
        if ends is not None and change is not None:
            ends = change(header, ends)
    if ends is None:
        return 0
    protocol = NUMBERS[Numbering.IP_PROTOCOL][context.header.name]
    return pseudo_header_sum(ends.source, ends.destination, protocol, length)
