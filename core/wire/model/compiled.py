"""The compiled readers of a header table: every field of a header in one call.

Theory
------
Reading a header field by field costs a call for each, and a header has twenty. `compile_readers`
writes a function for a table, as `collections.namedtuple` does for its classes: one `struct` takes
the header apart into *runs*, the shortest rows of fields that begin and end on a byte, and each
field is a shift and a mask of its run::

    IPv4:  >BBHHHBBH4s4s   (w0 >> 4 & 15, (w0 & 15) * 4, w1, w1 >> 2 & 63, w1 & 3, w2, …)

There are two such functions: one returns values, the other the same as JSON has them. All numbers
in them come from the table's fields, and tests compare both with `PlacedField.read` and
`PlacedField.json` for every table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any

from core.wire.model.kind import ADDRESS_TEXTS, Kind

if TYPE_CHECKING:
    from core.wire.model.field import PlacedField

TableReader = Callable[[Any, int], tuple[Any, ...]]

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}  # bytes of a run that struct makes a number of
_NAMES = {"number": int.from_bytes, **{text.__name__: text for text in ADDRESS_TEXTS.values()}}


class _FieldRun:
    """Consecutive fields that begin and end on a byte; `name` is the variable that holds them."""

    def __init__(self, name: str, slot: PlacedField) -> None:
        self.name = name
        self.first_bit = slot.first_bit
        self.bits = slot.field.bits
        self._whole = slot.field.kind is Kind.BYTES or slot.field.kind in ADDRESS_TEXTS

    @property
    def code(self) -> str:
        """The struct code of the run."""
        size = self.bits // 8
        return f"{size}s" if self._whole or size not in _CODES else _CODES[size]

    def value(self, slot: PlacedField) -> str:
        """Return the expression for a field's value."""
        field = slot.field
        if field.kind is Kind.BYTES:
            return self.name
        text = f"number({self.name}, 'big')" if self.code.endswith("s") else self.name
        shift = self.first_bit + self.bits - slot.first_bit - field.bits
        if shift:
            text += f" >> {shift}"
        if shift + field.bits < self.bits:
            text += f" & {(1 << field.bits) - 1}"  # >> binds closer
        return f"({text}) * {field.unit}" if field.unit != 1 else text

    def json(self, slot: PlacedField) -> str:
        """Return the expression for the value as JSON has it."""
        kind = slot.field.kind
        if kind is Kind.BYTES:
            return f"{self.name}.hex()"
        if kind in ADDRESS_TEXTS:
            return f"{ADDRESS_TEXTS[kind].__name__}({self.name})"
        value = self.value(slot)
        return f"({value}) != 0" if kind is Kind.FLAG else value


def compile_readers(slots: Sequence[PlacedField], start: int) -> tuple[TableReader, TableReader]:
    """Return the functions ``(data, offset) -> (value, …)`` for values and for JSON.

    `slots` are those of a table, in order; `start` is the table's offset in its layer. The caller
    of these functions has checked that the whole header is there.
    """
    runs: list[_FieldRun] = []
    places: list[tuple[PlacedField, _FieldRun]] = []
    for slot in slots:
        if slot.parent is None:
            if not runs or runs[-1].bits % 8 == 0:
                runs.append(_FieldRun(f"w{len(runs)}", slot))
            else:
                runs[-1].bits += slot.field.bits
        places.append((slot, runs[-1]))
    unpack = Struct(">" + "".join(run.code for run in runs)).unpack_from
    parameters = ", ".join(run.name for run in runs)

    def compiled(expressions: list[str]) -> TableReader:
        source = f"lambda {parameters}: ({''.join(text + ', ' for text in expressions)})"
        take = eval(source, dict(_NAMES))
        return lambda data, offset: take(*unpack(data, offset + start))

    values = compiled([run.value(slot) for slot, run in places])
    return values, compiled([run.json(slot) for slot, run in places])
