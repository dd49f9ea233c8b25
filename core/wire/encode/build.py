"""From header values back to bytes: the reverse of `core.wire.dissect`.

A packet is built innermost first, because a header's length and sum cover what it carries. A given
value always wins, also a wrong one: that is the purpose of forging. An `automatic` field without a
value is computed (`core.wire.encode.computed_fields`); any other takes its default.

``build(parts_of(dissect(frame))).data == frame``: there every value is given and none is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.wire.encode.computed_fields import NUMBER_RULES, NUMBERS, SUM_RULES, alignment
from core.wire.model.computed_number import HeaderContext
from core.wire.model.field import PlacedField, Span, Value
from core.wire.model.packet_parts import Header, Parts


class DoesNotFitError(ValueError):
    """A computed value is more than its field can hold: there are too many bytes.

    `index` is the header's place in `Parts.headers`, `slot` the field, `value` what it would hold.
    """

    def __init__(self, index: int, slot: PlacedField, value: int) -> None:
        super().__init__(f"{value}: {slot.name} is 0–{slot.maximum}")
        self.index = index
        self.slot = slot
        self.value = value


@dataclass(frozen=True, slots=True)
class BuiltField:
    """A header in the built bytes.

    `values` has every field, parts too, as it was written; `computed` names the computed ones.
    """

    header: Header
    offset: int
    length: int
    values: Mapping[str, Value]
    computed: frozenset[str]

    @property
    def body(self) -> Span:
        """The bytes after the tables: options."""
        return Span(self.offset + self.header.tables[-1].stop, self.offset + self.length)


@dataclass(frozen=True, slots=True)
class Built:
    """The bytes of a packet, and the places of its headers, payload, and trailer."""

    data: bytes
    places: tuple[BuiltField, ...]
    payload: Span
    trailer: Span


def build(parts: Parts) -> Built:
    """Put a packet together.

    Raises `DoesNotFitError` if there are more bytes than a length field can hold, `KeyError` for a
    name that no table has, and `ValueError` for a given value out of its range.
    """
    carried = parts.payload
    done: list[tuple[bytes, frozenset[str]]] = []
    for index in reversed(range(len(parts.headers))):
        emitted, computed = _emit(parts, index, carried)
        done.append((emitted, computed))
        carried = emitted + carried
    places: list[BuiltField] = []
    offset = 0
    for header, (data, computed) in zip(parts.headers, reversed(done), strict=True):
        values = {key: value for table in header.tables for key, value in table.read(data).items()}
        places.append(BuiltField(header, offset, len(data), values, computed))
        offset += len(data)
    stop = len(carried)
    return Built(
        data=carried + parts.trailer,
        places=tuple(places),
        payload=Span(offset, stop),
        trailer=Span(stop, stop + len(parts.trailer)),
    )


def _emit(parts: Parts, index: int, carried: bytes) -> tuple[bytes, frozenset[str]]:
    """Return the bytes of one header, and the names of the fields computed in it."""
    header = parts.headers[index]
    fixed = header.tables[-1].stop
    body = header.body + bytes(-(fixed + len(header.body)) % alignment(header))
    last = index + 1 == len(parts.headers)
    context = HeaderContext(
        header,
        fixed + len(body),
        carried,
        None if last else parts.headers[index + 1],
        parts.headers[:index],
        NUMBERS,
    )
    values = dict(header.values)
    for key in values:
        header.slot(key)
    open_slots = [
        slot
        for table in header.tables
        for slot in table.slots
        if slot.field.automatic and slot.key not in values
    ]
    sums = [slot for slot in open_slots if slot.name in SUM_RULES]
    for slot in open_slots:
        if slot.name in NUMBER_RULES:
            values[slot.key] = _fitting(index, slot, NUMBER_RULES[slot.name].compute(context))
    values |= {slot.key: 0 for slot in sums}
    data = header.emit(values) + body
    for slot in sums:
        values[slot.key] = SUM_RULES[slot.name](context, data)
    if sums:
        data = header.emit(values) + body
    return data, frozenset(slot.key for slot in open_slots)


def _fitting(index: int, slot: PlacedField, value: int) -> int:
    if not 0 <= value <= slot.maximum:
        raise DoesNotFitError(index, slot, value)
    return value
