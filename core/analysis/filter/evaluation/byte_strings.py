"""Operations on many byte strings at once.

Byte strings are compared as Wireshark does: the shorter one is less, and of equal lengths the first
different byte decides. A loop runs over positions in a string, never over strings, and leaves out
the strings that are decided already; so a comparison costs little more than one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.language.syntax import Range
from core.analysis.filter.types import Spans

Mask = NDArray[np.bool_]
Signs = NDArray[np.int8]  # -1, 0, or 1: less, equal, or greater


def spans_of(values: NDArray[Any] | Spans) -> Spans:
    """Return values as byte strings: IPv4 addresses as uint32, or rows of bytes."""
    if isinstance(values, Spans):
        return values
    if values.ndim == 1:  # IPv4 addresses
        values = values.astype(">u4").view(np.uint8).reshape(-1, 4)
    count, width = values.shape
    starts = np.arange(count, dtype=np.int64) * width
    return Spans(np.ascontiguousarray(values).reshape(-1), starts, starts + width)


def lengths(spans: Spans) -> NDArray[np.int64]:
    """Return the lengths (k,)."""
    return spans.ends - spans.starts


def equal_to(spans: Spans, value: bytes) -> Mask:
    """Return a mask (k,) of the strings that equal a value."""
    rest = np.flatnonzero(lengths(spans) == len(value))
    for position, byte in enumerate(value):
        if not len(rest):
            break
        rest = rest[spans.data[spans.starts[rest] + position] == byte]
    found = np.zeros(len(spans), dtype=np.bool_)
    found[rest] = True
    return found


def rows_equal_to(rows: NDArray[np.uint8], value: bytes) -> Mask:
    """Return a mask (k,) of the rows (k, m) that equal a value.

    The last byte is compared first: it is the one in which most addresses differ.
    """
    if rows.shape[1] != len(value):
        return np.zeros(len(rows), dtype=np.bool_)
    found: Mask = rows[:, -1] == value[-1]
    rest = np.flatnonzero(found)
    found[rest] = (rows[rest] == np.frombuffer(value, np.uint8)).all(axis=1)
    return found


def order(spans: Spans, value: bytes) -> Signs:
    """Return the order (k,) of strings beside one value."""
    zeros = np.zeros(len(spans), dtype=np.int64)
    constants = Spans(np.frombuffer(value, np.uint8), zeros, zeros + len(value))
    return order_pairs(spans, constants)


def order_pairs(left: Spans, right: Spans) -> Signs:
    """Return the order (k,) of each string of `left` beside the one of `right`."""
    signs: Signs = np.sign(lengths(left) - lengths(right)).astype(np.int8)
    rest = np.flatnonzero(signs == 0)
    if left.data is right.data:  # a string is equal to itself
        rest = rest[left.starts[rest] != right.starts[rest]]
    position = 0
    while len(rest):
        rest = rest[left.ends[rest] - left.starts[rest] > position]
        one = left.data[left.starts[rest] + position]
        other = right.data[right.starts[rest] + position]
        differs = one != other
        decided = rest[differs]
        signs[decided] = np.sign(one[differs].astype(np.int16) - other[differs])
        rest = rest[~differs]
        position += 1
    return signs


def is_nonzero(spans: Spans) -> Mask:
    """Return a mask (k,) of the strings that have a byte other than 0."""
    found = np.zeros(len(spans), dtype=np.bool_)
    rest = np.arange(len(spans))
    position = 0
    while len(rest):
        rest = rest[spans.starts[rest] + position < spans.ends[rest]]
        is_zero = spans.data[spans.starts[rest] + position] == 0
        found[rest[~is_zero]] = True
        rest = rest[is_zero]
        position += 1
    return found


def bounds(
    size: NDArray[np.int64], part: Range
) -> tuple[NDArray[np.int64], NDArray[np.int64], Mask]:
    """Return the first and the end offset of a range in data of these sizes.

    A range is cut at the end of the data; it is empty if it begins before the data or after it. The
    third value is a mask of the data that contain the whole range.
    """
    start = np.where(part.start < 0, size + part.start, part.start)
    if part.length is not None:
        end = start + part.length
    elif part.end is not None:
        end = np.where(part.end < 0, size + part.end, part.end) + 1
    else:
        end = np.maximum(size, start)
    is_whole = (start >= 0) & (end <= size) & (start < end)
    first = np.clip(start, 0, size)
    last = np.where(start < 0, first, np.clip(end, first, size))
    return first, last, is_whole


def contain_parts(size: NDArray[np.int64], parts: Sequence[Range]) -> Mask:
    """Return a mask of the data, of these sizes, that contain all of the ranges."""
    found = np.ones(len(size), dtype=np.bool_)
    for part in parts:
        found &= bounds(size, part)[2]
    return found


def parts_of(spans: Spans, parts: Sequence[Range]) -> Spans:
    """Return the bytes of the ranges of each string, joined."""
    pieces = []
    for part in parts:
        first, last, _ = bounds(lengths(spans), part)
        pieces.append(Spans(spans.data, spans.starts + first, spans.starts + last))
    return pieces[0] if len(pieces) == 1 else joined(pieces)


def joined(pieces: Sequence[Spans]) -> Spans:
    """Return strings that each consist of one string of every piece, in order."""
    count = len(pieces[0])
    sizes = np.stack([lengths(piece) for piece in pieces], axis=1)  # (count, pieces)
    starts = np.stack([piece.starts for piece in pieces], axis=1).reshape(-1)
    data = gathered(pieces[0].data, starts, sizes.reshape(-1))
    ends = np.cumsum(sizes.sum(axis=1))
    total = np.concatenate(([0], ends[:-1])) if count else ends
    return Spans(data, total.astype(np.int64), ends.astype(np.int64))


def gathered(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return the bytes of many places one after the other."""
    before = np.cumsum(sizes) - sizes
    offsets = np.arange(int(sizes.sum())) - np.repeat(before, sizes)
    found: NDArray[np.uint8] = data[np.repeat(starts, sizes) + offsets]
    return found


def bit_and(left: Spans, right: Spans) -> Spans:
    """Return the bitwise AND of pairs; the result has the length of the shorter string."""
    sizes = np.minimum(lengths(left), lengths(right))
    data = gathered(left.data, left.starts, sizes) & gathered(right.data, right.starts, sizes)
    ends = np.cumsum(sizes)
    return Spans(data, ends - sizes, ends)


def masked(values: NDArray[np.uint8], prefix: int) -> NDArray[np.uint8]:
    """Return addresses (k, width) with all bits after a prefix cleared."""
    width = values.shape[1]
    mask = ((1 << prefix) - 1) << (8 * width - prefix)
    found: NDArray[np.uint8] = values & np.frombuffer(mask.to_bytes(width, "big"), np.uint8)
    return found
