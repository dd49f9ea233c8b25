"""The batches of one capture as numbered chunks, with what display filters read of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import FragmentIndex
from core.analysis.tcp.deferred_flows import DeferredFlows
from core.decode.batch import Batch, CaptureInterface
from core.decode.batch_decoder import decode_batch, parts_of
from core.decode.chunk import Chunk
from core.wire.model.decode_rules import NO_RULES, DecodeRules

if TYPE_CHECKING:
    from core.analysis.programs.program_table import ProgramTable
    from core.analysis.tcp.flow_index import FlowSource


class PacketPrograms(Protocol):
    """Finds the programs of chunks with ascending numbers; `trouble` says why it cannot."""

    @property
    def trouble(self) -> str:
        """One line about why no programs are found; empty if they are."""
        ...

    def take(self, chunk: Chunk, source: FlowSource) -> ProgramTable:
        """Return what is known of programs after the next chunk."""
        ...


@dataclass(frozen=True, slots=True)
class DecodedPackets:
    """A chunk, and its values beside the packets before it, which `context` describes.

    `first_timestamp_ns` is the time of the first packet of the capture, None before it.
    """

    chunk: Chunk
    context: CaptureContext
    values: ChunkValues
    first_timestamp_ns: int | None


@dataclass(frozen=True, slots=True)
class Decoding:
    """The way to decode packets: with reassembled fragments or without, by the rules of ``-d``."""

    reassembles: bool = True
    rules: DecodeRules = NO_RULES


USUAL = Decoding()


class PacketDecoder:
    """Numbers packets from 1 on, and decodes those that are not decoded yet.

    If `decoding` says so, their fragments are reassembled; of a fragment it is only known that it
    belongs to a datagram, if the packet that completes this is in a later chunk. With
    `needs_flows`, flows are analyzed, those of a file when something first reads them; `programs`
    finds the programs of these.
    """

    def __init__(
        self,
        *,
        needs_flows: bool,
        programs: PacketPrograms | None = None,
        decoding: Decoding = USUAL,
    ) -> None:
        self._flows = DeferredFlows() if needs_flows else None
        self._fragments = FragmentIndex() if decoding.reassembles else None
        self._rules = decoding.rules
        self._programs = programs
        self._next = 1
        self._context = CaptureContext()

    def decoded(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> Iterator[DecodedPackets]:
        """Yield the packets of a batch, or those of a chunk."""
        for captured in self._chunks(frames, interfaces):
            chunk = captured
            if self._fragments is not None:
                chunk = with_pieces(captured, self._fragments.append(captured))
            context = replace(self._context, interfaces=interfaces)
            if self._flows is not None:
                self._flows.append(chunk)
                context = replace(context, flows=self._flows)
                if self._programs is not None:
                    context = replace(context, programs=self._programs.take(chunk, self._flows))
            values = ChunkValues(chunk, context)
            self._context = context.after(chunk)
            first_timestamp_ns = self._context.first_timestamp_ns
            yield DecodedPackets(chunk, context, values, first_timestamp_ns)

    def _chunks(
        self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]
    ) -> Iterator[Chunk]:
        first = self._next
        self._next += len(frames)
        if isinstance(frames, Chunk):
            yield replace(frames, first=first, decode_rules=self._rules)
            return
        link_types = np.array([interface.link_type for interface in interfaces], dtype=np.int32)
        for part in parts_of(frames):
            yield decode_batch(part, link_types, first, self._rules)
            first += len(part)
