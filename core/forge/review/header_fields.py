"""Read header fields of bytes that are to leave, at the places that their tables give."""

from __future__ import annotations

from dataclasses import dataclass

from core.wire.model.dissection import Dissection
from core.wire.model.table import HeaderTable


@dataclass(frozen=True, slots=True)
class HeaderView:
    """A header in `data` as its table describes it, whatever its own length fields say."""

    table: HeaderTable
    data: bytes
    offset: int

    def raw(self, key: str) -> bytes:
        """Return a field's value, in whole bytes."""
        slot = self.table[key]
        return slot.number(self.data, self.offset).to_bytes(slot.field.bits // 8, "big")

    def text(self, key: str) -> str:
        """Return a field's value as text."""
        return self.table[key].text(self.table[key].number(self.data, self.offset))


def header_of(read: Dissection, *tables: HeaderTable) -> HeaderView | None:
    """Return the outermost of these headers whose bytes are all present, or None."""
    for layer in read.layers:
        for table in layer.tables:
            if table in tables and layer.offset + table.stop <= len(read.data):
                return HeaderView(table, read.data, layer.offset)
    return None
