"""The values of fields in the packets of a chunk: every occurrence, by columns where they suffice.

`ChunkValues` is what the evaluation of a filter asks (`core.analysis.filter.types.FieldValues`). It
reads only what the filter names:

* headers at known places from the chunk's columns (`chunk_headers`), as `FieldPlaces`;
* those of packets inside others, from columns of their own (`packet_levels`);
* headers that stack, and those of link layers, from a walk over the packets that may have them;
* the options of network and transport headers, for all headers at once (`option_places`);
* numbers and texts that follow from headers (`computed_values`), verdicts (`verdict_values`), what
  the capture recorded (`frame_values`), and the rows of the packet table (`column_texts`);
* what an analysis of flows found (`flow_values`), and of fragments (`fragment_values`), and the
  programs of flows (`program_values`);
* packets with others inside, and what has no fixed place, by their dissection (`dissected`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.address_parts import ADDRESS_PARTS
from core.analysis.filter.fields.catalog import CATALOG, SLOTS_BY_NAME
from core.analysis.filter.fields.packet_fields import COLUMNS, DATA_LENGTH, FLAG_TEXT
from core.analysis.filter.fields.wireshark_types import ALSO_AS
from core.analysis.filter.types import FilterField, FilterType, Occurrences, Spans
from core.analysis.filter.values import (
    computed_values,
    frame_values,
    verdict_values,
)
from core.analysis.filter.values.byte_sources import PROTOCOLS_BY_NAME, ByteSources
from core.analysis.filter.values.column_texts import ColumnTexts
from core.analysis.filter.values.computed_values import DERIVED
from core.analysis.filter.values.flow_values import FlowValues
from core.analysis.filter.values.fragment_values import fragment_numbers, reassembled_data
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.filter.values.header_words import HeaderWords
from core.analysis.filter.values.option_places import (
    COLUMN_OPTIONS,
    OPTION_LISTS,
    has_table,
)
from core.analysis.filter.values.packet_levels import OWNERS, is_variable
from core.analysis.filter.values.packet_sources import PacketSources
from core.analysis.filter.values.places import (
    FieldPlaces,
    merge_bytes,
    read_bytes,
    read_values,
)
from core.analysis.filter.values.program_values import ProgramValues
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.tcp.fields import FLOW_FIELDS
from core.decode.chunk import Chunk
from core.wire.model.batch import Network
from core.wire.model.reassembly import FRAGMENT_FIELDS, REASSEMBLED_DATA
from core.wire.network.arp import ARP_IPV4, OTHER_ADDRESSES
from core.wire.protocol import Protocol


class ChunkValues:
    """The values of fields in one chunk; see `core.analysis.filter.types.FieldValues`.

    An instance keeps what it found, so that fields of the same header cost one search. Keep it as
    long as one filter runs over the chunk, and no longer.

    With `outermost`, the values are those of the outermost packet, without those of packets inside
    it; `data` is that of the innermost one.
    """

    def __init__(self, chunk: Chunk, context: CaptureContext, *, outermost: bool = False) -> None:
        chunk = with_pieces(chunk, context.fragments)
        self._chunk = chunk
        self._context = context
        self._sources = PacketSources(chunk, outermost=outermost)
        self._bytes = ByteSources(self._sources)
        self.headers = self._sources.headers
        self._words = HeaderWords(chunk.data)
        self._columns = ColumnTexts(chunk, context)
        self._flows = FlowValues(chunk, context)
        self._programs = ProgramValues(chunk, context)

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
        protocol = PROTOCOLS_BY_NAME.get(name)
        if protocol is None or protocol.network is Network.ARP:  # ARP messages carry no data
            return self.occurrences(name, with_layers=with_layers)
        found = merge_bytes(self._bytes.protocol(protocol, with_data=True), self._chunk.data)
        return self._numbered(found) if with_layers and found.layers is None else found

    # -- the kinds of fields ------------------------------------------------------

    def _values(self, field: FilterField) -> Occurrences:
        name, data = field.name, self._chunk.data
        if name in SLOTS_BY_NAME or CATALOG.combined(name):
            return read_values(self._places(_members(name)), self._words, field.type)
        if name in ADDRESS_PARTS:
            part = ADDRESS_PARTS[name]
            if part.field.type is not FilterType.STRING:
                found = self.numbers(part.source, FilterType.ETHER)
            else:
                found = self._values(_field(part.source))
            return Occurrences(found.rows, part.read(np.asarray(found.values)), found.layers)
        if name in COLUMNS:
            return self._columns.of(name)
        if name in frame_values.READERS:
            return frame_values.READERS[name](self.headers, self._context, self._sources.inner)
        if name.endswith(".checksum.status"):
            protocol = PROTOCOLS_BY_NAME[name.split(".")[0]]
            return verdict_values.verdicts(self._sources.levels, self._sources.inner, protocol)
        if name == FLAG_TEXT.name:
            return computed_values.flag_texts(self._values(_field("tcp.flags")))
        if name == DATA_LENGTH.name:
            return computed_values.lengths(merge_bytes(self._bytes.data(), data))
        if name in FLOW_FIELDS:
            return self._flows.occurrences(name)
        if name in FRAGMENT_FIELDS:
            return fragment_numbers(self._chunk, name)
        if name in REASSEMBLED_DATA:
            return reassembled_data(self._chunk, name)
        if name in PROGRAM_FIELDS:
            return self._programs.occurrences(name)
        if name in DERIVED:
            return computed_values.derived(self._sources.levels, self._sources.inner, name)
        return merge_bytes(self._bytes.of(name), data)

    # -- fields of headers --------------------------------------------------------

    def _places(self, members: Sequence[str]) -> list[list[FieldPlaces]]:
        """Return the places of a field, or of the members of a combined one, by source.

        The sources are the columns of each level, dissections of packets with others inside, and
        dissections of packets with a header whose parts have no fixed place.
        """
        slots = [slot for member in members for slot in SLOTS_BY_NAME[member]]
        levels = self._sources.levels
        sources = [[place for slot in slots for place in level.fields(slot)] for level in levels]
        if self.headers.has_dissected:
            sources.append(self._sources.inner.fields(members))
        for member in members:
            rows = self._rows_without_columns(member)
            if len(rows):
                sources.append(self._sources.dissected(rows).fields([member]))
        return sources

    def _rows_without_columns(self, name: str) -> NDArray[np.int64]:
        """Return the rows in which a field may have a place that no column has."""
        masks: list[NDArray[np.int64]] = []
        for slot in SLOTS_BY_NAME[name]:
            owner = OWNERS[slot.table]
            masks += [
                self._sources.candidates(protocol)
                for protocol, options in OPTION_LISTS
                if protocol.name not in COLUMN_OPTIONS and has_table(options, slot.table)
            ]
            if slot.table in (ARP_IPV4, OTHER_ADDRESSES):
                masks.append(self._unusual_arp(owner))
            elif is_variable(owner, slot.table):
                masks.append(self._sources.candidates(owner))
        return np.unique(np.concatenate(masks)) if masks else np.zeros(0, np.int64)

    def _unusual_arp(self, arp: Protocol) -> NDArray[np.int64]:
        """Return the rows of ARP messages that are not about IPv4 over Ethernet."""
        found = [
            level.packets(each.rows)
            for level in self._sources.levels
            for each in level.headers.headers(arp, ARP_IPV4)
        ]
        candidates = self._sources.candidates(arp)
        return np.setdiff1d(candidates, np.concatenate(found), assume_unique=True)

    def _numbered(self, found: Occurrences) -> Occurrences:
        """Add the number of the header: 1, as the protocol has one header in these packets."""
        return Occurrences(found.rows, found.values, np.ones(len(found.rows), np.int64))


def _members(name: str) -> Sequence[str]:
    """Return the fields of the tables in which a field has values."""
    return CATALOG.combined(name) or ALSO_AS.get(name, (name,))


def _field(name: str) -> FilterField:
    field = CATALOG.find(name)
    if field is None:
        raise KeyError(name)
    return field
