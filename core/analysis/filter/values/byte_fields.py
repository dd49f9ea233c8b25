"""Fields that are bytes: a protocol's own header, lists of options, and payloads.

Columns tell where headers end that have a fixed size, or one that fields give
(`core.wire.protocol.Protocol.length_rule`); the others are dissected. A protocol's bytes end with
its header, so ``len(tcp) == 20`` asks for options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.catalog import OPTION_TABLES
from core.analysis.filter.values.chunk_headers import TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.header_list import Headers
from core.analysis.filter.values.places import BytePlaces
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause, Dissection, Layer
from core.wire.model.field import Span
from core.wire.model.table import HeaderTable
from core.wire.protocol import Protocol
from core.wire.registry import LINK_PROTOCOLS, PROTOCOLS

Offsets = NDArray[np.int64]
SpanOf = Callable[[Layer, Dissection], Iterator[Span]]


COLUMN_PAYLOADS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in PROTOCOLS
    if protocol.name in TRANSPORTS and not protocol.has_open_end
}
"""Transports whose payload begins after a header that columns describe."""


def header_span(name: str) -> SpanOf:
    """Return a function that yields the bytes of the headers of a protocol."""

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        if layer.name == name:
            stop = min(layer.offset + max(layer.header_length, 0), layer.captured)
            yield Span(layer.offset, max(layer.offset, stop))

    return spans


def layer_span(name: str) -> SpanOf:
    """Return a function that yields the bytes of a protocol's headers with the data after them.

    Link headers before the outermost network header reach to the end of the frame.
    """

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        if layer.name == name:
            end = layer.captured if layer.depth else len(dissection.data)
            yield Span(layer.offset, max(layer.offset, end))

    return spans


def options_span(name: str) -> SpanOf:
    """Return a function that yields the bytes of all options of a protocol's headers."""

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        span = layer.options_span
        if layer.name == name and span is not None and span.stop <= layer.captured:
            yield span

    return spans


def payload_span(name: str) -> SpanOf:
    """Return a function that yields the captured payloads of a protocol."""

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        if layer.name == name and layer.is_complete:
            start, stop = layer.offset + layer.header_length, layer.captured
            if start < stop:
                yield Span(start, stop)

    return spans


def protocol_headers(headers: ChunkHeaders, protocol: Protocol) -> BytePlaces:
    """Return the bytes of a protocol's headers that columns describe."""
    has_length = protocol.length_rule is not None
    tables = protocol.tables[:1] if has_length else _tables(protocol)
    found = [
        (table, each) for table in tables for each in headers.headers(protocol, table) if len(each)
    ]
    if not found:
        none = np.zeros(0, np.int64)
        return BytePlaces(none, none, none)
    rows, starts, ends, numbers = _joined(found)
    limit = headers.base[rows] + headers.limit[rows]
    if has_length:
        whole = np.flatnonzero(starts + tables[0].stop <= limit)
        ends[whole] = starts[whole] + _lengths(headers, protocol, starts[whole])
    return BytePlaces(rows, starts, np.maximum(np.minimum(ends, limit), starts), numbers)


def with_data(headers: ChunkHeaders, protocol: Protocol, found: BytePlaces) -> BytePlaces:
    """Return headers that `protocol_headers` found, each with the captured data after it."""
    limit = headers.chunk.captured if protocol in LINK_PROTOCOLS else headers.limit
    ends = headers.base[found.rows] + limit[found.rows].astype(np.int64)
    whole = np.flatnonzero(found.ends - found.starts >= protocol.tables[0].size)
    ends[whole] = _own_ends(headers, protocol, found.starts[whole], ends[whole])
    return BytePlaces(found.rows, found.starts, np.maximum(ends, found.ends), found.numbers)


def _tables(protocol: Protocol) -> tuple[HeaderTable, ...]:
    return tuple(table for table in protocol.tables if table not in OPTION_TABLES)


