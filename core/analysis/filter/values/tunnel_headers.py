"""The headers of tunnels, where columns describe the packets behind them.

`core.decode.inner_packets` tells where each header begins, and that the packet in the tunnel begins
where it ends. The fields of a header that always has them are in their places; the optional words
of GRE and the options of Geneve follow each other, so their places depend on those before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.chunk_headers import ChunkHeaders
from core.analysis.filter.values.places import BytePlaces, FieldPlaces
from core.decode.inner_packets import InnerPackets
from core.decode.tunnel_columns import TUNNELS
from core.wire.model.field import PlacedField
from core.wire.network.geneve import GENEVE, OPTION, OPTION_NAME, WORD
from core.wire.network.tunnels import GRE, GRE_WORD, GRE_WORDS
from core.wire.protocol import Protocol

TUNNEL_NAMES = frozenset(tunnel.name for tunnel in TUNNELS)
"""The protocols whose headers are here."""
_NONE = np.zeros(0, np.int64)


class TunnelHeaders:
    """The headers of tunnels in the outermost packets of a chunk."""

    def __init__(self, headers: ChunkHeaders) -> None:
        self._headers = headers

    def _found(self, protocol: Protocol) -> Iterator[InnerPackets]:
        for packets, _ in self._headers.inner:
            if packets.tunnel == protocol.name:
                yield packets

    def rows(self, protocol: Protocol) -> NDArray[np.int64]:
        """Return the rows, ascending, of the packets with a header of a protocol."""
        return next((packets.rows for packets in self._found(protocol)), _NONE)

    def fields(self, protocol: Protocol, slot: PlacedField) -> list[FieldPlaces]:
        """Return the places of a field."""
        data = self._headers.chunk.data
        found = []
        for packets in self._found(protocol):
            if slot.table is OPTION:
                at = _options(data, packets)
                found.append(FieldPlaces(slot, packets.rows[at.packet], at.starts))
            elif slot.table.start == 0:
                found.append(FieldPlaces(slot, packets.rows, packets.headers))
            elif slot.table is GRE_WORDS and slot.key in _OPTIONAL:
                found.append(_optional(slot, data, packets))
        return found

    def bytes(self, protocol: Protocol, *, with_data: bool) -> BytePlaces:
        """Return the bytes of the headers, `with_data` also what the tunnel carries."""
        for packets in self._found(protocol):
            ends = packets.chunk.offset.astype(np.int64)
            if with_data:
                ends = ends + packets.chunk.captured
            return BytePlaces(packets.rows, packets.headers, ends)
        return BytePlaces(_NONE, _NONE, _NONE)

    def options(self, name: str) -> list[BytePlaces]:
        """Return the bytes of each option of this name."""
        found = []
        for packets, _ in self._headers.inner if name == OPTION_NAME else ():
            if packets.tunnel == GENEVE.name:
                at = _options(self._headers.chunk.data, packets)
                found.append(BytePlaces(packets.rows[at.packet], at.starts, at.ends))
        return found

    def all_options(self, protocol: Protocol) -> BytePlaces:
        """Return the bytes of all options of each header that has some."""
        for packets in self._found(protocol):
            ends, begins = packets.chunk.offset.astype(np.int64), packets.headers + GENEVE.size
            index = np.flatnonzero(begins < ends)
            return BytePlaces(packets.rows[index], begins[index], ends[index])
        return BytePlaces(_NONE, _NONE, _NONE)


class _Options(NamedTuple):
    """Options: the index of the packet of each, (m,) ascending, and its bytes ``start:end``."""

    packet: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def _options(data: NDArray[np.uint8], packets: InnerPackets) -> _Options:
    """Return the options of Geneve headers, as `core.wire.network.geneve.read_options` does.

    Each round reads one option of every header that has one more.
    """
    stops = packets.chunk.offset.astype(np.int64)
    starts = packets.headers + GENEVE.size
    index = np.flatnonzero(starts < stops)
    found: list[_Options] = [_Options(_NONE, _NONE, _NONE)]
    starts = starts[index]
    while len(index):
        ends = starts + OPTION.size + WORD * OPTION["words"].column(data, starts).astype(np.int64)
        fits = np.flatnonzero(ends <= stops[index])
        index, starts, ends = index[fits], starts[fits], ends[fits]
        found.append(_Options(index, starts, ends))
        more = np.flatnonzero(ends < stops[index])
        index, starts = index[more], ends[more]
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return _Options(*(column[order] for column in columns))


_OPTIONAL: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "key": ("flags.key", ()),
    "sequence_number": ("flags.sequence_number", ("flags.key",)),
}
"""The optional words of GRE: the flags of each, and of the words before it."""


def _optional(slot: PlacedField, data: NDArray[np.uint8], packets: InnerPackets) -> FieldPlaces:
    """Return the places of an optional word. No header here has a checksum before it."""
    flag, before = _OPTIONAL[slot.key]
    index = np.flatnonzero(GRE[flag].column(data, packets.headers))
    starts = packets.headers[index]
    place = np.full(len(index), GRE.size, np.int64)
    for each in before:
        place += np.where(GRE[each].column(data, starts) > 0, GRE_WORD, 0)
    return FieldPlaces(slot, packets.rows[index], starts + place - slot.span.start)
