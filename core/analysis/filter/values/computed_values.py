"""Fields that are not in a packet as they are: computed numbers and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce

import numpy as np

from core.analysis.filter.types import Occurrences, Spans
from core.analysis.filter.values.chunk_headers import TRANSPORTS
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.packet_levels import PacketLevel
from core.analysis.filter.values.places import merged
from core.wire.model.batch import HeaderState
from core.wire.model.dissection import Dissection, Layer
from core.wire.protocol import DerivedField, Protocol
from core.wire.registry import PROTOCOLS
from core.wire.transport.tcp import TCP

DERIVED: Mapping[str, tuple[Protocol, DerivedField]] = {
    derived.name: (protocol, derived) for protocol in PROTOCOLS for derived in protocol.derived
}
"""Numbers that follow from a whole packet, by name."""

_LETTERS = "RRRACEUAPRSF"  # of the TCP flags, the most significant first
_NOT_SET = "·"


def tcp_flag_text(flags: int) -> str:
    """Return the letters of a value of ``tcp.flags``."""
    bits = range(len(_LETTERS) - 1, -1, -1)
    return "".join(
        letter if flags >> bit & 1 else _NOT_SET for bit, letter in zip(bits, _LETTERS, strict=True)
    )


def flag_texts(flags: Occurrences) -> Occurrences:
    """Return ``·······AP···`` for each value of ``tcp.flags``, as Wireshark writes it."""
    assert not isinstance(flags.values, Spans)
    different, places = np.unique(flags.values, return_inverse=True)
    texts = np.array([tcp_flag_text(each) for each in different.tolist()], dtype=object)
    return Occurrences(flags.rows, texts[places], flags.layers)


def lengths(found: Occurrences) -> Occurrences:
    """Return the lengths of byte strings."""
    assert isinstance(found.values, Spans)
    return Occurrences(found.rows, found.values.ends - found.values.starts, found.layers)


def _segment_lengths(level: PacketLevel) -> Occurrences:
    """Return the payload lengths of TCP segments, captured or not; fragments have none."""
    headers = level.headers
    parts = []
    for is_whole in (True, False):
        found = headers.transports(TRANSPORTS["tcp"], is_whole=is_whole)
        kept = headers.chunk.state[found.rows] & np.uint8(HeaderState.FRAGMENT) == 0
        readable = headers.readable(found, TCP["hdr_len"])
        if readable is not None:
            kept &= np.isin(np.arange(len(found)), readable)
        rows, at = found.rows[kept], found.at[kept]
        size = TCP["hdr_len"].column(headers.chunk.data, found.starts[kept]).astype(np.int64)
        length = np.maximum(headers.chunk.stop[rows] - at - size, 0)
        parts.append(Occurrences(level.packets(rows), length))
    return merged(*parts)


_BY_COLUMNS: Mapping[str, Callable[[PacketLevel], Occurrences]] = {"tcp.len": _segment_lengths}


def derived(levels: Sequence[PacketLevel], inner: DissectedPackets, name: str) -> Occurrences:
    """Return the values of a derived number in `DERIVED`."""
    protocol, number = DERIVED[name]
    headers = levels[0].headers

    def of_layer(layer: Layer, dissection: Dissection) -> Iterator[int]:
        value = number.value(layer, dissection)
        if value is not None:
            yield value

    if name in _BY_COLUMNS:
        found = reduce(merged, map(_BY_COLUMNS[name], levels))
        if headers.has_dissected:
            found = merged(found, inner.numbers(protocol.name, of_layer))
        return found
    packets = DissectedPackets(headers.chunk, np.arange(len(headers.chunk)))
    return packets.numbers(protocol.name, of_layer)