def _lengths(headers: ChunkHeaders, protocol: Protocol, starts: Offsets) -> Offsets:
    return protocol.header_lengths(headers.chunk.data, starts)


def _joined(
    found: list[tuple[HeaderTable, Headers]],
) -> tuple[Offsets, Offsets, Offsets, Offsets | None]:
    """Return rows, starts, ends and numbers of headers that may have several tables each."""
    table, first = found[0]
    if len(found) == 1:
        return first.rows, first.starts, first.starts + table.stop, first.numbers
    rows = np.concatenate([each.rows for _, each in found])
    starts = np.concatenate([each.starts for _, each in found])
    ends = np.concatenate([each.starts + table.stop for table, each in found])
    numbers = np.concatenate(
        [
            np.ones(len(each), np.int64) if each.numbers is None else each.numbers
            for _, each in found
        ]
    )
    order = np.lexsort((-ends, starts, rows))  # of the parts of a header, the last one first
    starts, rows = starts[order], rows[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (starts[1:] != starts[:-1]) | (rows[1:] != rows[:-1])
    return rows[is_new], starts[is_new], ends[order][is_new], numbers[order][is_new]


def all_options(headers: ChunkHeaders, protocol: Protocol) -> BytePlaces:
    """Return the bytes of all options of each header that has some."""
    found = headers_with_options(headers, protocol)
    start = found.starts + protocol.tables[0].size
    end = found.starts + _lengths(headers, protocol, found.starts)
    kept = np.flatnonzero(start < end)
    return BytePlaces(found.rows[kept], start[kept], end[kept])


def headers_with_options(headers: ChunkHeaders, protocol: Protocol) -> Headers:
    """Return the network or transport headers that are whole with their options."""
    found = headers.headers(protocol, protocol.tables[0])[0]
    if protocol.name in TRANSPORTS:
        return found
    length = _lengths(headers, protocol, found.starts)
    kept = np.flatnonzero(found.at + length <= headers.limit[found.rows])
    if len(kept) == len(found):
        return found
    return Headers(found.rows[kept], found.at[kept], found.starts[kept])


def transport_payloads(headers: ChunkHeaders, protocol: Protocol) -> BytePlaces:
    """Return the captured payloads, at least one byte each, of one of `COLUMN_PAYLOADS`."""
    found = headers.transports(TRANSPORTS[protocol.name])
    ends = headers.base[found.rows] + headers.limit[found.rows]
    if protocol.length_rule is not None or len(_tables(protocol)) == 1:
        payload = found.starts + _lengths(headers, protocol, found.starts)
    else:
        header = protocol_headers(headers, protocol)
        payload = header.ends[np.searchsorted(header.rows, found.rows)]
    ends = _own_ends(headers, protocol, found.starts, ends)
    kept = np.flatnonzero(payload < ends)
    return BytePlaces(found.rows[kept], payload[kept], ends[kept])


def _own_ends(headers: ChunkHeaders, protocol: Protocol, starts: Offsets, ends: Offsets) -> Offsets:
    """Return `ends`, or what the length fields of the headers at `starts` say, if that is less."""
    if not (key := protocol.total_length_key):
        return ends
    total = protocol.tables[0][key].column(headers.chunk.data, starts).astype(np.int64)
    return np.where(total > 0, np.minimum(ends, starts + total), ends)


def without_column_payload(headers: ChunkHeaders) -> NDArray[np.bool_]:
    """Return a mask (n,) of packets whose ``data`` no column describes."""
    chunk = headers.chunk
    cause = chunk.state & np.uint8(HeaderState.CAUSE_MASK)
    mask: NDArray[np.bool_] = (cause == Cause.MALFORMED) | (cause == Cause.TRUNCATED)
    known = chunk.network == Network.ARP  # addresses, and nothing after them
    for name in COLUMN_PAYLOADS:
        known |= headers.has_transport(TRANSPORTS[name])
    mask |= ~known
    mask &= ~headers.dissected
    return mask
