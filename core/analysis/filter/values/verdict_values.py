"""The verdicts on checksums as values of ``*.checksum.status``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.wireshark_types import VERDICT_NUMBERS
from core.analysis.filter.types import Occurrences, Spans
from core.analysis.filter.values.chunk_headers import NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.decode.verdicts import fill
from core.wire.model.dissection import Verdict
from core.wire.protocol import Protocol

_TRANSPORT_SHIFT = 4
_NUMBERS = np.zeros(16, np.uint8)
for _verdict, _value in VERDICT_NUMBERS.items():
    _NUMBERS[_verdict] = _value


def verdicts(headers: ChunkHeaders, inner: DissectedPackets, protocol: Protocol) -> Occurrences:
    """Return the verdict on each checksum of a protocol that a packet has."""
    chunk = headers.chunk
    name = protocol.name
    column: NDArray[np.uint8] = np.zeros(len(chunk), np.uint8)
    if name in NETWORKS:
        rows = headers.described(chunk.network == NETWORKS[name])
        column = fill(chunk) & np.uint8(0x0F) if len(rows) else column
    elif name in TRANSPORTS:
        rows = headers.described(headers.has_transport(TRANSPORTS[name]))
        column = fill(chunk) >> np.uint8(_TRANSPORT_SHIFT) if len(rows) else column
    else:  # only in tunnels
        rows = np.zeros(0, np.int64)
    rows = rows[column[rows] != Verdict.NONE]
    found = Occurrences(rows, _NUMBERS[column[rows]])
    return _with_inner(found, inner, name) if headers.has_dissected else found


def _with_inner(found: Occurrences, inner: DissectedPackets, name: str) -> Occurrences:
    more = [
        (packet.row, VERDICT_NUMBERS[check.verdict], number)
        for packet in inner
        for number, layer in packet.numbered()
        if layer.name == name
        for check in layer.checks
        if check.verdict is not Verdict.NONE
    ]
    if not more:
        return found
    added = np.array(more, dtype=np.int64)
    assert not isinstance(found.values, Spans)
    rows = np.concatenate((found.rows, added[:, 0]))
    order = np.argsort(rows, kind="stable")
    values = np.concatenate((found.values, added[:, 1]))[order]
    numbers = np.concatenate((np.ones(len(found.rows), np.int64), added[:, 2]))[order]
    return Occurrences(rows[order], values, numbers)
