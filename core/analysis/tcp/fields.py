"""The fields that the analysis of flows adds to packets, by Wireshark's names.

``tcp.analysis.fills_hole`` is rawscope's own. All other parts of the program derive from this list
what they know of these fields: the catalog of filters, the JSON record, the rows of the detail
tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.flags import WORDS, Finding
from core.analysis.tcp.flow_table import Columns
from core.analysis.tcp.state import NO_SCALE_FACTOR
from core.store.frame_detail import seconds_text


class FlowKind(Enum):
    """The kind of a field's values."""

    NUMBER = "number"
    SIGNED = "signed number"
    PACKET = "packet number"
    DURATION = "duration"  # nanoseconds
    MARK = "mark"  # true where the packet has it


@dataclass(frozen=True, slots=True)
class FlowField:
    """A field of TCP or UDP packets that an analysis finds.

    It is read from a `column` of the results. A number of `absent` or less means that the packet
    does not have the field; -1 if all have it. A mark has the `findings` of which one is enough.
    """

    name: str
    label: str
    column: str
    kind: FlowKind = FlowKind.NUMBER
    bits: int = 32
    absent: int = -1
    unit: str = ""
    findings: int = 0

    @property
    def protocol(self) -> str:
        """The protocol whose packets have the field."""
        return self.name.partition(".")[0]

    def presence(self, columns: Columns) -> NDArray[np.bool_]:
        """Return a mask (k,) of the packets that have the field."""
        column = columns[self.column]
        found: NDArray[np.bool_]
        if self.kind is FlowKind.MARK:
            found = column & column.dtype.type(self.findings) > 0
        elif self.absent < 0 and column.dtype.kind == "u":
            found = np.ones(len(column), np.bool_)
        else:
            found = column > self.absent
        return found

    def text(self, columns: Columns) -> str:
        """Return the text of the value of one packet, empty if the packet lacks the field."""
        if not len(columns[self.column]) or not self.presence(columns)[0]:
            return ""
        if self.kind is FlowKind.MARK:
            return "true"
        value = int(columns[self.column][0])
        return seconds_text(value) if self.kind is FlowKind.DURATION else str(value)

    def values(self, columns: Columns, index: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the packets at some indices of the results."""
        column = columns[self.column][index]
        return np.ones(len(column), np.bool_) if self.kind is FlowKind.MARK else column


_K = FlowKind
_ALL = sum(int(each) for each in Finding if each is not Finding.FILLS_HOLE)


def _times(protocol: str) -> tuple[FlowField, FlowField]:
    """Return the fields that tell how long ago earlier packets of the stream were."""
    absent = np.iinfo(np.int64).min
    return (
        FlowField(f"{protocol}.time_relative", "Since the first packet of the stream",
                  "time_relative", _K.DURATION, absent=absent),
        FlowField(f"{protocol}.time_delta", "Since the previous packet of the stream",
                  "time_delta", _K.DURATION, absent=absent),
    )  # fmt: skip


TCP_FIELDS: tuple[FlowField, ...] = (
    FlowField("tcp.stream", "Stream index", "stream"),
    FlowField(
        "tcp.completeness",
        "Seen before: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32",
        "completeness",
        bits=8,
    ),
    FlowField("tcp.seq", "Sequence number (relative)", "sequence"),
    FlowField("tcp.ack", "Acknowledgment number (relative)", "acknowledgment"),
    FlowField("tcp.window_size", "Window, scaled", "window", unit="bytes"),
    FlowField("tcp.window_size_scalefactor", "Scale factor of the window; -1 unknown, -2 none",
              "scale_factor", _K.SIGNED, absent=NO_SCALE_FACTOR),
    *_times("tcp"),
    FlowField("tcp.analysis.flags", "Something that deserves attention", "findings", _K.MARK,
              findings=_ALL),
    *(
        FlowField(finding.field, WORDS[finding].meaning, "findings", _K.MARK, findings=int(finding))
        for finding in Finding
    ),
    FlowField("tcp.analysis.duplicate_ack_num", "Number of the duplicate ACK", "duplicate",
              absent=0),
    FlowField("tcp.analysis.duplicate_ack_frame", "Packet whose ACK is repeated",
              "repeated_packet", _K.PACKET, absent=0),
    FlowField("tcp.analysis.acks_frame", "Packet that is acknowledged", "acked_packet", _K.PACKET,
              absent=0),
    FlowField("tcp.analysis.ack_rtt", "Since that packet", "ack_rtt", _K.DURATION, absent=0),
    FlowField("tcp.analysis.initial_rtt", "Duration of the handshake", "initial_rtt", _K.DURATION,
              absent=0),
    FlowField("tcp.analysis.bytes_in_flight", "Bytes sent and not acknowledged",
              "bytes_in_flight", absent=0, unit="bytes"),
    FlowField("tcp.analysis.rto", "Since the oldest unacknowledged packet", "rto", _K.DURATION,
              absent=0),
    FlowField("tcp.analysis.rto_frame", "That packet", "rto_packet", _K.PACKET, absent=0),
)  # fmt: skip
UDP_FIELDS: tuple[FlowField, ...] = (
    FlowField("udp.stream", "Stream index", "stream"),
    *_times("udp"),
)

FLOW_FIELDS: Mapping[str, FlowField] = {each.name: each for each in (*TCP_FIELDS, *UDP_FIELDS)}
"""All fields by name, in the order in which packets show them."""
