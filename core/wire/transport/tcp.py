"""TCP: ``struct tcphdr``, its options, and the flags that say what a segment is for.

RFC 9293 §3.1. The data offset counts 32-bit words of header, options included; at least 5. TCP has
no length field: the segment is the rest of the IP packet, so the payload's length is known only if
the IP length is. The flags are 12 bits here, as in Wireshark: 3 reserved, AE (RFC 9768, before that
NS), CWR and ECE (RFC 3168), and the classic six.

Sequence numbers start anywhere. Relative ones, which are easier to read, need the numbers of the
handshake, and a window needs the scale that it agreed on: only an analysis of the connection knows
them (`SequenceBase`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.wire.checksum import packet_checksums
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import BatchReader, FrameGroup, HeaderState
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag, Span
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import (
    OPTIONS_BODY,
    UNKNOWN_BASE,
    ChecksumRule,
    DerivedField,
    HeaderColumns,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
    SequenceBase,
)
from core.wire.transport import tcp_options
from core.wire.transport.tcp_options import OPTIONS
from core.wire.transport.tcp_options_text import WORDS, options_columns, options_text
from core.wire.transport.tcp_tools import TOOLS

TCP = HeaderTable(
    "tcp",
    "Transmission Control Protocol",
    "RFC 9293 §3.1",
    Field("srcport", 16, "Source port", default=40_000),  # 0 is reserved: hosts do not answer it
    Field("dstport", 16, "Destination port"),
    Field("seq_raw", 32, "Sequence number"),
    Field("ack_raw", 32, "Acknowledgment number"),
    Field("hdr_len", 4, "Header length", unit=4, suffix="bytes", default=20, automatic=True),
    Field(
        "flags",
        12,
        "Flags",
        base=16,
        parts=(
            Field("res", 3, "Reserved"),
            Flag("ae", "Accurate ECN"),
            Flag("cwr", "Congestion window reduced"),
            Flag("ece", "ECN echo"),
            Flag("urg", "Urgent"),
            Flag("ack", "Acknowledgment"),
            Flag("push", "Push"),
            Flag("reset", "Reset"),
            Flag("syn", "Synchronize"),
            Flag("fin", "Finish"),
        ),
    ),
    Field("window_size_value", 16, "Window", default=65535),
    Field("checksum", 16, "Checksum", base=16, automatic=True),
    Field("urgent_pointer", 16, "Urgent pointer"),
)

FLAG_NAMES = (  # in the order Wireshark writes them
    ("fin", "FIN"),
    ("syn", "SYN"),
    ("reset", "RST"),
    ("push", "PSH"),
    ("ack", "ACK"),
    ("urg", "URG"),
    ("ece", "ECE"),
    ("cwr", "CWR"),
    ("ae", "AE"),
)
_FLAGS = TCP["flags"]
FLAG_BITS = {
    key: 1 << _FLAGS.first_bit + _FLAGS.field.bits - 1 - TCP[f"flags.{key}"].first_bit
    for key, _ in FLAG_NAMES
}
_CHECKSUM, _HEADER_LENGTH = TCP["checksum"], TCP["hdr_len"]
_SOURCE_PORT, _DESTINATION_PORT = TCP["srcport"], TCP["dstport"]
_SEQUENCE, _ACKNOWLEDGMENT, _WINDOW = TCP["seq_raw"], TCP["ack_raw"], TCP["window_size_value"]


def parse(walk: Walk, offset: int) -> Next | None:
    """Read header and options, and check the sum over the whole segment."""
    if not walk.begin(TCP, offset):
        return None
    data = walk.data
    header = _HEADER_LENGTH.number(data, offset)
    if header < TCP.size:
        reason = f"header length {header} is less than {TCP.size} bytes"
        walk.contradiction(TCP, offset, _HEADER_LENGTH, reason, header_length=header)
        return None
    check = packet_checksums.check_transport(walk, _CHECKSUM, offset, walk.stop, IpProtocol.TCP)
    if not walk.has("tcp", offset, header):
        walk.add((TCP,), offset, header, checks=(check,))
        return None
    options_at = offset + TCP.size
    options = OPTIONS.read(data, options_at, offset + header) if header > TCP.size else ()
    span = Span(options_at, offset + header) if header > TCP.size else None
    walk.add((TCP,), offset, header, options=options, options_span=span, checks=(check,))
    return None


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
    group = walk.begin(TCP, group)
    header, synchronize = walk.columns(TCP, group, "hdr_len", "flags.syn")
    walk.mark(group.where(synchronize > 0), HeaderState.SYN)
    short = header < TCP.size
    if short.any():
        walk.contradiction(group.where(short), TCP["hdr_len"])
        group, header = group.where(~short), header[~short]
    walk.has(group, header)


def _carried_length(layer: Layer, dissection: Dissection) -> int | None:
    """Return `segment_length` if the header says where the payload begins.

    The capture may have cut the header behind that field.
    """
    if not layer.holds(_HEADER_LENGTH) or layer.fragment:
        return None
    header = max(_HEADER_LENGTH.number(dissection.data, layer.offset), layer.header_length)
    return max(0, layer.stop - layer.offset - header)


def segment_length(layer: Layer) -> int | None:
    """Return the payload bytes of the segment, captured or not; None for a fragment."""
    if layer.fragment:
        return None
    return max(0, layer.stop - layer.offset - layer.header_length)


@lru_cache(maxsize=1 << _FLAGS.field.bits)  # all combinations
def flag_text(flags: int) -> str:
    """Return ``SYN, ACK`` for 0x012; ``none`` for no flag."""
    return ", ".join(name for key, name in FLAG_NAMES if flags & FLAG_BITS[key]) or "none"


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``54321 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460``, as Wireshark does."""
    return relative_info(layer, dissection, None)


