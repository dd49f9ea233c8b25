"""Search for bytes in many byte strings at once.

The strings mostly lie one after the other in one buffer (the bytes of a chunk), so the buffer is
searched as a whole, and the hits are assigned to the strings by their position; a hit across the
end of a string does not count. `bytes.find` searches faster than any pass of numpy as long as hits
are rare; if they are frequent, a comparison of whole arrays is faster. The buffer is searched in
pieces, so that other threads run in between.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.byte_strings import gathered, lengths
from core.analysis.filter.types import Spans

PIECE = 1 << 20
FREQUENT = 512  # hits in a piece; with more, arrays are faster
_SPARSE = 8  # copy the strings together if they are less than this part of the buffer

Mask = NDArray[np.bool_]


def contains(spans: Spans, needle: bytes, *, ignores_case: bool = False) -> Mask:
    """Return a mask (k,) of the strings that contain the bytes `needle`.

    With `ignores_case`, ASCII letters match in both cases.
    """
    if not needle:
        return np.ones(len(spans), dtype=np.bool_)
    candidates = np.flatnonzero(lengths(spans) >= len(needle))
    found = np.zeros(len(spans), dtype=np.bool_)
    if len(candidates):
        found[candidates] = _search(spans.take(candidates), needle, ignores_case)
    return found


def _search(spans: Spans, needle: bytes, ignores_case: bool) -> Mask:
    low, high = int(spans.starts.min()), int(spans.ends.max())
    sizes = lengths(spans)
    total = int(sizes.sum())
    if total * _SPARSE < high - low:
        ends = np.cumsum(sizes)
        data = gathered(spans.data, spans.starts, sizes)
        spans, low = Spans(data, ends - sizes, ends), 0
    else:
        data = spans.data[low:high]
    hits = find_all(data, needle, ignores_case=ignores_case) + low
    if not len(hits):
        return np.zeros(len(spans), dtype=np.bool_)
    index = np.searchsorted(hits, spans.starts)
    first = hits[np.minimum(index, len(hits) - 1)]
    is_inside: Mask = (index < len(hits)) & (first + len(needle) <= spans.ends)
    return is_inside


def find_all(
    data: NDArray[np.uint8], needle: bytes, *, ignores_case: bool = False
) -> NDArray[np.int64]:
    """Return the ascending positions of all hits in `data` (uint8), overlapping ones included."""
    if ignores_case:
        needle = needle.lower()
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(data) - len(needle) + 1, PIECE):
        piece = data[start : start + PIECE + len(needle) - 1]
        if ignores_case:
            piece = _lower(piece)
        found.append(_in_piece(piece, needle) + start)
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _lower(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return bytes with ASCII letters in lower case."""
    is_upper = (data - np.uint8(ord("A"))) < np.uint8(26)
    return data + (is_upper.view(np.uint8) << np.uint8(5))


def _in_piece(data: NDArray[np.uint8], needle: bytes) -> NDArray[np.int64]:
    text = data.tobytes()
    hits: list[int] = []
    at = text.find(needle)
    while at >= 0:
        hits.append(at)
        if len(hits) == FREQUENT:
            rest = _in_array(data[at + 1 :], needle) + (at + 1)
            return np.concatenate((np.array(hits, dtype=np.int64), rest))
        at = text.find(needle, at + 1)
    return np.array(hits, dtype=np.int64)


def _in_array(data: NDArray[np.uint8], needle: bytes) -> NDArray[np.int64]:
    """Return all hits by comparing whole arrays, the rarest byte first."""
    last = len(data) - len(needle) + 1
    if last <= 0:
        return np.zeros(0, dtype=np.int64)
    counts = np.bincount(data, minlength=256)
    order = sorted(range(len(needle)), key=lambda position: counts[needle[position]])
    rarest = order[0]
    hits = np.flatnonzero(data[rarest : rarest + last] == needle[rarest])
    for position in order[1:]:
        hits = hits[data[hits + position] == needle[position]]
    return hits
