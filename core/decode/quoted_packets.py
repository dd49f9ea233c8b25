"""The packets that ICMP errors quote, as a chunk of their own over the same bytes.

Theory
------
A chunk's columns describe the outermost packet (`core.decode.header_index`). A port scan or a
traceroute fills a capture with errors, each with the packet that caused it, so a second walk finds
the headers of the quoted packets. It begins where the message ends, and it ends where the error
does: the sender of the error cuts the packet, so a header that is not all there is no fault.

Columns describe the usual case, and `QuotedPackets` leaves out the others, which are dissected: an
error in a fragment, or behind many headers; a quoted packet that carries or quotes another one, or
that contradicts itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decode.batch_walk import QUOTE_ENDS
from core.decode.chunk import VERDICT_UNKNOWN, Chunk
from core.decode.header_index import QUOTED_LAYERS, index_headers
from core.wire.dissect import MAXIMUM_LAYERS
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Cause, PacketFlag
from core.wire.model.walk import Numbering
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

_LINK_TYPES = {EtherType.IPV4: LinkType.IPV4, EtherType.IPV6: LinkType.IPV6}
_QUOTING: dict[int, tuple[Protocol, EtherType]] = {
    reader.numbers[0]: (protocol, protocol.quotes)
    for protocol in PROTOCOLS
    if protocol.quotes is not None
    for reader in protocol.readers
    if reader.space is Numbering.IP_PROTOCOL
}

_WANTED = np.uint8(HeaderState.NESTED | HeaderState.TRANSPORT)
_JUDGED = np.uint8(_WANTED | HeaderState.FRAGMENT | HeaderState.CAUSE_MASK)
_LEAST_LAYER = 4  # bytes: a VLAN tag, an MPLS label
_FARTHEST = _LEAST_LAYER * (MAXIMUM_LAYERS - QUOTED_LAYERS)
"""The last place of a quoted packet in a frame; too many layers do not fit before it."""


@dataclass(frozen=True, slots=True, eq=False)
class QuotedPackets:
    """The quoted packets that columns describe: of packets `rows` (k,) ascending of a chunk.

    `chunk` has them as k frames without link-layer headers. A cause in its state may be
    `core.decode.batch_walk.QUOTE_ENDS`.
    """

    rows: NDArray[np.int64]
    chunk: Chunk

    @property
    def causes(self) -> NDArray[np.uint8]:
        """The `Cause` (k,) why the dissection of each packet ended."""
        causes = self.chunk.state & np.uint8(HeaderState.CAUSE_MASK)
        causes[causes == QUOTE_ENDS] = Cause.NONE
        return causes


def quoted_packets(chunk: Chunk) -> QuotedPackets:
    """Return the packets that the errors in a chunk quote."""
    candidates = np.flatnonzero(chunk.state & _JUDGED == _WANTED)
    rows, at, stop, link_type = _places(chunk, candidates)
    kept = np.flatnonzero(at <= _FARTHEST)
    rows, at, stop, link_type = rows[kept], at[kept], stop[kept], link_type[kept]
    base = (chunk.offset[rows] + at).astype(np.uint32)
    captured = (np.minimum(chunk.captured[rows], stop) - at).astype(np.uint32)
    original = (stop - at).astype(np.uint32)
    flags = chunk.flags[rows] & np.uint16(0xFFFF ^ PacketFlag.FCS_MASK)
    found = index_headers(chunk.data, base, captured, original, link_type, flags, are_quoted=True)
    every = Chunk(
        chunk.first,
        chunk.data,
        _TYPES,
        chunk.timestamp_ns[rows],
        base,
        captured,
        original,
        np.searchsorted(_TYPES, link_type).astype(np.uint16),
        flags,
        found.network,
        found.network_offset,
        found.transport,
        found.transport_offset,
        found.stop,
        found.state,
        np.full(len(rows), VERDICT_UNKNOWN, np.uint8),
    )
    is_simple = found.state & np.uint8(HeaderState.NESTED) == 0
    is_simple &= found.state & np.uint8(HeaderState.CAUSE_MASK) != Cause.MALFORMED
    index = np.flatnonzero(is_simple)
    return QuotedPackets(rows[index], every.copied(index))


_TYPES = np.array(sorted(_LINK_TYPES.values()), np.int32)


def _places(
    chunk: Chunk, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return the errors among `rows`; where each quote begins and ends in its frame; link types."""
    found = []
    for number, (protocol, kind) in _QUOTING.items():
        errors = rows[chunk.transport[rows] == number]
        at = chunk.transport_offset[errors].astype(np.int64)
        header = chunk.offset[errors].astype(np.int64) + at
        types = protocol.tables[0]["type"].column(chunk.data, header)
        size = protocol.tables[0].stop
        ends = chunk.stop[errors].astype(np.int64)
        begins = at + size
        for table in protocol.tables[1:]:
            continued = np.isin(types, list(table.when[1])) if table.when else types < 0
            index = np.flatnonzero(continued)
            begins[index] = np.maximum(begins[index], at[index] + table.stop)
            if "length" in table:  # what follows it are extensions (RFC 4884)
                length = table["length"].column(chunk.data, header[index]).astype(np.int64)
                limit = np.where(length > 0, begins[index] + length, ends[index])
                ends[index] = np.minimum(ends[index], limit)
        link_types = np.full(len(errors), _LINK_TYPES[kind], np.int32)
        found.append((errors, begins, ends, link_types))
    errors, begins, ends, link_types = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.argsort(errors, kind="stable")
    return errors[order], begins[order], ends[order], link_types[order]