def relative_info(layer: Layer, dissection: Dissection, base: SequenceBase | None) -> str:
    """Return the Info line with sequence numbers relative to `base`, if it is known."""
    data, at = dissection.data, layer.offset
    text = _words(
        _SOURCE_PORT.number(data, at),
        _DESTINATION_PORT.number(data, at),
        _FLAGS.number(data, at),
        _relative(_SEQUENCE.number(data, at), base.sequence if base else None),
        _relative(_ACKNOWLEDGMENT.number(data, at), base.acknowledgment if base else None),
        _WINDOW.number(data, at) << (base.shift if base else 0),
        segment_length(layer),
    )
    return text + options_text(layer.options) if layer.options else text


def info_columns(headers: HeaderColumns) -> list[str | None]:
    """Return the Info lines of many segments, with relative sequence numbers."""
    length = headers.column(_HEADER_LENGTH).astype(np.int64)
    carried = np.maximum(headers.stops - headers.starts - length, 0).tolist()
    numbers = (
        headers.column(_SOURCE_PORT),
        headers.column(_DESTINATION_PORT),
        headers.column(_FLAGS),
        _relative_columns(headers.column(_SEQUENCE), headers.bases.sequence),
        _relative_columns(headers.column(_ACKNOWLEDGMENT), headers.bases.acknowledgment),
        headers.column(_WINDOW).astype(np.int64) << headers.bases.shift,
    )
    texts: list[str | None] = list(map(_words, *(each.tolist() for each in numbers), carried))
    has_options = np.flatnonzero(length > TCP.size)
    if len(has_options):
        starts = headers.starts[has_options]
        stops = starts + length[has_options]
        options = options_columns(headers.data, starts + TCP.size, stops)
        for index, text in zip(has_options.tolist(), options, strict=True):
            texts[index] = f"{texts[index]}{text}"
    return texts


_ACK = FLAG_BITS["ack"]


def _words(
    source: int,
    destination: int,
    flags: int,
    sequence: int,
    acknowledgment: int,
    window: int,
    length: int | None,
) -> str:
    """Return the Info line of a segment without its options; a length of None is left out."""
    acknowledged = f" Ack={acknowledgment}" if flags & _ACK else ""
    text = (
        f"{source} → {destination} [{flag_text(flags)}] Seq={sequence}{acknowledged} Win={window}"
    )
    return text if length is None else f"{text} Len={length}"


def _relative(number: int, base: int | None) -> int:
    return number if base is None else (number - base) % (1 << 32)


def _relative_columns(numbers: NDArray[Any], bases: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what `_relative` does, (n,)."""
    relative = (numbers.astype(np.int64) - bases) & 0xFFFF_FFFF
    return np.where(bases == UNKNOWN_BASE, numbers, relative)


PROTOCOLS = (
    Protocol(
        name="tcp",
        shown="TCP",
        tables=(TCP, *tcp_options.TABLES),
        info=info,
        relative_info=relative_info,
        info_columns=info_columns,
        info_texts=("Seq", "Ack", "Win", "Len", "none", *dict(FLAG_NAMES).values(), *WORDS),
        meanings={"flags": flag_text},
        derived=(DerivedField("tcp.len", "Segment length", "bytes", _carried_length),),
        has_options_field=True,
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.TCP,), parse, step),),
        computed={"hdr_len": computed_number.SIZE},
        checksum=ChecksumRule(pseudo_header=True, own_length="hdr_len"),
        alignment=TCP["hdr_len"].field.unit,
        kinds=(
            LayerKind(
                "tcp",
                "TCP",
                LayerPosition.TRANSPORT,
                (TCP,),
                over="ip",
                body=OPTIONS_BODY,
                options=tcp_options.OPTIONS,
                example="mss=1460,nop,wscale=7",
            ),
        ),
        tools=TOOLS,
        is_listed=True,
    ),
)
