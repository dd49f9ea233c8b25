"""The bytes of fields that header tables do not have: headers, options, payloads, and messages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values import byte_fields
from core.analysis.filter.values.application_fields import dissected_messages
from core.analysis.filter.values.dissected import option_spans
from core.analysis.filter.values.option_places import COLUMN_OPTIONS, OPTION_LISTS
from core.analysis.filter.values.packet_sources import PacketSources
from core.analysis.filter.values.places import BytePlaces
from core.wire.application.payload_info import APPLICATIONS
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

PROTOCOLS_BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}


class ByteSources:
    """Places of byte strings in the packets of a chunk, by source."""

    def __init__(self, sources: PacketSources) -> None:
        self._sources = sources

    def of(self, name: str) -> list[BytePlaces]:
        """Return the places of a field that is a byte string outside the tables."""
        parent, _, last = name.rpartition(".")
        if name in PROTOCOLS_BY_NAME:
            return self.protocol(PROTOCOLS_BY_NAME[name])
        if last == "payload":
            columns = [level.payloads(PROTOCOLS_BY_NAME[parent]) for level in self._sources.levels]
            return [*columns, *self._sources.dissect(byte_fields.payload_span(parent))]
        if name in ("data", "data.data"):
            return self.data()
        if name in APPLICATIONS:
            messages = [each for level in self._sources.levels for each in level.messages(name)]
            return [*messages, dissected_messages(self._sources.inner, name)]
        if last == "options" and parent in PROTOCOLS_BY_NAME:
            owner = PROTOCOLS_BY_NAME[parent]
            columns = [level.all_options(owner) for level in self._sources.levels]
            return [*columns, *self._sources.dissect(byte_fields.options_span(parent))]
        return self._option(name)

    def protocol(self, protocol: Protocol, *, with_data: bool = False) -> list[BytePlaces]:
        """Return the bytes of a protocol's headers, `with_data` those after them, too."""
        with_data |= protocol.is_message
        spans = byte_fields.layer_span if with_data else byte_fields.header_span
        span_of = spans(protocol.name)
        if protocol.has_open_end:
            rows = self._sources.candidates(protocol)
            others = self._sources.dissected(rows).spans(span_of) if len(rows) else None
            return [*([others] if others else []), *self._sources.dissect(span_of)]
        columns = [level.protocol(protocol, with_data=with_data) for level in self._sources.levels]
        return [*columns, *self._sources.dissect(span_of)]

    def data(self) -> list[BytePlaces]:
        """Return the bytes that no header reads: of the innermost packet, in any level."""
        parts: list[BytePlaces] = []
        left: list[NDArray[np.int64]] = []
        headers = self._sources.headers
        inner = [np.zeros(0, np.int64), *(packets.rows for packets, _ in headers.inner)]
        around = np.sort(np.concatenate(inner))  # the packets with others in them
        for level in self._sources.all_levels:
            payloads = [level.payloads(each) for each in byte_fields.COLUMN_PAYLOADS.values()]
            rows = level.packets(np.flatnonzero(byte_fields.without_column_payload(level.headers)))
            without = rows
            if level.headers.inside is None:
                rows = np.setdiff1d(rows, around, assume_unique=True)
                without = np.union1d(rows, around)
            parts += [_without(each, without) for each in payloads]
            left.append(rows)
        others = self._sources.dissected(np.unique(np.concatenate(left))).data()
        dissected = [self._sources.inner.data()] if headers.has_dissected else []
        return [*parts, others, *dissected]

    def _option(self, name: str) -> list[BytePlaces]:
        """Return the bytes of the options of one name."""
        found = [each for level in self._sources.levels for each in level.options(name)]
        rows = [
            self._sources.candidates(protocol)
            for protocol, options in OPTION_LISTS
            if protocol.name not in COLUMN_OPTIONS
            and any(kind.name == name for kind in options.kinds.values())
        ]
        if rows:
            packets = self._sources.dissected(np.unique(np.concatenate(rows)))
            found.append(packets.spans(option_spans(name)))
        return [*found, *self._sources.dissect(option_spans(name))]


def _without(places: BytePlaces, rows: NDArray[np.int64]) -> BytePlaces:
    kept = ~np.isin(places.rows, rows, assume_unique=True)
    return BytePlaces(places.rows[kept], places.starts[kept], places.ends[kept])
