"""The columns of one part of a capture: its segments, and the results of their analysis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.exact import ACK, FIN, REUSED, RST, SYN
from core.analysis.tcp.flow_table import TCP_COLUMNS, Columns
from core.analysis.tcp.neighbors import Run
from core.analysis.tcp.options import SegmentOptions
from core.analysis.tcp.segments import Headers
from core.analysis.tcp.state import NO_SCALE_FACTOR, OfDirection, OfStream, Part, StreamStates
from core.analysis.tcp.stream_times import elapsed
from core.analysis.tcp.streams import Groups
from core.decode.chunk import Chunk
from core.decode.header_positions import NOWHERE
from core.wire.transport.tcp import TCP

Rows = NDArray[np.int64]
EVALUATED = (
    "findings",
    "acked_packet",
    "ack_rtt",
    "bytes_in_flight",
    "duplicate",
    "repeated_packet",
    "rto",
    "rto_packet",
    "initial_rtt",
    "shift",
)
"""The columns that an evaluation fills, in the order of `Evaluated`, and two of its stream."""


class Segments:
    """The segments of a part, sorted by stream: columns (k,) of int64."""

    def __init__(self, chunk: Chunk, headers: Headers, order: Rows) -> None:
        data, starts = chunk.data, headers.starts[order]
        rows = headers.rows[order]
        lengths = TCP["hdr_len"].column(data, starts).astype(np.int64)
        self.sequence, self.acknowledgment, self.flags, self.window = (
            TCP[key].column(data, starts).astype(np.int64)
            for key in ("seq_raw", "ack_raw", "flags", "window_size_value")
        )
        self.length = np.maximum(headers.stops[order] - starts - lengths, 0)
        self.time_ns = chunk.timestamp_ns[rows]
        self.packet = chunk.first + rows
        limits = chunk.dissected_stops(rows)
        options = SegmentOptions(data, starts, lengths, limits)
        self.scale, self.sacked = options.scale, options.sacked

    def __len__(self) -> int:
        return len(self.packet)

    def run(self, direction: Rows) -> Run:
        """Return the columns that an evaluation reads."""
        names = Run._fields[1:]
        return Run(direction, *(getattr(self, name) for name in names))


class Results:
    """The columns of a part while it is evaluated, sorted by stream."""

    def __init__(self, segments: Segments, groups: Groups) -> None:
        count = len(segments)
        self._segments, self._groups = segments, groups
        self.found = {name: np.zeros(count, np.int64) for name in EVALUATED}

    def columns(self, states: StreamStates) -> Columns:
        """Return the results in the order of the packets, and note the state of the streams."""
        segments, groups = self._segments, self._groups
        sizes = groups.sizes
        slots = np.repeat(groups.slots, sizes)
        found = self.found
        found["findings"][groups.starts[groups.is_reused]] |= REUSED
        found["packet"] = segments.packet
        found["stream"] = np.repeat(groups.numbers, sizes)
        found["flags"] = segments.flags
        base = states.directions[slots, groups.direction, OfDirection.BASE]
        other = states.directions[slots, 1 - groups.direction, OfDirection.BASE]
        found["sequence"] = (segments.sequence - base) & 0xFFFF_FFFF
        is_relative = (segments.flags & ACK > 0) | (
            (segments.acknowledgment > 0) & (other >= 0) & (segments.flags & SYN == 0)
        )
        found["sequence_base"] = base
        found["acknowledgment_base"] = np.where(is_relative, other, 0)
        acknowledgment = segments.acknowledgment - found["acknowledgment_base"]
        found["acknowledgment"] = acknowledgment & 0xFFFF_FFFF
        has_analysis = (found["findings"] > 0) | (found["acked_packet"] > 0)
        has_analysis |= found["bytes_in_flight"] > 0
        found["initial_rtt"][~has_analysis] = -1
        is_plain = segments.flags & SYN == 0
        is_scaled = is_plain & (found["shift"] > 0)
        factor = np.where(found["shift"] >= 0, 1 << np.maximum(found["shift"], 0), found["shift"])
        found["scale_factor"] = np.where(is_plain, factor, NO_SCALE_FACTOR)
        found["shift"] = np.where(is_scaled, found["shift"], 0)
        found["window"] = segments.window << found["shift"]
        self._add_times(states, slots, sizes)
        found["completeness"] = self._completeness(states, slots)
        by_packet = np.empty(len(segments), np.int64)
        by_packet[groups.order] = np.arange(len(segments))
        return {
            name: found[name][by_packet].astype(kind, copy=False)
            for name, kind in TCP_COLUMNS.items()
        }

    def _add_times(self, states: StreamStates, slots: Rows, sizes: Rows) -> None:
        times, groups = self._segments.time_ns, self._groups
        first = states.streams[slots, OfStream.FIRST_TIME]
        last = states.streams[groups.slots, OfStream.LAST_TIME]
        self.found["time_relative"], self.found["time_delta"] = elapsed(groups, times, first, last)
        ends = groups.starts + sizes - 1
        states.streams[groups.slots, OfStream.LAST_TIME] = times[ends]
        states.streams[groups.slots, OfStream.LAST_PACKET] = self._segments.packet[ends]

    def _completeness(self, states: StreamStates, slots: Rows) -> Rows:
        """Return the parts of the connection that were seen before each segment."""
        segments, groups = self._segments, self._groups
        flags = segments.flags
        opening = flags & (SYN | ACK)
        starts = np.repeat(groups.starts, groups.sizes)
        index = np.arange(len(segments))
        is_new = np.zeros(len(segments), np.bool_)
        is_new[groups.starts] = groups.is_new
        has_data, is_later = segments.length > 0, ~is_new
        parts = {
            Part.SYN: (opening == SYN) & is_new,
            Part.SYN_ACK: (opening == SYN | ACK) & is_later,
            Part.ACK: (opening == ACK) & ~has_data & is_later,
            Part.DATA: has_data & is_later,
            Part.FIN: (flags & FIN > 0) & is_later,
            Part.RST: (flags & RST > 0) & is_later,
        }
        seen: Rows = states.streams[slots, OfStream.COMPLETENESS]
        total = seen[groups.starts].copy()
        for part, mask in parts.items():
            last = np.maximum.accumulate(np.where(mask, index, NOWHERE))
            before = np.full(len(last), NOWHERE)
            before[1:] = last[:-1]
            seen |= np.where(before >= starts, int(part), 0)
            ends = groups.starts + groups.sizes - 1
            total |= np.where(last[ends] >= groups.starts, int(part), 0)
        states.streams[groups.slots, OfStream.COMPLETENESS] = total
        return seen
