"""The catalog: every field that a filter can name, derived from the header tables.

`core.wire.registry` has the tables. Each protocol contributes, in this order, its own name (the
bytes of its header), the fields of its first table, what belongs to them (the verdict of a
checksum, combined fields, what an analysis of flows finds, the payload, options), and the fields of
its other tables. Types and words that no table has are in `wireshark_types`; fields of the frame
and of payloads in `packet_fields`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from core.analysis.filter.fields.address_parts import ADDRESS_PARTS
from core.analysis.filter.fields.made_fields import (
    field_of_flow,
    field_of_fragment,
    field_of_slots,
    verdict_field,
)
from core.analysis.filter.fields.packet_fields import (
    COLUMN_FIELDS,
    DATA,
    FLAG_TEXT,
    FRAME,
    FRAME_FIELDS,
    MESSAGES,
    PAYLOAD_FIELDS,
    SENT,
    TRANSPORT_PAYLOADS,
    PacketField,
)
from core.analysis.filter.fields.unread_protocols import advice
from core.analysis.filter.types import FilterField, FilterType
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.tcp.fields import FLOW_FIELDS
from core.wire.model.field import PlacedField
from core.wire.model.options import OptionList
from core.wire.model.reassembly import FRAGMENT_FIELDS, REASSEMBLED_DATA
from core.wire.model.table import HeaderTable
from core.wire.network.arp import OTHER_ADDRESSES
from core.wire.network.geneve import GENEVE, OPTION_NAME
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

_PAIRS = {  # the last part of a combined field: those of its members, and what it is
    "addr": ("src", "dst", "Source or destination address"),
    "port": ("srcport", "dstport", "Source or destination port"),
}


def option_lists(protocol: Protocol) -> tuple[OptionList, ...]:
    """Return the kinds of options that a protocol's header may have."""
    found: list[OptionList] = []
    for kind in protocol.kinds:
        if kind.options is not None and not any(kind.options is each for each in found):
            found.append(kind.options)
    return tuple(found)


def tables_of(protocol: Protocol) -> tuple[HeaderTable, ...]:
    """Return the tables of a protocol, with those of unusual sizes that a field may have."""
    return (*protocol.tables, OTHER_ADDRESSES) if protocol.name == "arp" else protocol.tables


def _slots() -> Mapping[str, tuple[PlacedField, ...]]:
    slots: defaultdict[str, list[PlacedField]] = defaultdict(list)
    for protocol in PROTOCOLS:
        for table in tables_of(protocol):
            for slot in table.slots:
                slots[slot.name].append(slot)
    return {name: tuple(found) for name, found in slots.items()}


SLOTS_BY_NAME = _slots()
"""The places of each field: several tables may have one of the same name."""


OPTION_TABLES = frozenset(
    kind.table
    for protocol in PROTOCOLS
    for options in option_lists(protocol)
    for kind in options.kinds.values()
    if kind.table is not None
)
"""The tables of options, which have no place of their own in a header."""


def option_names(protocol: Protocol) -> Mapping[str, str]:
    """Return the fields that are whole options of a protocol, and what each is."""
    if protocol.name == GENEVE.name:
        return {OPTION_NAME: "any class and type"}
    return {
        kind.name: kind.label
        for options in option_lists(protocol)
        for kind in options.kinds.values()
    }


OPTION_NAMES = frozenset(name for protocol in PROTOCOLS for name in option_names(protocol))
"""The fields that are whole options. Their type is that of bytes, as in Wireshark."""


