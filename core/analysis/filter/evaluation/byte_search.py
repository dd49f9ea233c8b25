"""Search for bytes in many byte strings at once.

The strings mostly lie one after the other in one buffer (the bytes of a chunk), so the buffer is
searched as a whole, and the hits are assigned to the strings by their position; a hit across the
end of a string does not count.

A piece of the buffer that fits in the cache is compared with the rarest byte of the needle, which
numpy does at several gigabytes per second (`bytes.find`: about 1.5); the few hits are then compared
with the other bytes. The hits of one piece are used before the next one is searched, so that a
frequent needle takes no more memory than a rare one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation.byte_strings import gathered, lengths
from core.analysis.filter.types import Spans

PIECE = 1 << 18
_SAMPLES = 4096  # bytes that decide which byte is rare
_DENSE = 16  # compare whole arrays again while more than this part of the bytes are hits
_SPARSE = 8  # copy the strings together if they are less than this part of the buffer

Mask = NDArray[np.bool_]
Position = tuple[int, frozenset[int]]  # offset in the needle, and the bytes that match there


def contains(spans: Spans, needle: bytes, *, ignores_case: bool = False) -> Mask:
    """Return a mask (k,) of the strings that contain the bytes `needle`.

    With `ignores_case`, ASCII letters match in both cases.
    """
    if not needle:
        return np.ones(len(spans), dtype=np.bool_)
    found = np.zeros(len(spans), dtype=np.bool_)
    candidates = np.flatnonzero(lengths(spans) >= len(needle))
    if len(candidates):
        ascending = candidates[np.argsort(spans.starts[candidates], kind="stable")]
        found[ascending] = _search(compacted(spans.take(ascending)), needle, ignores_case)
    return found


def compacted(spans: Spans) -> Spans:
    """Return the strings, copied one after the other if they are a small part of the buffer.

    Their starts are ascending.
    """
    sizes = lengths(spans)
    if int(sizes.sum()) * _SPARSE > int(spans.ends.max()) - int(spans.starts[0]):
        return spans
    ends = np.cumsum(sizes)
    return Spans(gathered(spans.data, spans.starts, sizes), ends - sizes, ends)


def _search(spans: Spans, needle: bytes, ignores_case: bool) -> Mask:
    """Return a mask (k,) of the strings, whose starts are ascending, that contain a needle."""
    found = np.zeros(len(spans), dtype=np.bool_)
    low, high = int(spans.starts[0]), int(spans.ends.max())
    longest = int(lengths(spans).max())
    for start, hits in find_hits(spans.data[low:high], needle, ignores_case=ignores_case):
        hits = hits + (low + start)
        first = np.searchsorted(spans.starts, int(hits[0]) - longest)
        last = np.searchsorted(spans.starts, int(hits[-1]), "right")
        index = np.searchsorted(hits, spans.starts[first:last])
        nearest = hits[np.minimum(index, len(hits) - 1)]
        ends = nearest + len(needle) <= spans.ends[first:last]
        found[first:last] |= (index < len(hits)) & ends
    return found


def find_hits(
    data: NDArray[np.uint8], needle: bytes, *, ignores_case: bool = False
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the ascending offsets of hits in each piece of `data`, after the piece's start.

    Hits may overlap. Pieces without hits are left out.
    """
    counts = np.bincount(data[:: max(1, len(data) // _SAMPLES)], minlength=256)
    positions: list[Position] = [
        (offset, _cases(byte) if ignores_case else frozenset((byte,)))
        for offset, byte in enumerate(needle)
    ]
    positions.sort(key=lambda position: sum(counts[byte] for byte in position[1]))
    for start in range(0, len(data) - len(needle) + 1, PIECE):
        hits = _in_piece(data[start : start + PIECE + len(needle) - 1], positions)
        if len(hits):
            yield start, hits


def _cases(byte: int) -> frozenset[int]:
    """Return a byte, and the other case of an ASCII letter."""
    letter = bytes((byte,))
    return frozenset((*letter.lower(), *letter.upper()))


def _in_piece(data: NDArray[np.uint8], positions: Sequence[Position]) -> NDArray[np.int64]:
    size = len(data) - len(positions) + 1
    (offset, cases), *rest = positions
    mask = _matches(data[offset : offset + size], cases)
    while rest and np.count_nonzero(mask) * _DENSE > size:
        offset, cases = rest.pop(0)
        mask &= _matches(data[offset : offset + size], cases)
    hits = np.flatnonzero(mask)
    for offset, cases in rest:
        hits = hits[_matches(data[hits + offset], cases)]
    return hits


def _matches(data: NDArray[np.uint8], cases: frozenset[int]) -> Mask:
    """Return a mask of the bytes that are among one or two."""
    one, *others = cases
    mask: Mask = data == one
    for other in others:
        mask |= data == other
    return mask
