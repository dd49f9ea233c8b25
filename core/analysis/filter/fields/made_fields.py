"""Fields of the catalog, made of what declares them: header tables, analyses, and verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.filter.fields.packet_fields import PacketField
from core.analysis.filter.fields.registered_words import aliases
from core.analysis.filter.fields.wireshark_types import (
    TRUE_FALSE,
    TYPES,
    VERDICT_ALIASES,
    VERDICT_WORDS,
    flag_words,
)
from core.analysis.filter.types import FilterField, FilterType
from core.analysis.tcp.fields import FlowField, FlowKind
from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind
from core.wire.model.reassembly import FragmentField
from core.wire.network.arp import OTHER_ADDRESSES

_BY_KIND = {
    Kind.FLAG: FilterType.BOOLEAN,
    Kind.MAC: FilterType.ETHER,
    Kind.IPV4: FilterType.IPV4,
    Kind.IPV6: FilterType.IPV6,
    Kind.BYTES: FilterType.BYTES,
}
_BY_BYTES = {
    1: FilterType.UINT8,
    2: FilterType.UINT16,
    3: FilterType.UINT24,
    4: FilterType.UINT32,
    5: FilterType.UINT40,
    6: FilterType.UINT48,
    7: FilterType.UINT56,
    8: FilterType.UINT64,
}


def _filter_type(name: str, slots: Sequence[PlacedField]) -> FilterType:
    if name in TYPES:
        return TYPES[name]
    slot = slots[0]
    widest = max(each.span.stop - each.span.start for each in slots)
    return _BY_KIND.get(slot.field.kind) or _BY_BYTES[widest]


def field_of_slots(slots: Sequence[PlacedField]) -> PacketField:
    """Return the field that these places have in common."""
    slot = slots[0]
    field = slot.field
    kind = _filter_type(slot.name, slots)
    words = field.values
    if kind is FilterType.BOOLEAN and not words:
        words = flag_words(slot.name)
    found = FilterField(
        slot.name,
        kind,
        field.label,
        0 if slot.table is OTHER_ADDRESSES else max(each.field.bits for each in slots),
        words,
        aliases(slot.name, words),
        field.base,
    )
    unit = field.suffix if field.kind is Kind.NUMBER else str(field.kind.value)
    return PacketField(found, "true or false" if field.kind is Kind.FLAG else unit)


_BY_FLOW_KIND = {
    FlowKind.MARK: FilterType.BOOLEAN,
    FlowKind.PACKET: FilterType.FRAMENUM,
    FlowKind.SIGNED: FilterType.INT32,
    FlowKind.DURATION: FilterType.RELATIVE_TIME,
}


def field_of_flow(flow: FlowField) -> PacketField:
    """Return a field that an analysis of flows finds."""
    kind = _BY_FLOW_KIND.get(flow.kind) or _BY_BYTES[flow.bits // 8]
    words = TRUE_FALSE if kind is FilterType.BOOLEAN else {}
    unit = "s" if flow.kind is FlowKind.DURATION else flow.unit
    return PacketField(FilterField(flow.name, kind, flow.label, words=words), unit)


_BY_FRAGMENT_KIND = {
    "mark": FilterType.BOOLEAN,
    "packet": FilterType.FRAMENUM,
    "number": FilterType.UINT32,
}


def field_of_fragment(field: FragmentField) -> PacketField:
    """Return a field that a reassembly of fragments finds."""
    kind = _BY_FRAGMENT_KIND[field.kind]
    words = TRUE_FALSE if kind is FilterType.BOOLEAN else {}
    return PacketField(FilterField(field.name, kind, field.label, words=words), field.unit)


def verdict_field(slot: PlacedField) -> FilterField:
    """Return the field with the verdict of a checksum."""
    return FilterField(
        f"{slot.name}.status",
        FilterType.UINT8,
        "Verdict: good, bad, offloaded, …",
        words=VERDICT_WORDS,
        aliases=VERDICT_ALIASES,
    )
