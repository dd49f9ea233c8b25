"""The values of fields in the packets of a chunk: every occurrence, by columns where they suffice.

`ChunkValues` is what the evaluation of a filter asks (`core.analysis.filter.types.FieldValues`). It
reads only what the filter names:

* headers at known places from the chunk's columns (`chunk_headers`), as `FieldPlaces`;
* headers that stack, and those of link layers, from a walk over the packets that may have them;
* the options of network and transport headers, for all headers at once (`option_places`);
* numbers and texts that follow from headers (`computed_values`), verdicts (`verdict_values`), and
  what the capture recorded (`frame_values`);
* packets with others inside, and what has no fixed place, by their dissection (`dissected`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.catalog import CATALOG, OPTION_TABLES, SLOTS_BY_NAME, tables_of
from core.analysis.filter.fields.packet_fields import DATA_LENGTH, FLAG_TEXT, MESSAGES
from core.analysis.filter.fields.wireshark_types import ALSO_AS
from core.analysis.filter.types import FilterField, FilterType, Occurrences, Spans
from core.analysis.filter.values import (
    byte_fields,
    computed_values,
    frame_values,
    verdict_values,
)
from core.analysis.filter.values.application_fields import ApplicationMessages, dissected_messages
from core.analysis.filter.values.chunk_headers import EXTENSIONS, NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.computed_values import DERIVED
from core.analysis.filter.values.dissected import DissectedPackets, option_spans
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.filter.values.header_list import Headers
from core.analysis.filter.values.header_words import HeaderWords
from core.analysis.filter.values.option_places import (
    COLUMN_OPTIONS,
    OPTION_LISTS,
    ColumnOptions,
    has_table,
)
from core.analysis.filter.values.places import (
    BytePlaces,
    FieldPlaces,
    merge_bytes,
    read_bytes,
    read_values,
)
from core.decode.chunk import Chunk
from core.wire.model.batch import Network
from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable
from core.wire.network.arp import ARP_IPV4, OTHER_ADDRESSES
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

_MESSAGE_NAMES = frozenset(message.name for message in MESSAGES)
_BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}
_OWNERS: dict[HeaderTable, Protocol] = {
    table: protocol for protocol in PROTOCOLS for table in tables_of(protocol)
}
_WITH_LISTS = frozenset(
    protocol.name for protocol in PROTOCOLS if protocol.options_label != "Options"
)
"""Protocols whose headers end with a list of addresses."""


class ChunkValues:
    """The values of fields in one chunk; see `core.analysis.filter.types.FieldValues`.

    An instance keeps what it found, so that fields of the same header cost one search. Keep it as
    long as one filter runs over the chunk, and no longer.

    With `outermost`, the values are those of the outermost packet, without those of packets inside
    it; `data` is that of the innermost one.
    """

    def __init__(self, chunk: Chunk, context: CaptureContext, *, outermost: bool = False) -> None:
        self._chunk = chunk
        self._context = context
        self._outermost = outermost
        self.headers = ChunkHeaders(chunk)
        self._messages = ApplicationMessages(self.headers)
        self._words = HeaderWords(chunk.data)
        self._options = ColumnOptions(self.headers)

    def __len__(self) -> int:
        return len(self._chunk)

    def occurrences(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return all values of a field of the catalog. Raises `KeyError` for an unknown name."""
        field = _field(name)
        found = self._values(field)
        return self._numbered(found) if with_layers and found.layers is None else found

    def numbers(self, name: str, kind: FilterType) -> Occurrences:
        """Return all values of a field of the header tables, read as another type than its own.

        Fields that Wireshark finds in other headers, too, have only the values of their own.
        """
        places = self._places(CATALOG.combined(name) or (name,))
        return read_values(places, self._words, kind)

    def raw(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return the bytes that each occurrence occupies, as `Spans`; empty if it has none."""
        field = _field(name)
        if name in SLOTS_BY_NAME or CATALOG.combined(name):
            places = [place for source in self._places(_members(name)) for place in source]
            found = read_bytes(places, self._chunk.data)
        else:
            found = self._values(field)
            if not isinstance(found.values, Spans):
                none = np.zeros(len(found.rows), np.int64)
                spans = Spans(self._chunk.data, none, none)
                found = Occurrences(found.rows, spans, found.layers)
        return self._numbered(found) if with_layers and found.layers is None else found

    def with_data(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return the bytes of each header of a protocol with the data that it carries."""
        protocol = _BY_NAME.get(name)
        if protocol is None or protocol.network is Network.ARP:  # ARP messages carry no data
            return self.occurrences(name, with_layers=with_layers)
        found = merge_bytes(self._protocol(protocol, with_data=True), self._chunk.data)
        return self._numbered(found) if with_layers and found.layers is None else found

    # -- the kinds of fields ------------------------------------------------------

    def _values(self, field: FilterField) -> Occurrences:
        name, data = field.name, self._chunk.data
        if name in SLOTS_BY_NAME or CATALOG.combined(name):
            return read_values(self._places(_members(name)), self._words, field.type)
        if name in frame_values.READERS:
            return frame_values.READERS[name](self.headers, self._context, self._inner)
        if name.endswith(".checksum.status"):
            protocol = _BY_NAME[name.split(".")[0]]
            return verdict_values.verdicts(self.headers, self._inner, protocol)
        if name == FLAG_TEXT.name:
            return computed_values.flag_texts(self._values(_field("tcp.flags")))
        if name == DATA_LENGTH.name:
            return computed_values.lengths(merge_bytes(self._data(), data))
        if name in DERIVED:
            return computed_values.derived(self.headers, self._inner, name)
        return merge_bytes(self._bytes(name), data)

    def _bytes(self, name: str) -> list[BytePlaces]:
        """Return the places of a field that is a byte string outside the tables."""
        parent, _, last = name.rpartition(".")
        if name in _BY_NAME:
            return self._protocol(_BY_NAME[name])
        if last == "payload":
            columns = byte_fields.transport_payloads(self.headers, _BY_NAME[parent])
            return [columns, *self._dissect(byte_fields.payload_span(parent))]
        if name in ("data", "data.data"):
            return self._data()
        if name in _MESSAGE_NAMES:
            return [*self._messages.of(name), dissected_messages(self._inner, name)]
        if last == "options" and parent in _BY_NAME:
            columns = byte_fields.all_options(self.headers, _BY_NAME[parent])
            return [columns, *self._dissect(byte_fields.options_span(parent))]
        return self._option(name)

    def _protocol(self, protocol: Protocol, *, with_data: bool = False) -> list[BytePlaces]:
        spans = byte_fields.layer_span if with_data else byte_fields.header_span
        span_of = spans(protocol.name)
        if protocol.has_open_end:
            rows = self._candidates(protocol)
            others = DissectedPackets(self._chunk, rows).spans(span_of) if len(rows) else None
            return [*([others] if others else []), *self._dissect(span_of)]
        columns = byte_fields.protocol_headers(self.headers, protocol)
        if with_data:
            columns = byte_fields.with_data(self.headers, protocol, columns)
        return [columns, *self._dissect(span_of)]

    def _data(self) -> list[BytePlaces]:
        parts = [
            byte_fields.transport_payloads(self.headers, protocol)
            for protocol in byte_fields.COLUMN_PAYLOADS.values()
        ]
        rows = np.flatnonzero(byte_fields.without_column_payload(self.headers))
        parts = [self._without(each, rows) for each in parts]
        others = DissectedPackets(self._chunk, rows).data()
        inner = [self._inner.data()] if self.headers.has_dissected else []
        return [*parts, others, *inner]

    def _without(self, places: BytePlaces, rows: NDArray[np.int64]) -> BytePlaces:
        kept = ~np.isin(places.rows, rows, assume_unique=True)
        return BytePlaces(places.rows[kept], places.starts[kept], places.ends[kept])

    # -- fields of headers --------------------------------------------------------

    def _places(self, members: Sequence[str]) -> list[list[FieldPlaces]]:
        """Return the places of a field, or of the members of a combined one, by source.

        The sources are columns, dissections of packets with others inside, and dissections of
        packets with a header whose parts have no fixed place.
        """
        slots = [slot for member in members for slot in SLOTS_BY_NAME[member]]
        sources = [[place for slot in slots for place in self._column_places(slot)]]
        if self.headers.has_dissected:
            sources.append(self._inner.fields(members))
        for member in members:
            rows = self._rows_without_columns(member)
            if len(rows):
                sources.append(DissectedPackets(self._chunk, rows).fields([member]))
        return sources

    def _column_places(self, slot: PlacedField) -> list[FieldPlaces]:
        owner = _OWNERS[slot.table]
        if slot.table in OPTION_TABLES:
            return [
                self._options.values(protocol, options, slot)
                for protocol, options in OPTION_LISTS
                if protocol.name in COLUMN_OPTIONS and has_table(options, slot.table)
            ]
        if _is_variable(owner, slot.table):
            return []
        return [
            self._of_headers(headers, slot) for headers in self.headers.headers(owner, slot.table)
        ]

    def _of_headers(self, headers: Headers, slot: PlacedField) -> FieldPlaces:
        index = self.headers.readable(headers, slot)
        if index is None:
            return FieldPlaces(slot, headers.rows, headers.starts, headers.numbers)
        numbers = None if headers.numbers is None else headers.numbers[index]
        return FieldPlaces(slot, headers.rows[index], headers.starts[index], numbers)

    def _rows_without_columns(self, name: str) -> NDArray[np.int64]:
        """Return the rows in which a field may have a place that no column has."""
        masks: list[NDArray[np.int64]] = []
        for slot in SLOTS_BY_NAME[name]:
            owner = _OWNERS[slot.table]
            masks += [
                self._candidates(protocol)
                for protocol, options in OPTION_LISTS
                if protocol.name not in COLUMN_OPTIONS and has_table(options, slot.table)
            ]
            if slot.table in (ARP_IPV4, OTHER_ADDRESSES):
                masks.append(self._unusual_arp(owner))
            elif _is_variable(owner, slot.table):
                masks.append(self._candidates(owner))
        return np.unique(np.concatenate(masks)) if masks else np.zeros(0, np.int64)

    def _unusual_arp(self, arp: Protocol) -> NDArray[np.int64]:
        """Return the rows of ARP messages that are not about IPv4 over Ethernet."""
        (usual,) = self.headers.headers(arp, ARP_IPV4)
        return np.setdiff1d(self._candidates(arp), usual.rows, assume_unique=True)

    def _candidates(self, protocol: Protocol) -> NDArray[np.int64]:
        """Return the rows of the packets, described by columns, that may have a protocol."""
        headers = self.headers
        if protocol.name in TRANSPORTS:
            return headers.described(headers.has_transport(TRANSPORTS[protocol.name]))
        if protocol.name in NETWORKS:
            return headers.described(self._chunk.network == NETWORKS[protocol.name])
        if protocol.name in EXTENSIONS:
            return headers.described(headers.has_extension)
        rows = [each.rows for table in protocol.tables for each in headers.headers(protocol, table)]
        return np.unique(np.concatenate([*rows, np.zeros(0, np.int64)]))

    def _option(self, name: str) -> list[BytePlaces]:
        """Return the bytes of the options of one name."""
        found: list[BytePlaces] = []
        rows: list[NDArray[np.int64]] = []
        for protocol, options in OPTION_LISTS:
            if any(kind.name == name for kind in options.kinds.values()):
                if protocol.name in COLUMN_OPTIONS:
                    found.append(self._options.spans(protocol, options, name))
                else:
                    rows.append(self._candidates(protocol))
        if rows:
            packets = DissectedPackets(self._chunk, np.unique(np.concatenate(rows)))
            found.append(packets.spans(option_spans(name)))
        return [*found, *self._dissect(option_spans(name))]

    # -- packets that are dissected -----------------------------------------------

    @cached_property
    def _inner(self) -> DissectedPackets:
        rows = np.flatnonzero(self.headers.dissected)
        return DissectedPackets(self._chunk, rows, outermost=self._outermost)

    def _dissect(self, span_of: byte_fields.SpanOf) -> list[BytePlaces]:
        return [self._inner.spans(span_of)] if self.headers.has_dissected else []

    def _numbered(self, found: Occurrences) -> Occurrences:
        """Add the number of the header: 1, as the protocol has one header in these packets."""
        return Occurrences(found.rows, found.values, np.ones(len(found.rows), np.int64))


def _is_variable(owner: Protocol, table: HeaderTable) -> bool:
    """Return True if a table's width or number in a header varies: only dissection finds all."""
    return table not in owner.tables or (table.start > 0 and owner.name in _WITH_LISTS)


def _members(name: str) -> Sequence[str]:
    """Return the fields of the tables in which a field has values."""
    return CATALOG.combined(name) or ALSO_AS.get(name, (name,))


def _field(name: str) -> FilterField:
    field = CATALOG.find(name)
    if field is None:
        raise KeyError(name)
    return field
