"""Header tables: a protocol header declared once, and everything that reads the declaration.

Theory
------
A fixed header is a run of big-endian bit fields; RFCs draw it as a picture. A
`HeaderTable` is that picture as data: the fields in wire order with their widths.
Offsets, masks and shifts are counted from the widths, so none is ever written by hand,
and a width that is wrong moves every later field, which tests then see.

The readers
-----------
==================  ==========================================================
`PlacedField.read`         one value of one packet
`PlacedField.column`       the same value of a whole batch, as a numpy column
`HeaderTable.emit`  values back to bytes
`PlacedField.span`         the bytes a value lives in, for the hex view
`PlacedField.text`         the value for the user: the detail tree
`PlacedField.json`         the value for a program: ``dump --json``
`PlacedField.maximum`      the range of a form input
`PlacedField.name`         the name in filters, JSON, completions and documentation
==================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from core.wire.model.compiled import compile_readers
from core.wire.model.field import BytesLike, Field, PlacedField, Value

Condition: TypeAlias = tuple[str, frozenset[int]]
"""A field, by its name inside the table, and those of its values for which something holds."""


class HeaderTable:
    """A fixed header: its fields in wire order. See the module's text.

    `name` is Wireshark's protocol name and the prefix of every field name; `title` is shown to the
    user; `spec` names the document that draws the header. `start` is the byte, counted from the
    start of the layer, where this table begins: headers whose later words depend on an earlier one
    (ICMP's on its type) are one table for the common part and one for each continuation, with
    `start` set and `when` naming the earlier field and its values.

    `stop` is one past its last byte, counted from the start of the layer. `values` and
    `json_values` read the fields of a whole header at once, ``(data, offset) -> (value, …)``, as
    `PlacedField.read` and `PlacedField.json` do one by one.

    Raises `ValueError` if the fields do not end on a byte or two share a name.
    """

    def __init__(
        self,
        name: str,
        title: str,
        spec: str,
        *fields: Field,
        start: int = 0,
        when: Condition | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.spec = spec
        self.start = start
        self.when = when
        self.fields = fields
        bits = sum(field.bits for field in fields)
        if bits % 8:
            raise ValueError(f"{name}: {bits} bits do not end on a byte")
        self.size = bits // 8
        self.slots: tuple[PlacedField, ...] = tuple(self._place(fields, name, 0, 0, None))
        self.stop = start + self.size
        self.names: tuple[str, ...] = tuple(slot.name for slot in self.slots)
        self.values, self.json_values = compile_readers(self.slots, start)
        self._by_key = {slot.key: slot for slot in self.slots}
        if len(self._by_key) != len(self.slots):
            raise ValueError(f"{name}: two fields share a name")

    def _place(
        self,
        fields: tuple[Field, ...],
        prefix: str,
        bit: int,
        level: int,
        parent: PlacedField | None,
    ) -> Iterator[PlacedField]:
        for field in fields:
            slot = PlacedField(self, field, f"{prefix}.{field.name}", bit, level, parent)
            yield slot
            if field.parts:
                if sum(part.bits for part in field.parts) != field.bits:
                    raise ValueError(f"{slot.name}: parts do not add up to {field.bits} bits")
                yield from self._place(field.parts, slot.name, bit, level + 1, slot)
            bit += field.bits

    def __getitem__(self, key: str) -> PlacedField:
        """Return the field with this name inside the table (``flags.df``). Raises `KeyError`."""
        return self._by_key[key]

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def get(self, key: str) -> PlacedField | None:
        """Return the field with this name inside the table, or None."""
        return self._by_key.get(key)

    def __repr__(self) -> str:
        return f"HeaderTable({self.name!r}, {self.size} bytes)"

    def read(self, data: BytesLike, offset: int = 0) -> dict[str, Value]:
        """Return every field's value by its name inside the table; all bytes must be there."""
        return dict(zip(self._by_key, self.values(data, offset), strict=True))

    def emit(self, values: Mapping[str, Value]) -> bytes:
        """Return the header's bytes. Fields not in `values` take their default.

        `values` go by the name inside the table. A part overrides the bits of its parent. Raises
        `KeyError` for an unknown name and `ValueError` for a value out of range or not a multiple
        of the field's unit.
        """
        number = 0
        total = self.size * 8
        for name in values:
            self._by_key[name]
        for slot in self.slots:
            if slot.key in values:
                wire = _wire(slot, values[slot.key])
            elif slot.parent is None or (slot.field.default and slot.parent.key not in values):
                wire = slot.field.default // slot.field.unit
            else:
                continue
            shift = total - slot.first_bit - slot.field.bits
            number &= ~(((1 << slot.field.bits) - 1) << shift)
            number |= wire << shift
        return number.to_bytes(self.size, "big")


def continuations(tables: Iterable[HeaderTable], number: int) -> tuple[HeaderTable, ...]:
    """Return those of `tables` that continue a header in which their `when` field is `number`."""
    return tuple(table for table in tables if table.when and number in table.when[1])


def _wire(slot: PlacedField, value: Value) -> int:
    if isinstance(value, bytes):
        if len(value) * 8 != slot.field.bits:
            raise ValueError(f"{slot.name} takes {slot.field.bits // 8} bytes, not {len(value)}")
        return int.from_bytes(value, "big")
    if not 0 <= value <= slot.maximum:
        raise ValueError(f"{value}: {slot.name} is 0–{slot.maximum}")
    if value % slot.field.unit:
        raise ValueError(f"{value}: {slot.name} is a multiple of {slot.field.unit}")
    return value // slot.field.unit
