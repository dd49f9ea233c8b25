"""The values of display filters: types, fields, and the interface between language and packets.

The language (parser, checker, evaluation) knows packets only through two protocols. `FieldCatalog`
describes the fields by name. `FieldValues` returns the values of a field in one chunk: *every*
occurrence, also inside tunnels and quoted packets, since Wireshark compares all of them.

Names and types are Wireshark's (``tshark -G fields``), because the type of a field decides which
literals it may be compared with, and the width of its type decides how large they may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class FilterType(Enum):
    """The type of a field. The value names it in messages."""

    __hash__ = object.__hash__  # unique members; Enum's own hash hashes the name

    PROTOCOL = "protocol"
    BOOLEAN = "boolean"
    CHAR = "character"
    UINT8 = "unsigned 8-bit integer"
    UINT16 = "unsigned 16-bit integer"
    UINT24 = "unsigned 24-bit integer"
    UINT32 = "unsigned 32-bit integer"
    UINT40 = "unsigned 40-bit integer"
    UINT48 = "unsigned 48-bit integer"
    UINT56 = "unsigned 56-bit integer"
    UINT64 = "unsigned 64-bit integer"
    INT8 = "signed 8-bit integer"
    INT16 = "signed 16-bit integer"
    INT24 = "signed 24-bit integer"
    INT32 = "signed 32-bit integer"
    INT40 = "signed 40-bit integer"
    INT48 = "signed 48-bit integer"
    INT56 = "signed 56-bit integer"
    INT64 = "signed 64-bit integer"
    FRAMENUM = "packet number"
    FLOAT = "single-precision number"
    DOUBLE = "double-precision number"
    ABSOLUTE_TIME = "date and time"
    RELATIVE_TIME = "time in seconds"
    STRING = "string"
    ETHER = "MAC address"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    EUI64 = "EUI-64 address"
    BYTES = "sequence of bytes"

    @property
    def phrase(self) -> str:
        """The name with its article: ``an IPv4 address``."""
        return f"{'an' if self.value[0] in 'aeiouAEIOU' else 'a'} {self.value}"

    @property
    def is_unsigned(self) -> bool:
        """True for unsigned integers, characters, and packet numbers."""
        return self in _UNSIGNED_BITS

    @property
    def is_signed(self) -> bool:
        """True for signed integers."""
        return self in _SIGNED_BITS

    @property
    def is_integer(self) -> bool:
        """True for integers of either sign, without booleans."""
        return self in _UNSIGNED_BITS or self in _SIGNED_BITS

    @property
    def is_float(self) -> bool:
        """True for numbers with a fraction."""
        return self in (FilterType.FLOAT, FilterType.DOUBLE)

    @property
    def bits(self) -> int:
        """The width of an integer in bits; 0 for other types."""
        return _UNSIGNED_BITS.get(self) or _SIGNED_BITS.get(self) or 0

    @property
    def is_address(self) -> bool:
        """True for addresses of all kinds."""
        return self in ADDRESS_BYTES

    @property
    def is_time(self) -> bool:
        """True for dates and durations; their values are nanoseconds."""
        return self in (FilterType.ABSOLUTE_TIME, FilterType.RELATIVE_TIME)

    @property
    def is_byte_string(self) -> bool:
        """True for types whose values are `Spans`: protocols and sequences of bytes."""
        return self in (FilterType.PROTOCOL, FilterType.BYTES)


_T = FilterType
_UNSIGNED_BITS: Mapping[FilterType, int] = {
    _T.CHAR: 8, _T.UINT8: 8, _T.UINT16: 16, _T.UINT24: 24, _T.UINT32: 32, _T.UINT40: 40,
    _T.UINT48: 48, _T.UINT56: 56, _T.UINT64: 64, _T.FRAMENUM: 32,
}  # fmt: skip
_SIGNED_BITS: Mapping[FilterType, int] = {
    _T.INT8: 8, _T.INT16: 16, _T.INT24: 24, _T.INT32: 32,
    _T.INT40: 40, _T.INT48: 48, _T.INT56: 56, _T.INT64: 64,
}  # fmt: skip
ADDRESS_BYTES: Mapping[FilterType, int] = {
    _T.ETHER: 6, _T.IPV4: 4, _T.IPV6: 16, _T.EUI64: 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that a filter can name.

    `width_bits` is the width in the header, 0 if the field has no bits of its own. `base` is 10 or
    16, the base in which ``string()`` writes an integer. `words` are the texts of numbers, as
    Wireshark has them (``{6: "TCP"}``); for a boolean, those of 1 and 0. `aliases` are further
    accepted words. A comparison ignores the case of a word.
    """

    name: str
    type: FilterType
    meaning: str = ""
    width_bits: int = 0
    words: Mapping[int, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    base: int = 10


class FieldCatalog(Protocol):
    """All fields, by name."""

    def find(self, name: str) -> FilterField | None:
        """Return the field of this name, or None. Case matters."""
        ...

    def names(self) -> Sequence[str]:
        """Return all names in order, for suggestions and completion."""
        ...

    def combined(self, name: str) -> Sequence[str]:
        """Return the fields that a combined one consists of (``ip.addr``: ``ip.src``, …)."""
        ...

    def advice(self, name: str) -> str:
        """Return the end of a message about a name that is not a field; empty without advice."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Byte strings inside one array: item i is ``data[starts[i]:ends[i]]``.

    ``data`` uint8; ``starts`` and ``ends`` (k,) int64, in bounds, ``starts <= ends``.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, index: NDArray[Any]) -> Spans:
        """Return the items that an index or mask selects, over the same bytes."""
        return Spans(self.data, self.starts[index], self.ends[index])


Values = NDArray[Any] | Spans


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """All values of a field in one chunk, in the order of the packets' bytes.

    ``rows`` (k,) int64, ascending: the row of each value's packet; a packet with several
    occurrences has its row several times, one without has it not at all. ``layers`` (k,) int64, if
    requested: the number of the header among those of its protocol in the packet, from 1.

    ==================================  ==================================================
    type of the field                   ``values``
    ==================================  ==================================================
    integers, characters, booleans      (k,) of an integer or bool dtype
    FLOAT, DOUBLE                       (k,) float64
    ABSOLUTE_TIME, RELATIVE_TIME        (k,) int64 nanoseconds
    IPV4                                (k,) uint32, the address as a big-endian number
    ETHER, EUI64, IPV6                  (k, 6), (k, 8), (k, 16) uint8
    STRING                              (k,) object: `str`
    PROTOCOL, BYTES, and raw bytes      `Spans`
    ==================================  ==================================================
    """

    rows: NDArray[np.int64]
    values: Values
    layers: NDArray[np.int64] | None = None


class FieldValues(Protocol):
    """The values of fields in the packets of one chunk. `len` is the number of packets."""

    def __len__(self) -> int: ...

    def occurrences(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return all values of a field of the catalog, as `Occurrences` describes them."""
        ...

    def raw(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return the bytes that each occurrence of a field occupies in its frame, as `Spans`.

        A field narrower than its bytes has all bytes that it touches.
        """
        ...

    def with_data(self, name: str, *, with_layers: bool = False) -> Occurrences:
        """Return the bytes of each header of a protocol and of all that it carries, as `Spans`.

        They end where the captured bytes of the header's packet end. Names that are not headers,
        such as ``frame`` and options, have the bytes that `occurrences` returns.
        """
        ...
