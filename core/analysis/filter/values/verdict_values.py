"""The verdicts on checksums as values of ``*.checksum.status``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.wireshark_types import VERDICT_NUMBERS
from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.chunk_headers import NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.places import merged
from core.decode.verdicts import network_verdicts, transport_verdicts
from core.wire.model.dissection import Dissection, Layer, Verdict
from core.wire.protocol import Protocol

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
        column = network_verdicts(chunk) if len(rows) else column
    elif name in TRANSPORTS:
        rows = headers.described(headers.has_transport(TRANSPORTS[name]))
        column = transport_verdicts(chunk) if len(rows) else column
    else:  # only in tunnels
        rows = np.zeros(0, np.int64)
    rows = rows[column[rows] != Verdict.NONE]
    found = Occurrences(rows, _NUMBERS[column[rows]])
    return merged(found, inner.numbers(name, _of_layer)) if headers.has_dissected else found


def _of_layer(layer: Layer, dissection: Dissection) -> Iterator[int]:
    for check in layer.checks:
        if check.verdict is not Verdict.NONE:
            yield VERDICT_NUMBERS[check.verdict]
