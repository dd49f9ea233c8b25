"""``dns``, ``mdns``, and ``llmnr``: the messages of an application inside transport payloads.

Ports select the protocol, as in `core.wire.application.payload_info`, and the bytes have to be a
message. HTTP and TLS have no field: Wireshark's depend on reassembly, which rawscope does not do.
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
from core.wire.application import dns, payload_info
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Span

NAMES = tuple(name.lower() for name in dns.PORTS.values())
"""The applications whose messages are fields."""
_READERS = payload_info.READERS.values()
_IS_NAMED = np.array([False, *(name in NAMES for name in payload_info.READER_NAMES)])
_START = {  # of the message in a payload, by the reader's number
    transport: np.array([0, *(reader.start(transport) for reader in _READERS)])
    for transport in payload_info.TRANSPORTS
}


class ApplicationMessages:
    """The messages that the columns of a chunk describe. It keeps what it found."""

    def __init__(self, headers: ChunkHeaders) -> None:
        self._headers = headers
        self._found: list[dict[str, BytePlaces]] = []

    def of(self, name: str) -> list[BytePlaces]:
        """Return the messages of an application, by the transport that carries them."""
        if not self._found:
            self._found = [self._by_name(transport) for transport in payload_info.TRANSPORTS]
        return [found[name] for found in self._found if name in found]

    def _by_name(self, transport: str) -> dict[str, BytePlaces]:
        headers, protocol = self._headers, COLUMN_PAYLOADS[transport]
        data, table = headers.chunk.data, protocol.tables[0]
        all_headers = headers.transports(TRANSPORTS[transport])
        source, destination = (
            table[key].column(data, all_headers.starts) for key in ("srcport", "dstport")
        )
        readers = payload_info.readers_of(transport, source, destination)
        if not readers.any():
            return {}
        payloads = transport_payloads(headers, protocol)
        readers = readers[np.searchsorted(all_headers.rows, payloads.rows)]
        starts = payloads.starts + _START[transport][readers]
        kept = np.flatnonzero(_IS_NAMED[readers])
        kept = kept[dns.are_messages(data, starts[kept], payloads.ends[kept])]
        found: dict[str, BytePlaces] = {}
        for number in np.unique(readers[kept]).tolist():
            index = kept[readers[kept] == number]
            found[payload_info.READER_NAMES[number - 1]] = BytePlaces(
                payloads.rows[index], starts[index], payloads.ends[index]
            )
        return found


def dissected_messages(packets: DissectedPackets, name: str) -> BytePlaces:
    """Return the messages of an application in dissected packets, numbered in each packet."""
    found = packets.spans(_message_span(name))
    first = np.searchsorted(found.rows, found.rows)
    return replace(found, numbers=np.arange(len(first)) - first + 1)


def _message_span(name: str) -> SpanOf:
    """Return a function that yields the message of an application in a transport header's data."""

    def spans(layer: Layer, dissection: Dissection) -> Iterator[Span]:
        if layer.name not in payload_info.TRANSPORTS:
            return
        ports = (layer.number(dissection.data, key) for key in ("srcport", "dstport"))
        if payload_info.reader_of(layer.name, *ports) != name:
            return
        for start, stop in payload_span(layer.name)(layer, dissection):
            start += payload_info.READERS[name].start(layer.name)
            if dns.is_message(dissection.data[start:stop]):
                yield Span(start, stop)

    return spans
