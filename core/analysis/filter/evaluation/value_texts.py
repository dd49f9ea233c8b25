"""The texts of values: for ``string()``, ``vals()``, and searches in the words of a field.

Each different value is written once, however many packets have it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.types import FilterType, Spans, Values

Texts = NDArray[Any]  # object: str

_T = FilterType
_ADDRESS_TEXTS: Mapping[FilterType, Callable[[bytes], str]] = {
    _T.IPV6: lambda address: socket.inet_ntop(socket.AF_INET6, address),
    _T.ETHER: lambda address: address.hex(":"),
    _T.EUI64: lambda address: address.hex(":"),
}


def _each(values: NDArray[Any], text: Callable[[Any], str]) -> Texts:
    """Return the text (k,) of each value, written once for equal values."""
    different, inverse = np.unique(values, return_inverse=True)
    texts = np.array([text(value) for value in different.tolist()], dtype=object)
    return texts[inverse.reshape(-1)]


def texts_of(values: Values, kind: FilterType) -> Texts:
    """Return values of a type as text (k,); numbers are decimal."""
    assert not isinstance(values, Spans)
    if kind is _T.IPV4:
        return _each(values, lambda number: socket.inet_ntoa(int(number).to_bytes(4, "big")))
    if kind in _ADDRESS_TEXTS:
        keys = np.ascontiguousarray(values).view(f"V{values.shape[1]}").reshape(-1)
        return _each(keys, _ADDRESS_TEXTS[kind])
    return _each(values, repr if kind.is_float else str)


def hexadecimal(values: Values, kind: FilterType) -> Texts:
    """Return numbers in hexadecimal digits, as many as the type has, at most 16."""
    assert not isinstance(values, Spans)
    digits = kind.bits // 4 if kind.bits <= 32 else 16
    return _each(values, lambda number: f"0x{number:0{digits}x}")


def words_of(values: Values, words: Mapping[int, str]) -> tuple[Texts, NDArray[np.bool_]]:
    """Return the word (k,) of each number, and a mask of the numbers that have one."""
    assert not isinstance(values, Spans)
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    texts = _each(values, lambda number: words.get(number, ""))
    return texts, np.isin(values, list(words))
