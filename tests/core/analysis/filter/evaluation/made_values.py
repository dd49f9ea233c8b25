"""Values of fields as the tests write them: for each packet a list of occurrences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.analysis.filter.types import (
    ADDRESS_BYTES,
    FilterType,
    Occurrences,
    Spans,
    Values,
)
from tests.core.analysis.filter.toy_catalog import TOY

_T = FilterType
Packet = Mapping[str, Sequence[Any]]
"""The values of each field in one packet, in order; absent fields may be left out.

Integers, floats, and times are numbers, texts `str`, and everything else `bytes`.
"""


def spans(items: Sequence[bytes]) -> Spans:
    """Return byte strings in one buffer, with a byte between them that belongs to none."""
    data, starts, ends = bytearray(b"."), [], []
    for item in items:
        starts.append(len(data))
        data += item
        ends.append(len(data))
        data += b"."
    return Spans(
        np.frombuffer(bytes(data), np.uint8),
        np.array(starts, dtype=np.int64),
        np.array(ends, dtype=np.int64),
    )


def array(kind: FilterType, items: Sequence[Any]) -> Values:
    """Return values of a type as `Occurrences` has them."""
    if kind.is_byte_string:
        return spans(items)
    if kind is _T.IPV4:
        return np.array([int.from_bytes(each, "big") for each in items], dtype=np.uint32)
    if kind.is_address:
        width = ADDRESS_BYTES[kind]
        return np.frombuffer(b"".join(items), np.uint8).reshape(len(items), width)
    if kind is _T.STRING:
        texts = np.empty(len(items), dtype=object)
        texts[:] = items
        return texts
    if kind.is_float:
        return np.array(items, dtype=np.float64)
    if kind.is_unsigned:
        return np.array(items, dtype=f"u{max(1, kind.bits // 8)}")
    return np.array(items, dtype=np.int64)


class MadeValues:
    """`FieldValues` of packets that a test made; the n-th occurrence is in the n-th header."""

    def __init__(self, packets: Sequence[Packet]) -> None:
        self.packets = packets
        self.read: list[str] = []

    def __len__(self) -> int:
        return len(self.packets)

    def occurrences(self, name: str, *, with_layers: bool = False) -> Occurrences:
        self.read.append(name)
        field = TOY.find(name)
        assert field is not None
        return self._found(name, field.type, with_layers)

    def raw(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return the bytes of integers; the tests need no others."""
        field = TOY.find(name)
        assert field is not None
        width = field.type.bits // 8
        found = self._found(name, field.type, with_layers)
        items = [int(value).to_bytes(width, "big") for value in np.asarray(found.values)]
        return Occurrences(found.rows, spans(items), found.layers)

    def with_data(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return the occurrences: a test writes the bytes that the filter is to search."""
        return self.occurrences(name, with_layers=with_layers)

    def _found(self, name: str, kind: FilterType, with_layers: bool) -> Occurrences:
        rows, layers, items = [], [], []
        for row, packet in enumerate(self.packets):
            for layer, item in enumerate(packet.get(name, ()), 1):
                rows.append(row)
                layers.append(layer)
                items.append(item)
        return Occurrences(
            np.array(rows, dtype=np.int64),
            array(kind, items),
            np.array(layers, dtype=np.int64) if with_layers else None,
        )
