"""The levels of packets that columns describe: the outermost ones, and those inside them.

Each level has columns of its own (`chunk_headers`) with a row for each of its packets. A
`PacketLevel` gives the places of fields as the chunk counts them: by the row of the outermost
packet, and with the number of each header among those of its protocol in all levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.catalog import OPTION_TABLES, tables_of
from core.analysis.filter.values import byte_fields
from core.analysis.filter.values.application_fields import ApplicationMessages
from core.analysis.filter.values.chunk_headers import EXTENSIONS, NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.header_list import Headers
from core.analysis.filter.values.option_places import (
    COLUMN_OPTIONS,
    OPTION_LISTS,
    ColumnOptions,
    has_table,
)
from core.analysis.filter.values.places import BytePlaces, FieldPlaces
from core.analysis.filter.values.tunnel_headers import TUNNEL_NAMES, TunnelHeaders
from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable
from core.wire.protocol import Protocol
from core.wire.registry import LINK_PROTOCOLS, PROTOCOLS

_Rows = NDArray[np.int64]
_Places = TypeVar("_Places", FieldPlaces, BytePlaces)

OWNERS: Mapping[HeaderTable, Protocol] = {
    table: protocol for protocol in PROTOCOLS for table in tables_of(protocol)
}
"""The protocol of each table."""

_WITH_LISTS = frozenset(
    protocol.name for protocol in PROTOCOLS if protocol.options_label != "Options"
)
"""Protocols whose headers end with a list of addresses."""


class PacketLevel:
    """The packets of one level: `headers` describe them.

    `around` is the level of the packets around these, and `rows` (k,) are the rows there.
    """

    def __init__(
        self,
        headers: ChunkHeaders,
        around: PacketLevel | None = None,
        rows: _Rows | None = None,
    ) -> None:
        self.headers = headers
        self._options = ColumnOptions(headers)
        self._messages = ApplicationMessages(headers)
        self._tunnels = TunnelHeaders(headers)
        self._around = around
        self._packets = rows
        self._mapped: dict[int, tuple[_Rows, _Rows]] = {}
        self._counts: dict[str, _Rows] = {}

    @property
    def is_outermost(self) -> bool:
        """True for the outermost packets, and for the datagrams that they carry in fragments."""
        inside = self.headers.inside
        return inside is None or inside.are_datagrams

    # -- places, as the chunk counts them -----------------------------------------

    def fields(self, slot: PlacedField) -> list[FieldPlaces]:
        """Return the places of a field that columns describe."""
        owner = OWNERS[slot.table]
        if slot.table in OPTION_TABLES:
            found = [
                self._options.values(protocol, options, slot)
                for protocol, options in OPTION_LISTS
                if protocol.name in COLUMN_OPTIONS and has_table(options, slot.table)
            ]
        elif owner.name in TUNNEL_NAMES:
            return self._tunnels.fields(owner, slot)
        elif is_variable(owner, slot.table):
            return []
        else:
            headers = self.headers.headers(owner, slot.table)
            found = [self._of_headers(each, slot) for each in headers]
        return [self._mapped_places(each, owner) for each in found]

    def protocol(self, protocol: Protocol, *, with_data: bool) -> BytePlaces:
        """Return the bytes of a protocol's headers, `with_data` those after them, too."""
        if protocol.name in TUNNEL_NAMES:
            return self._tunnels.bytes(protocol, with_data=with_data)
        found = byte_fields.protocol_headers(self.headers, protocol)
        if with_data:
            found = byte_fields.with_data(self.headers, protocol, found)
        return self._mapped_places(found, protocol)

    def payloads(self, protocol: Protocol) -> BytePlaces:
        """Return the captured payloads of one of `byte_fields.COLUMN_PAYLOADS`."""
        found = byte_fields.transport_payloads(self.headers, protocol)
        return self._mapped_places(found, protocol)

    def all_options(self, protocol: Protocol) -> BytePlaces:
        """Return the bytes of all options of each header."""
        if protocol.name in TUNNEL_NAMES:
            return self._tunnels.all_options(protocol)
        return self._mapped_places(byte_fields.all_options(self.headers, protocol), protocol)

    def options(self, name: str) -> list[BytePlaces]:
        """Return the bytes of the options of one name, of protocols in `COLUMN_OPTIONS`."""
        found = [
            self._mapped_places(self._options.spans(protocol, options, name), protocol)
            for protocol, options in OPTION_LISTS
            if protocol.name in COLUMN_OPTIONS
            and any(kind.name == name for kind in options.kinds.values())
        ]
        return [*found, *self._tunnels.options(name)]

    def messages(self, name: str) -> list[BytePlaces]:
        """Return the messages of an application."""
        return [self._mapped_places(each, None) for each in self._messages.of(name)]

    def candidates(self, protocol: Protocol) -> _Rows:
        """Return the rows, ascending, of the packets that may have a protocol."""
        headers = self.headers
        if protocol.name in TUNNEL_NAMES:
            return self._tunnels.rows(protocol)
        if protocol.name in TRANSPORTS:
            rows = headers.described(headers.has_transport(TRANSPORTS[protocol.name]))
        elif protocol.name in NETWORKS:
            rows = headers.described(headers.chunk.network == NETWORKS[protocol.name])
        elif protocol.name in EXTENSIONS:
            rows = headers.described(headers.has_extension)
        else:
            found = [headers.headers(protocol, table) for table in protocol.tables]
            each = [each.rows for some in found for each in some]
            rows = np.unique(np.concatenate([*each, np.zeros(0, np.int64)]))
        return self.packets(rows)

    def packets(self, rows: _Rows) -> _Rows:
        """Return the rows (k,) of the chunk for rows (k,) of the level; the same array each time.

        `places` reads fields of the same headers together if their rows are the same array.
        """
        if self._packets is None:
            return rows
        known = self._mapped.get(id(rows))
        if known is None:
            known = self._mapped[id(rows)] = (rows, self._packets[rows])
        return known[1]

    def _of_headers(self, headers: Headers, slot: PlacedField) -> FieldPlaces:
        index = self.headers.readable(headers, slot)
        if index is None:
            return FieldPlaces(slot, headers.rows, headers.starts, headers.numbers)
        numbers = None if headers.numbers is None else headers.numbers[index]
        return FieldPlaces(slot, headers.rows[index], headers.starts[index], numbers)

    def _mapped_places(self, places: _Places, owner: Protocol | None) -> _Places:
        """Return places with the chunk's rows and numbers; `owner` is None if no header counts."""
        if self._packets is None:
            return places
        return replace(
            places,
            rows=self.packets(places.rows),
            numbers=self.numbers(places.rows, places.numbers, owner),
        )

    # -- numbers of headers -------------------------------------------------------

    def numbers(self, rows: _Rows, numbers: _Rows | None, owner: Protocol | None) -> _Rows | None:
        """Return the numbers (k,) of headers in the packets `rows`, those around them included."""
        if self._around is None or owner is None:
            return numbers
        before = self._counted(owner)[rows]
        return before + (1 if numbers is None else numbers)

    def _counted(self, protocol: Protocol) -> _Rows:
        """Return how many headers of a protocol are around each packet, (k,)."""
        assert self._around is not None
        if protocol.name not in self._counts:
            self._counts[protocol.name] = self._around.count(protocol)[self._packets]
        return self._counts[protocol.name]

    def count(self, protocol: Protocol) -> _Rows:
        """Return how many headers of a protocol each packet of the level has, (n,)."""
        headers = self.headers
        if protocol.name in NETWORKS:
            mask: NDArray[np.bool_] = headers.chunk.network == NETWORKS[protocol.name]
            return mask.astype(np.int64)
        if protocol.name in TRANSPORTS:
            return headers.has_transport(TRANSPORTS[protocol.name]).astype(np.int64)
        if protocol.name in EXTENSIONS:
            found = headers.headers(protocol, protocol.tables[0])
            rows = np.concatenate([each.rows for each in found])
        elif protocol in LINK_PROTOCOLS:
            rows = byte_fields.protocol_headers(headers, protocol).rows
        else:
            rows = np.zeros(0, np.int64)
        return np.bincount(rows, minlength=len(headers.chunk))


def is_variable(owner: Protocol, table: HeaderTable) -> bool:
    """Return True if a table's width or number in a header varies: only dissection finds all."""
    return table not in owner.tables or (table.start > 0 and owner.name in _WITH_LISTS)


def levels_of(headers: ChunkHeaders) -> Sequence[PacketLevel]:
    """Return the levels of a chunk, the outermost one first."""
    outermost = PacketLevel(headers)
    inner = (PacketLevel(each, outermost, packets.rows) for packets, each in headers.inner)
    return outermost, *inner
