"""Every header table, and every reader of it: all agree for any bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.model.field import Field
from core.wire.model.kind import Kind, address_text
from core.wire.model.table import HeaderTable
from core.wire.registry import TABLES

SLOTS = [slot for table in TABLES for slot in table.slots]

tables = st.sampled_from(TABLES)


@settings(max_examples=300)
@given(st.data())
def test_emit_restores_the_bytes_that_read_took(data) -> None:
    table = data.draw(tables)
    header = data.draw(st.binary(min_size=table.size, max_size=table.size))
    assert table.emit(table.read(bytes(table.start) + header)) == header


@settings(max_examples=300)
@given(st.data())
def test_the_compiled_readers_agree_with_the_slots(data) -> None:
    table = data.draw(tables)
    offset = data.draw(st.integers(0, 3))
    frame = data.draw(st.binary(min_size=offset + table.stop, max_size=offset + table.stop + 3))
    one_by_one = tuple(slot.read(frame, offset) for slot in table.slots)
    assert table.values(frame, offset) == one_by_one
    as_json = tuple(map(lambda slot, value: slot.json(value), table.slots, one_by_one))
    found = table.json_values(frame, offset)
    assert found == as_json
    assert [type(value) for value in found] == [type(value) for value in as_json]


def test_every_table_is_compiled_rightly() -> None:
    """All ones and a running pattern, through each."""
    for table in TABLES:
        for frame in (b"\xff" * table.stop, bytes(range(1, 1 + table.stop))):
            assert table.values(frame, 0) == tuple(slot.read(frame) for slot in table.slots)


@settings(max_examples=300)
@given(st.data())
def test_a_column_holds_what_read_gives(data) -> None:
    slot = data.draw(st.sampled_from([s for s in SLOTS if s.field.kind is not Kind.BYTES]))
    table = slot.table
    rows = data.draw(st.lists(st.binary(min_size=table.stop, max_size=table.stop), max_size=4))
    canary = b"\xa5"
    buffer = canary + canary.join(rows) + canary
    offsets = np.array([1 + i * (table.stop + 1) for i in range(len(rows))], dtype=np.int64)
    column = slot.column(np.frombuffer(buffer, dtype=np.uint8), offsets)
    if slot.field.bits > 64:
        found = [int(high) << 64 | int(low) for high, low in column]
    else:
        found = [int(value) for value in column]
    assert found == [slot.read(row) for row in rows]


def test_every_field_lies_inside_its_table() -> None:
    for slot in SLOTS:
        assert slot.table.start <= slot.span.start < slot.span.stop <= slot.table.stop
        assert slot.name == f"{slot.table.name}.{slot.key}"
        if slot.parent is not None:
            assert slot.name.startswith(f"{slot.parent.name}.")


def test_widths_are_those_of_the_standards() -> None:
    sizes = {"eth": 14, "vlan": 4, "ip": 20, "ipv6": 40, "tcp": 20, "udp": 8, "sctp": 12}
    first = {}
    for table in TABLES:
        first.setdefault(table.name, table.size)
    assert {name: first[name] for name in sizes} == sizes


def test_emit_refuses_wrong_values() -> None:
    table = HeaderTable("x", "X", "none", Field("a", 4, "A", unit=4), Field("b", 12, "B"))
    assert table.emit({"a": 20, "b": 1}) == b"\x50\x01"
    for values in ({"a": 21}, {"a": 64}, {"b": 1 << 12}):
        with pytest.raises(ValueError, match=r"x\."):
            table.emit(values)
    with pytest.raises(KeyError):
        table.emit({"c": 1})


def test_parts_override_their_parent() -> None:
    inner = (Field("high", 4, "High"), Field("low", 4, "Low"))
    table = HeaderTable("x", "X", "none", Field("a", 8, "A", parts=inner))
    assert table.emit({"a": 0xFF, "a.low": 0}) == b"\xf0"


@pytest.mark.parametrize(
    "fields",
    [
        (Field("a", 7, "A"),),
        (Field("a", 8, "A"), Field("a", 8, "A")),
        (Field("a", 8, "A", parts=(Field("b", 7, "B"),)),),
    ],
    ids=["not whole bytes", "same name", "parts do not add up"],
)
def test_a_wrong_table_cannot_be_made(fields) -> None:
    with pytest.raises(ValueError, match=r"bits|name"):
        HeaderTable("x", "X", "none", *fields)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "::1"),
        (0x20010DB8 << 96 | 1, "2001:db8::1"),
        (0xFFFF << 32 | 0xC0000201, "::ffff:192.0.2.1"),
        (0, "::"),
    ],
)
def test_ipv6_text(number, text) -> None:
    assert address_text(Kind.IPV6, number) == text
