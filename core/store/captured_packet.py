"""One captured packet, as Python values: what the columns say of one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk, PlacedPiece
from core.wire.dissect import dissect
from core.wire.model.decode_rules import NO_RULES, DecodeRules
from core.wire.model.dissection import Dissection, Verdict
from core.wire.model.reassembly import Piece


@dataclass(frozen=True, slots=True)
class CapturedPacket:
    """A frame with its number and metadata. `data` is a copy: it outlives eviction.

    The verdicts are those of the outermost network and transport checksums. Only a packet from a
    store has them; for all others both are `Verdict.UNVERIFIED`. `fault` is the internal error that
    kept the store from checking (see `core.wire.present.faults`). `piece` is what an analysis knows
    of the datagram of a fragment. `decode_rules` are those of the capture.
    """

    number: int  # from 1
    data: bytes
    original_length: int
    timestamp_ns: int
    interface: CaptureInterface
    flags: int = 0  # core.wire.model.dissection.PacketFlag bits
    network_verdict: Verdict = Verdict.UNVERIFIED
    transport_verdict: Verdict = Verdict.UNVERIFIED
    fault: Exception | None = None
    piece: Piece | None = None
    decode_rules: DecodeRules = NO_RULES

    @property
    def captured_length(self) -> int:
        """The number of bytes that the capture kept of the frame."""
        return len(self.data)

    @property
    def link_type(self) -> int:
        """The type of the first header; see `core.wire.link.link_types`."""
        return self.interface.link_type

    def dissect(self) -> Dissection:
        """Return the headers of the packet. Raise what a faulty parser raises."""
        return dissect(
            self.data,
            self.link_type,
            self.original_length,
            self.flags,
            self.piece,
            self.decode_rules,
        )


def batch_of_packet(packet: CapturedPacket) -> Batch:
    """Return a batch of one packet, whose interface has the index 0."""
    captured = np.array([len(packet.data)], np.uint32)
    return Batch(
        data=np.frombuffer(packet.data, np.uint8),
        offset=np.zeros(1, np.int64),
        captured=captured,
        original=np.array([packet.original_length], np.uint32),
        timestamp_ns=np.array([packet.timestamp_ns], np.int64),
        interface=np.zeros(1, np.uint16),
        flags=np.array([packet.flags], np.uint16),
        stable=True,
    )


def packets_of(
    frames: Batch | Chunk,
    interfaces: Sequence[CaptureInterface],
    first_number: int,
    rows: NDArray[np.int64] | slice = slice(None),
) -> Iterator[CapturedPacket]:
    """Yield packets of a batch or chunk, or of some of its rows; their bytes are copies.

    The packet in row 0 has the number `first_number`.
    """
    data = frames.data
    pieces: Mapping[int, PlacedPiece] = {}
    rules = NO_RULES
    if isinstance(frames, Chunk):
        pieces, rules = frames.pieces, frames.decode_rules
    columns = (
        np.arange(first_number, first_number + len(frames)), frames.offset, frames.captured,
        frames.original, frames.timestamp_ns, frames.interface, frames.flags,
    )  # fmt: skip
    for number, offset, captured, original, timestamp_ns, interface, flags in zip(
        *(column[rows].tolist() for column in columns), strict=True
    ):
        yield CapturedPacket(
            number,
            data[offset : offset + captured].tobytes(),
            original,
            timestamp_ns,
            interfaces[interface],
            flags,
            piece=pieces[number - first_number].piece if number - first_number in pieces else None,
            decode_rules=rules,
        )
