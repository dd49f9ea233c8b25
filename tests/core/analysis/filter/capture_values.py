"""Filters over whole capture files, for comparisons with Wireshark."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.analysis.filter.display_filter import DisplayFilter, compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.tcp.fields import FLOW_FIELDS
from core.analysis.tcp.flow_index import FlowIndex
from core.analysis.tcp.flow_table import FlowTable
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk
from core.files.chunks import iter_chunks
from core.files.reader import open_capture


@functools.cache
def _compiled(text: str) -> DisplayFilter:
    return compile_filter(text, CATALOG)


class Capture:
    """The chunks of a capture file, to which filters are applied."""

    def __init__(self, path: Path) -> None:
        with open_capture(path) as reader:
            self.chunks: list[Chunk] = list(iter_chunks(reader))
            self.interfaces: list[CaptureInterface] = list(reader.interfaces)

    @functools.cached_property
    def _flows(self) -> list[FlowTable]:
        """The results of an analysis of flows, by chunk."""
        index = FlowIndex()
        return [index.append(chunk) for chunk in self.chunks]

    def values(self, *, has_flows: bool = False) -> Iterator[ChunkValues]:
        """Yield the values of each chunk, with those of flows if it `has_flows`."""
        context = CaptureContext(self.interfaces)
        for number, chunk in enumerate(self.chunks):
            if has_flows:
                context = replace(context, flows=self._flows[number])
            yield ChunkValues(chunk, context)
            context = context.after(chunk)

    def passing(self, text: str, selected: int | None = None) -> list[int]:
        """Return the numbers of the packets that pass a filter.

        References take their values from the packet `selected`.
        """
        compiled = _compiled(text)
        chosen = None if selected is None else self._one(selected)
        found: list[int] = []
        has_flows = not FLOW_FIELDS.keys().isdisjoint(compiled.fields)
        for chunk, values in zip(self.chunks, self.values(has_flows=has_flows), strict=True):
            found += (np.flatnonzero(compiled.passes(values, chosen)) + chunk.first).tolist()
        return found

    def _one(self, number: int) -> ChunkValues:
        chunk = next(each for each in self.chunks if each.first <= number <= each.last)
        row = number - chunk.first
        return ChunkValues(chunk.rows(row, row + 1), CaptureContext(self.interfaces))
