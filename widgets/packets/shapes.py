"""The steps in which the packet table drops columns, from all of them to the fewest.

A field that is empty in all packets up to now goes first. Then go the interface and the length, the
other fields, the widest first, the time, and the addresses, which then precede the Info text. The
field that the user added last stays unless it is empty: it gets narrower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from widgets.packets.column_choice import WIDTH_MOST, Column, ColumnName

INFO_LEAST = 16  # with less for Info, the table drops a column
INFO_READABLE = 24  # with less for Info, long addresses get narrower than a MAC address
INFO_WITH_ADDRESSES = 36  # two IPv4 addresses, and some text
INFO_NARROWEST = 8  # beside the field that the user added last
PROTECTED_WIDTHS = (16, 10)  # cells that are enough for that field
HEADING_MOST = 14  # a longer name of a field widens its column only while Info has room


@dataclass(frozen=True, slots=True)
class Shape:
    """One step of dropping columns; it is chosen if Info has at least `info_least` cells."""

    time_decimals: int = 6
    without: frozenset[Column] = field(default_factory=frozenset)
    info_least: int = INFO_LEAST
    heading_most: int = HEADING_MOST
    protected_most: int = WIDTH_MOST  # cells of the field that is not left out


_IFACE, _LEN, _TIME = ColumnName.INTERFACE, ColumnName.LENGTH, ColumnName.TIME
ADDRESSES: frozenset[Column] = frozenset({ColumnName.SOURCE, ColumnName.DESTINATION})
_BEFORE_FIELDS: frozenset[Column] = frozenset({_IFACE, _LEN})
SHAPES = (
    Shape(),
    Shape(3),
    Shape(3, frozenset({_IFACE})),
    Shape(3, frozenset({_IFACE, _LEN})),
    Shape(3, frozenset({_IFACE, _LEN, _TIME})),
    Shape(3, frozenset({_IFACE, _LEN}) | ADDRESSES, INFO_WITH_ADDRESSES),
    Shape(3, frozenset({_IFACE, _LEN, _TIME}) | ADDRESSES),
)


def table_shapes(
    fields: Sequence[str], empty: Sequence[str], protected: str | None, *, has_long_addresses: bool
) -> Iterator[Shape]:
    """Yield the steps of a table that shows `fields`, in the order in which they are left out.

    `empty` are further fields, without a text up to now; `protected` is the field that stays.
    """
    for count in range(len(empty)):
        yield Shape(without=frozenset(empty[:count]))
    gone: frozenset[Column] = frozenset(empty)
    if has_long_addresses and not fields and protected is None:
        for shape in SHAPES:
            if shape.without <= _BEFORE_FIELDS:
                yield replace(shape, without=shape.without | gone, info_least=INFO_READABLE)
    steps = _shapes(fields) if protected is None else _protecting_shapes(fields)
    for shape in steps:
        yield replace(shape, without=shape.without | gone)


def _shapes(fields: Sequence[str]) -> Iterator[Shape]:
    """Yield `SHAPES`; columns of fields go between, the first ones first, before Time does."""
    for shape in SHAPES:
        is_last_with_fields = shape.without == _BEFORE_FIELDS
        if shape.without <= _BEFORE_FIELDS:
            yield shape
        else:
            yield Shape(shape.time_decimals, shape.without | set(fields), shape.info_least)
        if is_last_with_fields:
            for count in range(1, len(fields) + 1):
                yield Shape(shape.time_decimals, shape.without | set(fields[:count]))


def _protecting_shapes(others: Sequence[str]) -> Iterator[Shape]:
    """Yield `SHAPES` that leave out all `others`, the first ones first, but not one field."""
    for shape in SHAPES:
        if shape.without <= _BEFORE_FIELDS:
            yield shape
    left_out: frozenset[Column] = _BEFORE_FIELDS
    for count in range(1, len(others) + 1):
        left_out = _BEFORE_FIELDS | set(others[:count])
        yield Shape(3, left_out)
    for most in PROTECTED_WIDTHS:
        yield Shape(3, left_out, protected_most=most)
    for shape in SHAPES:
        if not shape.without <= _BEFORE_FIELDS:
            yield replace(shape, without=shape.without | left_out, protected_most=most)
    everything = left_out | ADDRESSES | {_TIME}
    yield Shape(3, everything | {ColumnName.PROTOCOL}, INFO_NARROWEST, protected_most=most)
