"""The fields of a packet that no header table has: of the frame, and of payloads.

Names and types are Wireshark's where Wireshark has the field (``_ws.col.*``: version 4.6). It does
not have ``frame.direction`` (Wireshark: ``frame.packet_flags_direction``), ``frame.stop.cause``,
and ``rawscope.sent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.analysis.filter.fields.wireshark_types import TRUE_FALSE
from core.analysis.filter.types import FilterField, FilterType
from core.wire.application.payload_info import APPLICATIONS, READERS
from core.wire.model.dissection import Cause, PacketFlag

_T = FilterType


class PacketField(NamedTuple):
    """A field, and the unit of its values (``"bytes"``, ``"s"``, or empty)."""

    field: FilterField
    unit: str = ""


DIRECTIONS = {int(PacketFlag.INBOUND): "inbound", int(PacketFlag.OUTBOUND): "outbound"}
CAUSES = {int(cause): cause.name.lower() for cause in Cause if cause is not Cause.NONE}

FRAME = FilterField("frame", _T.PROTOCOL, "The captured bytes of the packet")
DATA = FilterField("data", _T.PROTOCOL, "Bytes that belong to no header that rawscope reads")

FRAME_FIELDS: tuple[PacketField, ...] = (
    PacketField(FilterField("frame.number", _T.UINT32, "Number in the capture, from 1")),
    PacketField(FilterField("frame.time", _T.ABSOLUTE_TIME, "Time of capture")),
    PacketField(FilterField("frame.time_utc", _T.ABSOLUTE_TIME, "Time of capture, UTC")),
    PacketField(
        FilterField(
            "frame.time_epoch",
            _T.ABSOLUTE_TIME,
            "Time of capture since 1970-01-01 UTC, 9 decimals",
        ),
        "s",
    ),
    PacketField(
        FilterField("frame.time_delta", _T.RELATIVE_TIME, "Time since the previous packet"), "s"
    ),
    PacketField(
        FilterField(
            "frame.time_delta_displayed", _T.RELATIVE_TIME, "Time since the previous packet"
        ),
        "s",
    ),
    PacketField(
        FilterField("frame.time_relative", _T.RELATIVE_TIME, "Time since the first packet"), "s"
    ),
    PacketField(FilterField("frame.len", _T.UINT32, "Length on the wire"), "bytes"),
    PacketField(FilterField("frame.cap_len", _T.UINT32, "Captured length"), "bytes"),
    PacketField(FilterField("frame.interface_id", _T.UINT32, "Index of the interface, from 0")),
    PacketField(
        FilterField("frame.interface_name", _T.STRING, "Interface that captured the packet")
    ),
    PacketField(FilterField("frame.protocols", _T.STRING, "Dissected layers, outermost first")),
    PacketField(FilterField("frame.comment", _T.STRING, "Comment on the packet, as in the file")),
    PacketField(
        FilterField(
            "frame.direction", _T.UINT8, "Direction, if the source tells it", words=DIRECTIONS
        )
    ),
    PacketField(
        FilterField(
            "frame.stop.cause", _T.UINT8, "Cause why the dissection ended early", words=CAUSES
        )
    ),
    PacketField(
        FilterField(
            "frame.ignored", _T.BOOLEAN, "Always false: rawscope ignores no packet",
            words=TRUE_FALSE,
        )
    ),
)  # fmt: skip
"""Fields of the frame, except the protocol ``frame`` itself."""

COLUMNS: Mapping[str, str] = {
    "_ws.col.def_src": "source",
    "_ws.col.def_dst": "destination",
    "_ws.col.protocol": "protocol",
    "_ws.col.info": "info",
}
"""Columns of the packet table, by Wireshark's names, and the parts of a `Summary`."""

COLUMN_FIELDS: tuple[PacketField, ...] = tuple(
    PacketField(FilterField(name, _T.STRING, f"The column {part.title()} of the packet table"))
    for name, part in COLUMNS.items()
)

SENT = FilterField("rawscope.sent", _T.BOOLEAN, "Sent by rawscope", words=TRUE_FALSE)

DATA_LENGTH = FilterField("data.len", _T.INT32, "Captured length of data")

MESSAGES: tuple[FilterField, ...] = tuple(
    FilterField(name, _T.PROTOCOL, f"Message of {READERS[reader].names[transport]}")
    for name, ((transport, reader), *_) in APPLICATIONS.items()
)
"""Applications whose messages a filter can name: those that the packet table shows."""

PAYLOAD_FIELDS: tuple[PacketField, ...] = (
    PacketField(FilterField("data.data", _T.BYTES, "The bytes of data")),
    PacketField(DATA_LENGTH, "bytes"),
)
"""Fields of ``data``."""

TRANSPORT_PAYLOADS = {"tcp": "TCP payload", "udp": "UDP payload"}
"""Protocols with a ``payload`` field, and its meaning."""

FLAG_TEXT = FilterField("tcp.flags.str", _T.STRING, "Flags, one letter each")