class Catalog:
    """All fields by name, in the order of the headers; see `FieldCatalog`."""

    def __init__(self) -> None:
        self._fields: dict[str, PacketField] = {}
        self._combined: dict[str, tuple[str, ...]] = {}
        self._add(PacketField(FRAME))
        for each in FRAME_FIELDS:
            self._add(each)
        for program in PROGRAM_FIELDS.values():
            kind = FilterType.UINT32 if program.is_number else FilterType.STRING
            self._add(PacketField(FilterField(program.name, kind, program.label)))
        for each in COLUMN_FIELDS:
            self._add(each)
        self._add(PacketField(SENT, "true or false"))
        for protocol in PROTOCOLS:
            self._add_protocol(protocol)
        for message in MESSAGES:
            self._add(PacketField(message))
        self._add(PacketField(DATA))
        for each in PAYLOAD_FIELDS:
            self._add(each)

    def find(self, name: str) -> FilterField | None:
        """Return the field of this name, or None. Case matters."""
        found = self._fields.get(name)
        return found.field if found else None

    def names(self) -> Sequence[str]:
        """Return all names, in the order of the headers."""
        return tuple(self._fields)

    def combined(self, name: str) -> Sequence[str]:
        """Return the fields that a combined one consists of (``ip.addr``: ``ip.src``, …)."""
        return self._combined.get(name, ())

    def advice(self, name: str) -> str:
        """Return how to find a protocol that rawscope does not read, for a message."""
        return advice(name)

    def unit(self, name: str) -> str:
        """Return the unit of a field's values, such as ``bytes``, or an empty string."""
        return self._fields[name].unit

    def __iter__(self) -> Iterator[FilterField]:
        return (each.field for each in self._fields.values())

    def _add(self, field: PacketField) -> None:
        self._fields.setdefault(field.field.name, field)

    def _add_protocol(self, protocol: Protocol) -> None:
        self._add(PacketField(FilterField(protocol.name, FilterType.PROTOCOL, _header(protocol))))
        for table in tables_of(protocol):
            for slot in table.slots:
                self._add(field_of_slots(SLOTS_BY_NAME[slot.name]))
                if slot.key == "checksum":
                    self._add(PacketField(verdict_field(slot)))
            if table is protocol.tables[0]:
                self._add_beside(protocol)

    def _add_beside(self, protocol: Protocol) -> None:
        """Add what belongs to the whole header of a protocol."""
        table = protocol.tables[0]
        for last, (first, second, meaning) in _PAIRS.items():
            if first in table and second in table:
                member = self._fields[table[first].name]
                name = f"{protocol.name}.{last}"
                field = FilterField(name, member.field.type, meaning, member.field.width_bits)
                self._add(PacketField(field, member.unit))
                self._combined[name] = (table[first].name, table[second].name)
        for part in ADDRESS_PARTS.values():
            if part.source.startswith(f"{protocol.name}."):
                is_flag = part.field.type is FilterType.BOOLEAN
                self._add(PacketField(part.field, "true or false" if is_flag else ""))
        if protocol.options_field:
            bytes_field = FilterField(
                protocol.options_field, FilterType.BYTES, "The bytes of the options"
            )
            self._add(PacketField(bytes_field, "hex"))
        if protocol.name == "tcp":
            self._add(PacketField(FLAG_TEXT))
        for derived in protocol.derived:
            self._add(
                PacketField(
                    FilterField(derived.name, FilterType.UINT32, derived.label), derived.suffix
                )
            )
        for flow in FLOW_FIELDS.values():
            if flow.protocol == protocol.name:
                self._add(field_of_flow(flow))
        for fragment in FRAGMENT_FIELDS.values():
            if fragment.owner == protocol.name:
                self._add(field_of_fragment(fragment))
        for name, owner in REASSEMBLED_DATA.items():
            if owner == protocol.name:
                meaning = "The bytes of the reassembled datagram"
                self._add(PacketField(FilterField(name, FilterType.BYTES, meaning), "hex"))
        if protocol.name in TRANSPORT_PAYLOADS:
            meaning = TRANSPORT_PAYLOADS[protocol.name]
            self._add(
                PacketField(FilterField(f"{protocol.name}.payload", FilterType.BYTES, meaning))
            )
        for name, label in option_names(protocol).items():
            self._add(PacketField(FilterField(name, FilterType.BYTES, f"Option: {label}")))


def _header(protocol: Protocol) -> str:
    """Return the meaning of a protocol's own name."""
    return f"Header: {protocol.tables[0].title}"


CATALOG = Catalog()
"""The catalog of all fields."""
