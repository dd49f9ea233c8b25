"""A field of a header, and a field in its place. `core.wire.model.table` explains headers.

Conventions
-----------
* A *value* is in the unit that the user thinks in: ``ip.hdr_len`` is 20 (bytes), not 5 (words).
  `Field.unit` is the factor between the two; the wire holds ``value // unit``.
* Values are Python ints, addresses too (an IPv6 address is a 128-bit int); only `BYTES` fields are
  `bytes`.
* A `PlacedField` is a `Field` in its place in one table: full name, first bit, width.
* A part's name is its parent's name, a dot, and its own (``ip.flags`` > ``ip.flags.df``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.wire.model.kind import Kind, address_text

if TYPE_CHECKING:
    from core.wire.model.table import HeaderTable

BytesLike = bytes | bytearray | memoryview
Value = int | bytes
JsonValue = int | bool | str


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One named bit range of a header, as its RFC draws it.

    `bits` is the width on the wire. `unit` turns the wire number into the value (4 for a length in
    32-bit words). `base` is 10 or 16, the base in which the value is shown; `suffix` is the name of
    its unit ("bytes", "s"). `values` names numbers. `automatic` fields are computed when a packet
    is built and the field was left empty. `parts` split the same bits further.
    """

    name: str
    bits: int
    label: str
    kind: Kind = Kind.NUMBER
    unit: int = 1
    base: int = 10
    suffix: str = ""
    default: int = 0
    automatic: bool = False
    values: Mapping[int, str] = dataclass_field(default_factory=dict)
    parts: tuple[Field, ...] = ()


def Flag(name: str, label: str, default: int = 0) -> Field:  # noqa: N802 - reads as a declaration
    """Return a one-bit field that is true or false."""
    return Field(name, 1, label, Kind.FLAG, default=default)


def Mac(name: str, label: str) -> Field:  # noqa: N802
    """Return the field of a 48-bit Ethernet address."""
    return Field(name, 48, label, Kind.MAC)


def IPv4Address(name: str, label: str) -> Field:  # noqa: N802
    """Return the field of a 32-bit IPv4 address."""
    return Field(name, 32, label, Kind.IPV4)


def IPv6Address(name: str, label: str) -> Field:  # noqa: N802
    """Return the field of a 128-bit IPv6 address."""
    return Field(name, 128, label, Kind.IPV6)


class NumberReader(Protocol):
    """A function that reads one number of the header that starts at `offset` of `data`."""

    def __call__(self, data: BytesLike, offset: int = 0, /) -> int:
        """Return the value; the caller has checked that its bytes are there."""
        ...


class Span(NamedTuple):
    """The bytes from ``start`` up to, not including, ``stop``: offsets in a header or a frame."""

    start: int
    stop: int

    def shifted(self, offset: int) -> Span:
        """Return the same span counted from a point `offset` bytes earlier."""
        return Span(self.start + offset, self.stop + offset)

    def __contains__(self, offset: object) -> bool:
        return isinstance(offset, int) and self.start <= offset < self.stop


