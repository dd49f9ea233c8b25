"""HTTP/1 in one line: the request line or the status line.

RFC 9112 §3 and §4. A segment that starts with neither is the middle of something; TCP's own line
describes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.wire.model.text import safe_bytes

_LONGEST = 200
_METHODS = (
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH NOTIFY M-SEARCH SUBSCRIBE UNSUBSCRIBE"
    b" PROPFIND REPORT RPC_IN_DATA RPC_OUT_DATA"
).split()
_START = re.compile(
    rb"(?:(?:%s) [^\r\n]{1,2000}|HTTP/1\.[01] \d{3}[^\r\n]{0,200})" % b"|".join(_METHODS)
)
FIRST_BYTES = frozenset(start[0] for start in (*_METHODS, b"HTTP"))
"""The bytes that a request line or a status line can begin with."""
_IS_FIRST = np.isin(np.arange(256), list(FIRST_BYTES))

_LINE_ENDS = tuple(b"\r\n")
_DIGITS = tuple(b"0123456789")
_REQUESTS = tuple((*method, *b" ") for method in _METHODS)
_STATUS = (*b"HTTP/1.", tuple(b"01"), *b" ", _DIGITS, _DIGITS, _DIGITS)
"""The bytes that begin a line: at each place one byte, or one of several."""


def are_messages(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return a mask (n,) of the bytes ``starts:ends`` in `data` that `describe` describes."""
    mask = np.zeros(len(starts), np.bool_)
    there = np.flatnonzero(starts < ends)
    there = there[_IS_FIRST[data[starts[there]]]]
    for pattern in _REQUESTS:
        found = _beginning(pattern, data, starts, ends - 1, there)
        after = data[starts[found] + len(pattern)]
        mask[found] = ~np.isin(after, _LINE_ENDS)
    mask[_beginning(_STATUS, data, starts, ends, there)] = True
    return mask


def _beginning(
    pattern: Sequence[int | tuple[int, ...]],
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return those of `rows` (k,) whose bytes ``starts:ends`` begin with a pattern."""
    rows = rows[ends[rows] - starts[rows] >= len(pattern)]
    for place, allowed in enumerate(pattern):
        if not len(rows):
            break
        found = data[starts[rows] + place]
        rows = rows[np.isin(found, allowed) if isinstance(allowed, tuple) else found == allowed]
    return rows


def describe(data: bytes) -> str | None:
    """Return ``GET /index.html HTTP/1.1`` or ``HTTP/1.1 404 Not Found``; None for other bytes."""
    found = _START.match(data)
    if found is None:
        return None
    line = safe_bytes(found[0])
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
