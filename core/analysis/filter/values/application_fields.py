"""``dns``, ``http``, ``tls``, …: the messages of applications inside transport payloads.

A packet has the message that its row in the packet table shows: ports and first bytes decide, as in
`core.wire.application.payload_info`. Payloads are not reassembled: a message that begins inside a
payload, or that continues one, does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.analysis.filter.values.byte_fields import (
    COLUMN_PAYLOADS,
    SpanOf,
    payload_span,
    transport_payloads,
)
from core.analysis.filter.values.chunk_headers import TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.places import BytePlaces
from core.wire.application import payload_info
from core.wire.application.payload_info import APPLICATIONS, READERS
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Span


class ApplicationMessages:
    """The messages that the columns of a chunk describe. It keeps what it found."""

    def __init__(self, headers: ChunkHeaders) -> None:
        self._headers = headers
        self._found: dict[tuple[str, str], BytePlaces] = {}

    def of(self, name: str) -> list[BytePlaces]:
        """Return the messages of an application, by the transport that carries them."""
        return [self._read_by(*each) for each in APPLICATIONS[name]]

    def _read_by(self, transport: str, reader: str) -> BytePlaces:
        if (transport, reader) not in self._found:
            self._found[transport, reader] = self._find(transport, reader)
        return self._found[transport, reader]

    def _find(self, transport: str, reader: str) -> BytePlaces:
        headers, protocol = self._headers, COLUMN_PAYLOADS[transport]
        data, table = headers.chunk.data, protocol.tables[0]
        all_headers = headers.transports(TRANSPORTS[transport])
        ports = (table[key].column(data, all_headers.starts) for key in ("srcport", "dstport"))
        is_read = payload_info.are_read(headers.chunk.decode_rules, reader, transport, *ports)
        if not is_read.any():
            none = np.zeros(0, np.int64)
            return BytePlaces(none, none, none)
        payloads = transport_payloads(headers, protocol)
        kept = np.flatnonzero(is_read[np.searchsorted(all_headers.rows, payloads.rows)])
        starts = payloads.starts[kept] + READERS[reader].start(transport)
        found = READERS[reader].are_messages(data, starts, payloads.ends[kept])
        kept = kept[found]
        return BytePlaces(payloads.rows[kept], starts[found], payloads.ends[kept])


def dissected_messages(packets: DissectedPackets, name: str) -> BytePlaces:
    """Return the messages of an application in dissected packets, numbered in each packet."""
    found = packets.spans(_message_span(name))
    first = np.searchsorted(found.rows, found.rows)
    return replace(found, numbers=np.arange(len(first)) - first + 1)


def _message_span(name: str) -> SpanOf:
    """Return a function that yields the message of an application in a transport header's data."""
    readers = dict(APPLICATIONS[name])

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        if layer.name not in readers:
            return
        reader = readers[layer.name]
        ports = (layer.number(dissection.data, key) for key in ("srcport", "dstport"))
        selected = payload_info.reader_of(dissection.decode_rules, layer.name, *ports)
        if not payload_info.may_read(reader, selected):
            return
        for start, stop in payload_span(layer.name)(layer, dissection):
            start += READERS[reader].start(layer.name)
            if READERS[reader].describe(dissection.data[start:stop]) is not None:
                yield Span(start, stop)

    return spans