@dataclass(frozen=True, slots=True, eq=False)
class PlacedField:
    """A field in its place: its table, full name, first bit, width, and nesting.

    The *container* is the smallest power-of-two number of bytes (1, 2, 4, 8) that holds the field
    and lies inside the header, so that one gather reads it for a whole batch without leaving the
    captured header.
    """

    table: HeaderTable
    field: Field
    name: str
    first_bit: int
    level: int
    parent: PlacedField | None
    key: str = dataclass_field(init=False)  # the name inside the table: ``flags.df``
    span: Span = dataclass_field(init=False)  # the bytes it touches, from the start of its *layer*
    read: Callable[..., Value] = dataclass_field(init=False)  # (data, offset=0), see `NumberReader`
    number: NumberReader = dataclass_field(init=False)  # the same as a number, also of `BYTES`
    _spare: int = dataclass_field(init=False)  # bits after the field in its last byte
    _mask: int = dataclass_field(init=False)

    def __post_init__(self) -> None:
        last_bit = self.first_bit + self.field.bits
        start = self.table.start + self.first_bit // 8
        span = Span(start, self.table.start + -(-last_bit // 8))
        spare, mask = -last_bit % 8, (1 << self.field.bits) - 1
        number = _number_reader(span, spare, mask, self.field.unit)
        found = {
            "key": self.name[len(self.table.name) + 1 :],
            "span": span,
            "read": _bytes_reader(span) if self.field.kind is Kind.BYTES else number,
            "number": number,
            "_spare": spare,
            "_mask": mask,
        }
        for name, value in found.items():  # computed once: every packet read needs them
            object.__setattr__(self, name, value)

    @property
    def maximum(self) -> int:
        """The largest value that the field can hold, in the field's unit."""
        return ((1 << self.field.bits) - 1) * self.field.unit

    # -- one packet ---------------------------------------------------------------

    def decode(self, number: int) -> int:
        """Return the value inside the big-endian `number` made of exactly the span's bytes."""
        return (number >> self._spare & self._mask) * self.field.unit

    def text(self, value: Value) -> str:
        """Return the value as the user reads it, without its meaning: ``0x0800``, ``20 bytes``."""
        if isinstance(value, bytes):
            return value.hex()
        match self.field.kind:
            case Kind.FLAG:
                return "set" if value else "not set"
            case Kind.MAC | Kind.IPV4 | Kind.IPV6:
                return address_text(self.field.kind, value)
        if self.field.base == 16:
            return f"0x{value:0{-(-self.field.bits // 4)}x}"
        return f"{value} {self.field.suffix}" if self.field.suffix else str(value)

    def meaning(self, value: Value) -> str:
        """Return the name of the number (``TCP`` for protocol 6), or an empty string."""
        return self.field.values.get(value, "") if isinstance(value, int) else ""

    def json(self, value: Value) -> JsonValue:
        """Return the value as JSON has it: number, boolean, address string, or hex string."""
        if isinstance(value, bytes):
            return value.hex()
        match self.field.kind:
            case Kind.FLAG:
                return bool(value)
            case Kind.MAC | Kind.IPV4 | Kind.IPV6:
                return address_text(self.field.kind, value)
        return value

    # -- a whole batch ------------------------------------------------------------

    def column(self, data: NDArray[np.uint8], offsets: NDArray[Any]) -> NDArray[Any]:
        """Return the values of many packets at once.

        `data` is one-dimensional uint8; `offsets` (n, integer) are the starts of the layers in it,
        each with the whole header inside `data`. The result is (n,) of the smallest unsigned dtype
        that holds the field's maximum; for fields of more than 64 bits (n, 2) uint64, high half
        first. Raises `TypeError` for `BYTES` fields, which have no column.
        """
        if self.field.kind is Kind.BYTES:
            raise TypeError(f"{self.name} is a byte string and has no column")
        base = np.asarray(offsets, dtype=np.int64) + self.table.start
        first, last = self.first_bit // 8, -(-(self.first_bit + self.field.bits) // 8)
        if self.field.bits > 64:
            halves = (gather(data, base + first, 8), gather(data, base + first + 8, 8))
            return np.stack(halves, axis=1)
        width = _container(last - first)
        start = max(0, min(first, self.table.size - width))
        if start + width < last or start + width > self.table.size:
            return self._column_bytewise(data, base, first, last)
        shift = (start + width) * 8 - (self.first_bit + self.field.bits)
        values = gather(data, base + start, width) >> np.uint64(shift)
        values &= np.uint64((1 << self.field.bits) - 1)
        if self.field.unit != 1:
            values = values * np.uint64(self.field.unit)
        return values.astype(_smallest(self.maximum))

    def _column_bytewise(
        self, data: NDArray[np.uint8], base: NDArray[np.int64], first: int, last: int
    ) -> NDArray[Any]:
        """Return the column of a header that has no room for a container (3, 5, 6, 7 bytes)."""
        values = np.zeros(len(base), dtype=np.uint64)
        for byte in range(first, last):
            values = (values << np.uint64(8)) | data[base + byte]
        values >>= np.uint64(last * 8 - (self.first_bit + self.field.bits))
        values &= np.uint64((1 << self.field.bits) - 1)
        return (values * np.uint64(self.field.unit)).astype(_smallest(self.maximum))


def _bytes_reader(span: Span) -> Callable[..., Value]:
    start, stop = span
    return lambda data, offset=0: bytes(data[offset + start : offset + stop])


def _number_reader(span: Span, spare: int, mask: int, unit: int) -> NumberReader:
    """Return a reader with the field's constants bound, so that a read looks nothing up."""
    start, stop, from_bytes = *span, int.from_bytes
    if stop - start == 1:
        return lambda data, offset=0: (data[offset + start] >> spare & mask) * unit
    if mask == (1 << 8 * (stop - start)) - 1 and unit == 1:
        return lambda data, offset=0: from_bytes(data[offset + start : offset + stop], "big")
    return lambda data, offset=0: (
        (from_bytes(data[offset + start : offset + stop], "big") >> spare & mask) * unit
    )


def gather(data: NDArray[np.uint8], starts: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """Return the `width` (1, 2, 4 or 8) big-endian bytes at every start, as (n,) uint64.

    An unaligned strided view over `data` costs one pass over `starts` and copies nothing else.
    Every start + width must lie inside `data`.
    """
    if len(starts) == 0:
        return np.zeros(0, dtype=np.uint64)
    view = np.ndarray(
        shape=(len(data) - width + 1,), dtype=f">u{width}", buffer=data.data, strides=(1,)
    )
    return view[starts].astype(np.uint64)


def _container(width: int) -> int:
    return 1 if width == 1 else 2 if width == 2 else 4 if width <= 4 else 8


def _smallest(maximum: int) -> Any:
    return np.min_scalar_type(maximum)
