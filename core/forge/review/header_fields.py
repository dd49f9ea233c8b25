"""Headers of a packet as their tables have them, for who looks at bytes that are to leave."""

from __future__ import annotations

from dataclasses import dataclass

from core.wire.model.dissection import Dissection
from core.wire.model.table import HeaderTable


@dataclass(frozen=True, slots=True)
class HeaderView:
    """A header of `data` as its table has it, whatever it says of itself."""

    table: HeaderTable
    data: bytes
    offset: int

    def raw(self, key: str) -> bytes:
        """A field's value, in whole bytes."""
        slot = self.table[key]
        return slot.number(self.data, self.offset).to_bytes(slot.field.bits // 8, "big")

    def text(self, key: str) -> str:
        """A field's value as it is shown."""
        return self.table[key].text(self.table[key].number(self.data, self.offset))


def header_of(read: Dissection, *tables: HeaderTable) -> HeaderView | None:
    """The outermost of these headers of which all bytes are there."""
    for layer in read.layers:
        for table in layer.tables:
            if table in tables and layer.offset + table.stop <= len(read.data):
                return HeaderView(table, read.data, layer.offset)
    return None
