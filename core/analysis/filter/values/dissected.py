"""The packets of a chunk that only their dissection describes, and what it says of them.

These are packets with others inside, and a few kinds of header whose parts have no fixed place.
Dissecting one takes about 50 µs, so up to `KEPT` dissections of a chunk are kept for the next field
that a filter names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.places import BytePlaces, FieldPlaces
from core.decode.chunk import Chunk
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import PlacedField, Span

KEPT = 4096  # dissections, of about 5 KB each


@dataclass(frozen=True, slots=True)
class DissectedPacket:
    """A packet of a chunk: its row, the start of its frame in the data, and its layers.

    The captured frame begins at `captured`. That is `base`, too, unless the packet completes a
    datagram: then `base` is the frame with all of it.
    """

    row: int
    base: int
    captured: int
    dissection: Dissection

    def place(self, span: Span) -> tuple[int, int]:
        """Return the captured part of a span of the frame, as a place in the data.

        A header outside of a datagram that the packet completes continues in the captured bytes.
        """
        piece, base, most = self.dissection.piece, self.base, len(self.dissection.data)
        start, stop = min(span.start, most), min(span.stop, most)
        if piece is not None and start < piece.at < stop:
            base, stop = self.captured, stop - piece.growth
        return base + start, base + stop

    def numbered(self, *, outermost: bool = False) -> Iterator[tuple[int, Layer]]:
        """Yield each layer with its number among those of its protocol, from 1.

        With `outermost`, leave out the layers of packets inside the outermost one.
        """
        counts: defaultdict[str, int] = defaultdict(int)
        for layer in self.dissection.layers:
            if outermost and (layer.depth > 1 or layer.quoted):
                continue
            counts[layer.name] += 1
            yield counts[layer.name], layer


class DissectedPackets:
    """The dissected packets of some rows (k,) ascending of a chunk.

    With `outermost`, their values are those of the outermost packet.
    """

    def __init__(self, chunk: Chunk, rows: NDArray[np.int64], *, outermost: bool = False) -> None:
        self._chunk = chunk
        self._rows = rows
        self._outermost = outermost
        self._kept: list[DissectedPacket] | None = None

    def __iter__(self) -> Iterator[DissectedPacket]:
        if len(self._rows) > KEPT:
            return self._each()
        if self._kept is None:
            self._kept = list(self._each())
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._rows)

    def _each(self) -> Iterator[DissectedPacket]:
        chunk = self._chunk
        for row in self._rows.tolist():
            start, captured = chunk.dissected_start(row), int(chunk.offset[row])
            yield DissectedPacket(row, start, captured, chunk.dissect(row))

    def fields(self, names: Sequence[str]) -> list[FieldPlaces]:
        """Return all places of some fields in headers and options."""
        found: defaultdict[PlacedField, list[tuple[int, int, int]]] = defaultdict(list)
        for packet in self:
            for number, layer in packet.numbered(outermost=self._outermost):
                for name in names:
                    for slot, start in places_of(layer, name):
                        found[slot].append((packet.row, packet.base + start, number))
        return [FieldPlaces(slot, *_columns(places, 3)) for slot, places in found.items()]

    def data(self) -> BytePlaces:
        """Return the bytes that no header reads, of the innermost packet."""
        spans = ((packet.row, packet.base, packet.dissection.payload) for packet in self)
        found = [
            (row, base + span.start, base + span.stop)
            for row, base, span in spans
            if span.start < span.stop
        ]
        return BytePlaces(*_columns(found, 3))

    def spans(self, span_of: Callable[[Layer, Dissection], Iterator[Span]]) -> BytePlaces:
        """Return the captured part of the spans that `span_of` yields for every layer."""
        found: list[tuple[int, int, int, int]] = []
        for packet in self:
            for number, layer in packet.numbered(outermost=self._outermost):
                places = map(packet.place, span_of(layer, packet.dissection))
                found += ((packet.row, *place, number) for place in places)
        rows, starts, ends, numbers = _columns(found, 4)
        return BytePlaces(rows, starts, ends, numbers)

    def numbers(
        self, name: str, numbers_of: Callable[[Layer, Dissection], Iterator[int]]
    ) -> Occurrences:
        """Return the numbers that `numbers_of` yields for every layer of a protocol."""
        found = [
            (packet.row, value, number)
            for packet in self
            for number, layer in packet.numbered(outermost=self._outermost)
            if layer.name == name
            for value in numbers_of(layer, packet.dissection)
        ]
        return Occurrences(*_columns(found, 3))


def _columns(items: Sequence[tuple[int, ...]], count: int) -> list[NDArray[np.int64]]:
    table = np.array(items, dtype=np.int64).reshape(-1, count)
    return [np.ascontiguousarray(table[:, column]) for column in range(count)]


def places_of(layer: Layer, name: str) -> Iterator[tuple[PlacedField, int]]:
    """Yield the places of a field in a layer: its slot, and the start of its table's layer."""
    for table in layer.tables:
        if name.startswith(table.name):
            slot = table.get(name[len(table.name) + 1 :])
            if slot is not None and slot.name == name and layer.holds(slot):
                yield slot, layer.offset
                break
    for option in layer.options:
        for inside in option.values:
            if inside.slot.name == name:
                yield inside.slot, inside.span.start - inside.slot.span.start


_VALUES = frozenset({"ipv6.opt.padn"})
"""Options that Wireshark has without their kind and length."""


def option_spans(name: str) -> Callable[[Layer, Dissection], Iterator[Span]]:
    """Return a function that yields the spans of the options of this name."""
    before = 2 if name in _VALUES else 0

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        for option in layer.options:
            if option.name == name and option.has_end(dissection.data):
                yield Span(option.span.start + before, option.span.stop)

    return spans
