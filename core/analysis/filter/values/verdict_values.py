"""The verdicts on checksums as values of ``*.checksum.status``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.fields.wireshark_types import VERDICT_NUMBERS
from core.analysis.filter.types import Occurrences
from core.analysis.filter.values.chunk_headers import NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.packet_levels import PacketLevel
from core.analysis.filter.values.places import merged
from core.decode.verdicts import network_verdicts, transport_verdicts
from core.wire.model.dissection import Dissection, Layer, Verdict
from core.wire.protocol import Protocol

_NUMBERS = np.zeros(16, np.uint8)
for _verdict, _value in VERDICT_NUMBERS.items():
    _NUMBERS[_verdict] = _value


def verdicts(
    levels: Sequence[PacketLevel], inner: DissectedPackets, protocol: Protocol
) -> Occurrences:
    """Return the verdict on each checksum of a protocol that a packet has."""
    found = _outermost(levels[0].headers, protocol)
    for level in levels[1:]:
        found = merged(found, _inside(level, protocol))
    if levels[0].headers.has_dissected:
        found = merged(found, inner.numbers(protocol.name, _of_layer))
    return found


def _inside(level: PacketLevel, protocol: Protocol) -> Occurrences:
    """Return the verdicts on the checksums of inner packets; of quoted ones none is verified."""
    if not level.headers.are_quoted:
        found = _outermost(level.headers, protocol)
        numbers = level.numbers(found.rows, None, protocol)
        return Occurrences(level.packets(found.rows), found.values, numbers)
    slot = protocol.tables[0].get("checksum")
    found = Occurrences(np.zeros(0, np.int64), np.zeros(0, np.uint8))
    for each in level.fields(slot) if slot else ():
        verdict = np.full(len(each.rows), _NUMBERS[Verdict.UNVERIFIED])
        found = merged(found, Occurrences(each.rows, verdict, each.numbers))
    return found


def _outermost(headers: ChunkHeaders, protocol: Protocol) -> Occurrences:
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
    return Occurrences(rows, _NUMBERS[column[rows]])


def _of_layer(layer: Layer, dissection: Dissection) -> Iterator[int]:
    for check in layer.checks:
        if check.verdict is not Verdict.NONE:
            yield VERDICT_NUMBERS[check.verdict]
