"""Run all code that reads packets over given frames, and compare the results.

`check` reads frames with every reader: dissection, row, detail tree, JSON, chosen fields, hex, the
batch decode with its verdicts and columns, and the reassembly of fragments. It raises `FaultError`
if one of them fails, or if scalar and batch disagree. Columns and verdicts are read for all frames
together, as in the program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.cli.dump.field_lines import FieldLines
from app.cli.dump.hex_lines import HexLines
from app.cli.dump.json_lines import JsonLines
from app.cli.dump.line_format import LineFormat
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import FragmentIndex
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk
from core.decode.columns import SLOTS, read
from core.store.captured_packet import CapturedPacket
from core.store.packet_store import PacketStore
from core.wire.dissect import dissect
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Dissection
from core.wire.present.detail import each_row
from core.wire.present.record import record
from core.wire.present.summary import Summary, summarize
from tests.core.analysis.filter.values.reference import listed
from tests.core.decode.agreement import (
    has_column,
    number,
    outermost,
    outline_of,
    outline_of_chunk,
)
from tests.core.decode.support import batch_of

COLUMNS = tuple(sorted(name for name in SLOTS if has_column(name)))


class DisagreementError(AssertionError):
    """Two readers disagree about a packet."""


class FaultError(Exception):
    """A reader failed on a frame, or two disagree about it; the cause says how."""


@dataclass(frozen=True)
class Sample:
    """A frame as the readers get it. Lengths in bytes; `flags` are `PacketFlag` bits."""

    data: bytes
    link_type: int
    original: int
    flags: int = 0

    @property
    def text(self) -> str:
        """Return all that is needed to read it again."""
        return (
            f"link type {self.link_type}, original length {self.original}, "
            f"flags 0x{self.flags:04x}: {self.data.hex() or '(empty)'}"
        )


@dataclass(frozen=True)
class _DissectedPacket(CapturedPacket):
    """A packet that is dissected once for all formats."""

    dissection: Dissection | None = None

    def dissect(self) -> Dissection:
        assert self.dissection is not None
        return self.dissection


_FORMATS: tuple[LineFormat, ...] = (
    HexLines(),  # and the line before the bytes
    JsonLines(raw=True),
    FieldLines(["frame.protocols", "ip.src", "tcp.flags", "null.family", "gre.proto"]),
)


def check(samples: Sequence[Sample]) -> list[Summary]:
    """Read all samples with every reader; return their rows. Raises `FaultError`."""
    found = [_check_one(sample) for sample in samples]
    _check_batch(samples, [dissection for dissection, _ in found])
    return [summary for _, summary in found]


def _check_one(sample: Sample) -> tuple[Dissection, Summary]:
    """Read one packet with every scalar reader."""
    try:
        dissection = dissect(sample.data, sample.link_type, sample.original, sample.flags)
        summary = summarize(dissection)
        tuple(each_row(dissection))
        interface = CaptureInterface("fuzz", sample.link_type)
        packet = _DissectedPacket(
            1, sample.data, sample.original, 0, interface, sample.flags, dissection=dissection
        )
        for line_format in _FORMATS:
            line_format(packet)
    except Exception as error:
        raise FaultError(sample.text) from error
    return dissection, summary


def _check_batch(samples: Sequence[Sample], dissections: Sequence[Dissection]) -> None:
    """Compare the batch decode of the samples with the dissection of each."""
    first = 0
    for chunk in _stored(samples):
        part = slice(first, first + len(chunk))
        _check_outlines(chunk, samples[part], dissections[part])
        _check_columns(chunk, samples[part], dissections[part])
        _check_fragments(chunk, samples[part])
        first += len(chunk)


def _stored(samples: Sequence[Sample]) -> Sequence[Chunk]:
    store = PacketStore()
    interfaces: dict[int, int] = {}
    for sample in samples:
        if sample.link_type not in interfaces:
            interfaces[sample.link_type] = len(interfaces)
            store.add_interface(CaptureInterface("fuzz", sample.link_type))
    batch = batch_of(
        [sample.data for sample in samples],
        gap=3,
        original=[sample.original for sample in samples],
        flags=[sample.flags for sample in samples],
        interface=[interfaces[sample.link_type] for sample in samples],
    )
    store.append(batch)
    return store.snapshot().chunks


def _check_outlines(
    chunk: Chunk, samples: Sequence[Sample], dissections: Sequence[Dissection]
) -> None:
    for batch, sample, dissection in zip(
        outline_of_chunk(chunk), samples, dissections, strict=True
    ):
        scalar = outline_of(dissection)
        if batch != scalar:
            words = f"batch {batch}, scalar {scalar}"
            raise FaultError(sample.text) from DisagreementError(words)


def _check_fragments(chunk: Chunk, samples: Sequence[Sample]) -> None:
    """Reassemble fragments, dissect the packets with them, and compare that with columns."""
    part = with_pieces(chunk, FragmentIndex().append(chunk))
    for row in part.pieces:
        try:
            dissection = part.dissect(row)
            summarize(dissection)
            tuple(each_row(dissection))
            record(dissection, {"frame.number": row})
        except Exception as error:
            raise FaultError(samples[row].text) from error
    state = part.state.copy()
    state[list(part.pieces)] |= np.uint8(HeaderState.NESTED)
    dissected = ChunkValues(
        replace(part, index=replace(part.headers, state=state), datagrams=None), CaptureContext()
    )
    columns = ChunkValues(part, CaptureContext())
    for name in ("udp.srcport", "tcp.len", "tcp.checksum.status", "data.len", "frame.protocols"):
        given, wanted = (listed(each.occurrences(name)) for each in (columns, dissected))
        if given != wanted:
            row = min(set(given) ^ set(wanted))[0]
            raise FaultError(samples[row].text) from DisagreementError(f"{name} of a datagram")


def _check_columns(
    chunk: Chunk, samples: Sequence[Sample], dissections: Sequence[Dissection]
) -> None:
    wanted: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row, dissection in enumerate(dissections):
        for name, value in outermost(dissection).items():
            wanted[name][row] = value
    for name in COLUMNS:
        column = read(chunk, SLOTS[name])
        rows = np.flatnonzero(column.valid).tolist()
        given = {row: number(column.values[row]) for row in rows}
        if given != wanted[name]:
            row = min(dict(given.items() ^ wanted[name].items()))
            words = f"{name}: column {given.get(row)}, dissection {wanted[name].get(row)}"
            raise FaultError(samples[row].text) from DisagreementError(words)
