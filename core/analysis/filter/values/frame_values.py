"""The values of ``frame.*``: what the capture recorded about a packet besides its bytes.

Wireshark 4.6 has no ``frame.time_delta`` for the first packet, and no times for packets whose
source records none; neither does rawscope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.packet_fields import CAUSES, DIRECTIONS
from core.analysis.filter.types import Occurrences, Spans
from core.analysis.filter.values.chunk_headers import ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.layer_names import protocol_names
from core.analysis.programs.program_table import NO_PROGRAMS, ProgramTable
from core.analysis.reassembly.fragment_index import NO_FRAGMENTS, FragmentSource
from core.analysis.tcp.flow_index import FlowSource
from core.analysis.tcp.flow_table import NO_FLOWS
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Cause, PacketFlag

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CaptureContext:
    """The facts about a capture that the values of a chunk need beside it.

    `interfaces` are the store's, by number. `first_timestamp_ns` is the time of the first packet
    that has one, `previous_timestamp_ns` that of the packet before the chunk; None if unknown.
    `comments` are by packet number; those of the chunk itself count, too. `flows` has the results
    of an analysis of flows, `fragments` what is known of fragments, and `programs` the programs
    that own flows.
    """

    interfaces: Sequence[CaptureInterface] = ()
    first_timestamp_ns: int | None = None
    previous_timestamp_ns: int | None = None
    comments: Mapping[int, Sequence[str]] = field(default_factory=dict)
    flows: FlowSource = NO_FLOWS
    fragments: FragmentSource = NO_FRAGMENTS
    programs: ProgramTable = NO_PROGRAMS

    def after(self, chunk: Chunk) -> CaptureContext:
        """Return the context of the chunk that follows `chunk`."""
        if not len(chunk):
            return self
        timed = np.flatnonzero(_is_timed(chunk))
        first = self.first_timestamp_ns
        if first is None and len(timed):
            first = int(chunk.timestamp_ns[timed[0]])
        last = len(chunk) - 1
        previous = int(chunk.timestamp_ns[last]) if last in timed[-1:] else None
        return replace(self, first_timestamp_ns=first, previous_timestamp_ns=previous)


def _is_timed(chunk: Chunk) -> Mask:
    """Return a mask (n,) of the packets that have a time; see `dissection.is_timed`."""
    invalid = chunk.flags & np.uint16(PacketFlag.TIME_INVALID) > 0
    mask: Mask = ~invalid | (chunk.timestamp_ns != 0)
    return mask


Reader = Callable[[ChunkHeaders, CaptureContext, DissectedPackets], Occurrences]


def _of_all(column: NDArray[Any]) -> Occurrences:
    return Occurrences(np.arange(len(column)), column)


def _where(mask: Mask, column: NDArray[Any]) -> Occurrences:
    rows = np.flatnonzero(mask)
    return Occurrences(rows, column[rows])


def _frame(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    chunk = headers.chunk
    spans = Spans(chunk.data, headers.base, headers.base + chunk.captured)
    return Occurrences(np.arange(len(chunk)), spans)


def _number(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    chunk = headers.chunk
    return _of_all(np.arange(chunk.first, chunk.first + len(chunk)))


def _time(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    return _where(_is_timed(headers.chunk), headers.chunk.timestamp_ns)


def _delta(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    chunk = headers.chunk
    times, timed = chunk.timestamp_ns, _is_timed(chunk)
    before = np.concatenate(([context.previous_timestamp_ns or 0], times[:-1]))
    has_before = np.concatenate(([context.previous_timestamp_ns is not None], timed[:-1]))
    return _where((timed & has_before)[: len(chunk)], (times - before[: len(chunk)]))


def _relative(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    found = _time(headers, context, inner)
    times = headers.chunk.timestamp_ns[found.rows]
    first = context.first_timestamp_ns
    if first is None and len(times):
        first = int(times[0])
    return Occurrences(found.rows, times - (first or 0))


def _length(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    return _of_all(headers.chunk.original)


def _captured(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    return _of_all(headers.chunk.captured)


def _interface(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    return _of_all(headers.chunk.interface)


def _interface_name(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    names = np.array([each.name or "" for each in context.interfaces] + [""], dtype=object)
    column = names[np.minimum(headers.chunk.interface, len(names) - 1)]
    return _where(column != "", column)


def _protocols(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    return _of_all(protocol_names(headers, inner))


def _comment(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    chunk = headers.chunk
    by_row = {number - chunk.first: texts for number, texts in context.comments.items()}
    by_row |= chunk.comments
    found = [
        (row, text)
        for row, texts in sorted(by_row.items())
        if 0 <= row < len(chunk)
        for text in texts
    ]
    rows = np.array([row for row, _ in found], dtype=np.int64)
    texts = np.array([text for _, text in found], dtype=object)
    return Occurrences(rows, texts)


def _direction(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    flags = headers.chunk.flags
    column = flags & np.uint16(PacketFlag.DIRECTION_MASK)
    column[flags & np.uint16(PacketFlag.OURS) > 0] = PacketFlag.OUTBOUND
    return _where(np.isin(column, list(DIRECTIONS)), column)


def _sent(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    return _of_all(headers.chunk.flags & np.uint16(PacketFlag.OURS) > 0)


def _ignored(
    headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets
) -> Occurrences:
    return _of_all(np.zeros(len(headers.chunk), np.bool_))


def _cause(headers: ChunkHeaders, context: CaptureContext, inner: DissectedPackets) -> Occurrences:
    column = headers.chunk.state & np.uint8(HeaderState.CAUSE_MASK)
    for packets, _ in headers.inner:
        column[packets.rows] = packets.causes
    if headers.has_dissected:  # the columns do not tell why a packet inside another ended
        for packet in inner:
            stop = packet.dissection.stop
            column[packet.row] = Cause.NONE if stop is None else stop.cause
    return _where(np.isin(column, list(CAUSES)), column)


READERS: Mapping[str, Reader] = {
    "frame": _frame,
    "frame.number": _number,
    "frame.time": _time,
    "frame.time_utc": _time,
    "frame.time_epoch": _time,
    "frame.time_delta": _delta,
    "frame.time_delta_displayed": _delta,
    "frame.time_relative": _relative,
    "frame.len": _length,
    "frame.cap_len": _captured,
    "frame.interface_id": _interface,
    "frame.interface_name": _interface_name,
    "frame.protocols": _protocols,
    "frame.comment": _comment,
    "frame.direction": _direction,
    "frame.ignored": _ignored,
    "frame.stop.cause": _cause,
    "rawscope.sent": _sent,
}
"""The reader of each field of the frame."""
