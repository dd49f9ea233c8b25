"""HTTP/1 in one line: the request line or the status line.

RFC 9112 §3 and §4. A segment that starts with neither is the middle of something; TCP's own line
describes it.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from core.wire.model.text import safe_bytes

_LONGEST = 200
_CR, _LF = b"\r\n"
_STATUS_DIGITS = 3
_METHODS = (
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH NOTIFY M-SEARCH SUBSCRIBE UNSUBSCRIBE"
    b" PROPFIND REPORT"
).split()
_START = re.compile(
    rb"(?:(?:%s) [^\r\n]{1,2000}|HTTP/1\.[01] \d{3}[^\r\n]{0,200})" % b"|".join(_METHODS)
)
FIRST_BYTES = frozenset(start[0] for start in (*_METHODS, b"HTTP"))
"""The bytes that a request line or a status line can begin with."""
_IS_FIRST = np.isin(np.arange(256), list(FIRST_BYTES))


def describe(data: bytes) -> str | None:
    """Return ``GET /index.html HTTP/1.1`` or ``HTTP/1.1 404 Not Found``; None for other bytes."""
    found = _START.match(data)
    if found is None:
        return None
    line = safe_bytes(found[0])
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def are_starts(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return a mask (n,) of the bytes ``starts:ends`` in `data` that `describe` knows."""
    mask = np.zeros(len(starts), np.bool_)
    rows = np.flatnonzero(ends > starts)
    rows = rows[_IS_FIRST[data[starts[rows]]]]
    for method in _METHODS:
        size = len(method) + 1
        found = rows[_have(data, starts[rows], ends[rows], method + b" ", size + 1)]
        after = data[starts[found] + size]
        mask[found[(after != _CR) & (after != _LF)]] = True
    for version in (b"HTTP/1.0 ", b"HTTP/1.1 "):
        size = len(version)
        found = rows[_have(data, starts[rows], ends[rows], version, size + _STATUS_DIGITS)]
        digits = data[starts[found][:, None] + size + np.arange(_STATUS_DIGITS)]
        mask[found[((digits >= ord("0")) & (digits <= ord("9"))).all(axis=1)]] = True
    return mask


def _have(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    words: bytes,
    size: int,
) -> NDArray[np.int64]:
    """Return the indices of bytes that begin with `words` and have at least `size` bytes."""
    index = np.flatnonzero(ends - starts >= size)
    for place, byte in enumerate(words):
        index = index[data[starts[index] + place] == byte]
    return index
