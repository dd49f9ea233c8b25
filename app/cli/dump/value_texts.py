"""The texts of values, for whole columns: numbers, addresses, times, and bytes.

Packets repeat their values, so addresses and small numbers are written once and looked up after
that: a lookup costs a third of writing. A `TextTable` is emptied when it is full.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import ADDRESS_BYTES, FilterType, Spans, Values
from core.analysis.filter.values.header_words import byte_rows
from core.store.frame_detail import date_text, seconds_texts
from core.wire.model.field import gather
from core.wire.model.kind import Kind

Key = TypeVar("Key")
LIMIT = 1 << 16  # texts in a table
_SECOND_NS = 1_000_000_000
_T = FilterType


class TextTable(dict[Key, str], Generic[Key]):
    """The texts of values; ``table[value]`` writes it if it is new. At most `limit` texts."""

    def __init__(self, write: Callable[[Key], str], limit: int = LIMIT) -> None:
        self._write = write
        self._limit = limit

    def __missing__(self, value: Key) -> str:
        if len(self) >= self._limit:
            self.clear()
        text = self[value] = self._write(value)
        return text

    def texts(self, values: Sequence[Key]) -> list[str]:
        """Return the text of each value."""
        return list(map(self.__getitem__, values))


_NUMBERS = TextTable[int](str)
_ADDRESSES: dict[FilterType, TextTable[Any]] = {
    _T.IPV4: TextTable[int](lambda number: socket.inet_ntoa(number.to_bytes(4, "big"))),
    _T.IPV6: TextTable[bytes](lambda address: socket.inet_ntop(socket.AF_INET6, address)),
    _T.ETHER: TextTable[bytes](lambda address: address.hex(":")),
}
_ADDRESS_TYPES = {Kind.IPV4: _T.IPV4, Kind.IPV6: _T.IPV6, Kind.MAC: _T.ETHER}
_TRUTH = ("false", "true")


def number_texts(numbers: NDArray[Any]) -> list[str]:
    """Return numbers (k,) in base 10."""
    if numbers.dtype.itemsize <= 2:
        return _NUMBERS.texts(numbers.tolist())
    return list(map(str, numbers.tolist()))


def texts_of(values: Values, kind: FilterType) -> list[str]:
    """Return values (k,) of a type as JSON has them, without quotes.

    Integers have base 10, addresses their usual form, byte strings hex digits, durations and times
    (since the epoch) seconds with nine decimals.
    """
    if isinstance(values, Spans):
        return hex_texts(values)
    if kind in _ADDRESSES:
        if kind is not _T.IPV4:
            values = np.ascontiguousarray(values).view(f"V{values.shape[1]}").reshape(-1)
        return _ADDRESSES[kind].texts(values.tolist())
    if kind is _T.BOOLEAN:
        return list(map(_TRUTH.__getitem__, values.tolist()))
    if kind.is_time:
        return seconds_texts(values)
    return values.tolist() if kind is _T.STRING else number_texts(values)


def hex_texts(spans: Spans) -> list[str]:
    """Return byte strings (k,) in hex digits."""
    data = spans.data.data
    return [
        data[start:end].hex()
        for start, end in zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    ]


def address_texts(data: NDArray[np.uint8], starts: NDArray[np.int64], kind: Kind) -> list[str]:
    """Return the addresses of a kind at `starts` (k,) in `data`."""
    address = _ADDRESS_TYPES[kind]
    if address is _T.IPV4:
        return _ADDRESSES[address].texts(gather(data, starts, ADDRESS_BYTES[address]).tolist())
    return texts_of(byte_rows(data, starts, ADDRESS_BYTES[address]), address)


def hex_rows(data: NDArray[np.uint8], starts: NDArray[np.int64], size: int) -> list[str]:
    """Return `size` bytes at each of `starts` (k,) in `data`, in hex digits."""
    text = byte_rows(data, starts, size).tobytes().hex()
    return [text[at : at + 2 * size] for at in range(0, len(text), 2 * size)]


def dates(times_ns: NDArray[np.int64], *, utc: bool) -> list[str]:
    """Return times (k,) by ISO 8601, ``2014-03-06T13:34:49.416000000Z``, as Wireshark 4.6 does.

    Local times end with the offset of their zone (``+0100``). A time beyond the year 9999 is
    written in seconds.
    """
    table = TextTable[int](lambda second: date_text(second, utc=utc))
    seconds, fraction = np.divmod(times_ns, _SECOND_NS)
    return [
        text.replace(".", f".{part:09d}")
        for text, part in zip(table.texts(seconds.tolist()), fraction.tolist(), strict=True)
    ]
