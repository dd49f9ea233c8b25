"""The lines of ``dump --json``: one object per packet, for a program.

The time is the whole timestamp with nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.cli.dump.flow_keys import with_flow_keys, with_program_keys
from app.cli.dump.json_columns import JsonColumns
from app.cli.dump.line_format import BLOCK, ChunkPart
from app.cli.field_names import JSON_COLUMNS
from core.analysis.programs.program_table import NO_PROGRAMS
from core.analysis.tcp.flow_index import FlowSource
from core.analysis.tcp.flow_table import NO_FLOWS
from core.store.captured_packet import CapturedPacket
from core.store.frame_detail import seconds_text
from core.wire.model.dissection import Dissection, is_timed
from core.wire.present.record import record
from core.wire.present.summary import summarize
from core.wire.protocol import SequenceBase

_SLICE = 1 << 12  # packets written at once

encode = json.JSONEncoder(separators=(",", ":")).encode
"""Return a value as JSON, in ASCII."""


class JsonLines:
    """One JSON object per packet, in ASCII, so that nothing in it controls a terminal."""

    needs_flows = True
    needs_programs = True

    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self._columns = JsonColumns(raw)
        self._flows: FlowSource = NO_FLOWS  # of the packets that are written
        self._programs = NO_PROGRAMS

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        line = encode(frame_record(packet, packet.dissect(), self._raw, base))
        numbers = np.array([packet.number])
        flows = self._flows.reaching(packet.number)
        found = with_flow_keys(flows, numbers, [line])
        (with_keys,) = with_program_keys(self._programs, flows, numbers, found)
        return with_keys or line

    def begin(self, timestamp_ns: int | None) -> None:
        """Ignore it: the times are absolute."""

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return what is known of the frame itself, and ``frame.fault``."""
        return encode(failed_record(packet, words, self._raw))

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Write the packets that have one of a few shapes."""
        self._flows, self._programs = part.context.flows, part.context.programs
        flows = self._flows.reaching(part.chunk.last)
        for start in range(0, len(part.rows), _SLICE):
            rows = part.rows[start : start + _SLICE]
            numbers = part.chunk.first + rows
            lines = with_flow_keys(flows, numbers, self._columns.lines(part, rows))
            lines = with_program_keys(self._programs, flows, numbers, lines)
            for first in range(0, len(lines), BLOCK):
                yield lines[first : first + BLOCK]


def frame_record(
    packet: CapturedPacket, dissection: Dissection, raw: bool, base: SequenceBase | None = None
) -> dict[str, Any]:
    """Return the JSON record of one packet, its keys in the documented order.

    The sequence numbers in the column Info are relative to `base`.
    """
    values = _frame_facts(packet)
    record(dissection, values)
    summary = summarize(dissection, base)
    for name, attribute in JSON_COLUMNS.items():
        values[name] = getattr(summary, attribute)
    if raw:
        values["frame.raw"] = packet.data.hex()
    return values


def failed_record(packet: CapturedPacket, words: str, raw: bool) -> dict[str, Any]:
    """Return the keys of a packet that could not be described.

    Its bytes are data, and ``frame.fault`` gives the reason.
    """
    values = _frame_facts(packet) | {"frame.protocols": "data", "frame.fault": words}
    if raw:
        values["frame.raw"] = packet.data.hex()
    return values


def _frame_facts(packet: CapturedPacket) -> dict[str, Any]:
    """Return what is known of a frame without reading its bytes."""
    values: dict[str, Any] = {"frame.number": packet.number}
    if is_timed(packet.timestamp_ns, packet.flags):
        values["frame.time_epoch"] = seconds_text(packet.timestamp_ns, 9)
    values["frame.len"] = packet.original_length
    values["frame.cap_len"] = len(packet.data)
    if packet.interface.name:
        values["frame.interface_name"] = packet.interface.name
    return values
