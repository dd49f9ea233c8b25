"""A display filter as a predicate for the packets of a store.

The view of the table, the search, and the colors select packets with it. What a filter needs to
know about the capture besides a chunk (interfaces, comments, flows, the time of the first packet
and of the one before the chunk) comes from the snapshot. So a `PacketFilter` works for any chunk,
in any order; it only counts the packets that took too long.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.display_filter import DisplayFilter, compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.filter.types import FieldValues
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.programs.program_table import programs_of
from core.analysis.reassembly.fragment_index import SnapshotFragments, fragment_index_of
from core.analysis.tcp.flow_index import SnapshotFlows, index_of
from core.decode.chunk import Chunk
from core.store.budget import UNLIMITED, Budget
from core.store.gathered_packets import gather
from core.store.snapshot import Snapshot


class PacketFilter:
    """Selects the packets that pass a display filter; see `core.store.filtered_view.Predicate`.

    `selected` has the values of one packet, for references such as ``${ip.src}``.
    """

    def __init__(self, display_filter: DisplayFilter, selected: FieldValues | None = None) -> None:
        self.display_filter = display_filter
        self._selected = selected
        self._slow: set[int] = set()

    @property
    def slow_packets(self) -> int:
        """The number of packets that a regular expression took too long for."""
        return len(self._slow)

    @property
    def reads_programs(self) -> bool:
        """True if the filter names the programs of flows."""
        return not PROGRAM_FIELDS.keys().isdisjoint(self.display_filter.fields)

    def forget_slow_packets(self) -> None:
        """Count from zero: in another store, the numbers mean other packets."""
        self._slow.clear()

    @classmethod
    def compile(
        cls, text: str, selected: FieldValues | None = None, macros: Macros = NO_MACROS
    ) -> PacketFilter:
        """Return the filter of a text. Raise `FilterError`."""
        return cls(compile_filter(text, CATALOG, macros), selected)

    def __call__(
        self, chunk: Chunk, snapshot: Snapshot, budget: Budget = UNLIMITED
    ) -> NDArray[np.bool_]:
        """Return a mask (m,) of the first packets of a chunk of `snapshot` that pass.

        These are all n packets, or fewer, at least one, if the budget is spent before. The chunk
        may be a part of one (`Chunk.rows`).
        """
        values = ChunkValues(chunk, context_of(snapshot, chunk))
        found = self.display_filter.passing(values, self._selected, lambda: budget.is_spent)
        self._slow.update(chunk.first + row for row in found.slow)
        return found.mask


def context_of(snapshot: Snapshot, chunk: Chunk) -> CaptureContext:
    """Return what the values of a chunk need to know about its capture."""
    previous_ns = snapshot.time_ns(chunk.first - 1)
    return CaptureContext(
        snapshot.interfaces,
        snapshot.first_timestamp_ns,
        previous_ns,
        snapshot.comments,
        SnapshotFlows(snapshot),
        SnapshotFragments(snapshot),
        programs_of(snapshot).published,
    )


def values_of_packet(snapshot: Snapshot, number: int) -> FieldValues:
    """Return the values of one packet, over a copy of its bytes.

    Those of flows and fragments are as far as they are analyzed, so that the call is quick.
    Raise `KeyError` if the packet is not in the store.
    """
    packet = gather(snapshot, [number])
    flows, fragments = index_of(snapshot).published, fragment_index_of(snapshot).published
    context = replace(context_of(snapshot, packet), flows=flows, fragments=fragments)
    return ChunkValues(packet, context)
