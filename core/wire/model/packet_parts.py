"""A packet in parts, from which `build` makes bytes, and the parts of a dissected packet.

A `Header` is the tables of one layer, the given values, and its *body*: the bytes of the layer that
are in no table (options, the addresses of a routing header). The *trailer* is the bytes after the
outermost packet in its frame (Ethernet's padding, a check sequence).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import PlacedField, Value
from core.wire.model.table import HeaderTable


@dataclass(frozen=True, slots=True)
class Header:
    """One layer. `values` go by the name inside the table (``flags.df``); the rest are open."""

    tables: tuple[HeaderTable, ...]
    values: Mapping[str, Value] = field(default_factory=dict)
    body: bytes = b""

    @property
    def name(self) -> str:
        """The protocol, as Wireshark names it."""
        return self.tables[0].name

    def slot(self, key: str) -> PlacedField:
        """Return the field of this name inside the tables. Raises `KeyError`."""
        for table in self.tables:
            if key in table:
                return table[key]
        raise KeyError(f"{self.name}.{key}")

    def value(self, key: str) -> Value:
        """Return the given value of a field, else its default."""
        given = self.values.get(key)
        return self.slot(key).field.default if given is None else given

    def address(self, key: str) -> bytes:
        """Return the bytes of an address by its given value, else its default."""
        value = self.value(key)
        size = self.slot(key).field.bits // 8
        return value if isinstance(value, bytes) else value.to_bytes(size, "big")

    @property
    def written(self) -> bytes:
        """The header's bytes without its computed fields, which do not affect addresses."""
        return self.emit(self.values) + self.body

    def emit(self, values: Mapping[str, Value]) -> bytes:
        """Return the tables filled with `values`, without the body; see `HeaderTable.emit`."""
        return b"".join(
            table.emit({key: value for key, value in values.items() if key in table})
            for table in self.tables
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """A packet to build: headers from the outermost in, then bytes."""

    headers: tuple[Header, ...]
    payload: bytes = b""
    trailer: bytes = b""


def parts_of(dissection: Dissection) -> Parts:
    """Return the parts of a dissected packet, with every value given.

    Bytes after the last whole header are payload, up to the end of the packet.
    """
    data = dissection.data
    headers: list[Header] = []
    after = 0
    for layer in dissection.layers:
        if layer.offset != after or not _is_whole(layer, data):
            break
        after = layer.offset + layer.header_length
        headers.append(_header(layer, data))
    trailer = dissection.trailer
    stop = trailer.start if trailer.stop else len(data)
    stop = max(after, stop)
    return Parts(tuple(headers), data[after:stop], data[stop:])


def _is_whole(layer: Layer, data: bytes) -> bool:
    """Return True if the tables, and the length that the header gives itself, are all there."""
    stop = layer.tables[-1].stop
    end = layer.offset + layer.header_length
    return layer.last is None and stop <= layer.header_length and end <= len(data)


def _header(layer: Layer, data: bytes) -> Header:
    values = {
        slot.key: slot.read(data, layer.offset)
        for table in layer.tables
        for slot in table.slots
        if slot.parent is None
    }
    start = layer.offset + layer.tables[-1].stop
    return Header(layer.tables, values, data[start : layer.offset + layer.header_length])
