"""Copy many frames at once, each to its place.

Theory
------
A loop over frames costs 150 ns each; numpy copies items of one size several times faster. So frames
are copied by *classes* of length, W ≤ length < 2·W for each power of two: one item of W bytes from
the frame's start and one that ends at its end cover the frame; where they overlap, both write the
same bytes. C libraries copy short runs in the same way. Frames of `LONG` bytes and more are copied
one by one.

Packets are short, and most of the time goes to fetching their bytes from memory, once for each
item. If the caller needs nothing behind a frame yet, one item of `SHORT` bytes a frame is enough,
whatever its length, if numpy assigns in the order of the indices: then what an item writes behind
its frame is overwritten by the following frames. numpy promises that for an index that occurs
twice, but not for items that overlap in memory. So `assigns_in_order` tries it once, and without
that order `copy_frames` copies all frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHORT = 128
LONG = 2048
_FEW = 4  # one in so many frames
_PIECE = 1000  # frames whose items are less than malloc(3) maps, and so need no fresh memory


def copy_frames(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> None:
    """Copy frame i, `lengths[i]` bytes at `starts[i]` of `source`, to `places[i]` of `target`.

    Every frame must lie inside `source`, and its place inside `target`.
    """
    if not len(lengths):
        return
    # frexp's exponent of a length is its bit length: class e holds 2**(e-1) … 2**e - 1
    classes = np.frexp(lengths.astype(np.float64))[1]
    for exponent in np.flatnonzero(np.bincount(classes)):
        if exponent == 0:  # empty frames
            continue
        rows = np.flatnonzero(classes == exponent)
        begin, length, place = starts[rows], lengths[rows], places[rows]
        width = 1 << (int(exponent) - 1)
        if width >= LONG:
            _copy_each(source, begin, length, target, place)
            continue
        reads, writes = items_of(source, width), items_of(target, width)
        writes[place] = reads[begin]
        spare = length - width
        writes[place + spare] = reads[begin + spare]


def copy_frames_in_order(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> None:
    """Copy frames as `copy_frames` does, to ascending places, faster.

    May change up to `SHORT` bytes of `target` behind each frame: the caller writes what belongs
    there afterward.
    """
    if len(source) < SHORT or len(target) < SHORT or not IS_IN_ORDER:
        copy_frames(source, starts, lengths, target, places)
        return
    last = len(source) - SHORT
    fits = lengths <= SHORT
    fits &= starts <= last
    stop = int(np.searchsorted(places, len(target) - SHORT, side="right"))
    fits[stop:] = False
    rest = (~fits).nonzero()[0]
    reads, writes = items_of(source, SHORT), items_of(target, SHORT)
    if len(rest) * _FEW <= len(fits):  # then the others may get an item, too
        begin, place = np.minimum(starts[:stop], last), places[:stop]
    else:
        short = fits.nonzero()[0]
        begin, place = starts.take(short), places.take(short)
    for at in range(0, len(place), _PIECE):
        writes[place[at : at + _PIECE]] = reads[begin[at : at + _PIECE]]
    if len(rest):  # after the short ones, which wrote into their places
        copy_frames(source, starts.take(rest), lengths.take(rest), target, places.take(rest))


def items_of(data: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """Return every run of `width` bytes of `data` as an item, indexed by its first byte."""
    return np.ndarray(
        shape=(len(data) - width + 1,), dtype=f"V{width}", buffer=data.data, strides=(1,)
    )


def assigns_in_order(count: int = _PIECE) -> bool:
    """Return True if numpy gives `count` overlapping items to a target in the order of the indices.

    The items are as close as frames without a payload may be, and nearer.
    """
    values = (np.arange(count * SHORT) * 40_503 >> 7).astype(np.uint8).reshape(count, SHORT)
    for step in (3, 60, SHORT - 1):
        target = np.zeros(step * (count - 1) + SHORT, np.uint8)
        place = np.arange(len(target))
        last = np.minimum(place // step, count - 1)  # the last item that covers each byte
        items = items_of(target, SHORT)
        items[np.arange(count) * step] = values.view(items.dtype)[:, 0]
        if not np.array_equal(target, values[last, place - last * step]):
            return False
    return True


IS_IN_ORDER = assigns_in_order()


def _copy_each(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> None:
    triples = zip(starts.tolist(), lengths.tolist(), places.tolist(), strict=True)
    read, written = source.data, target.data  # half the cost of slices of arrays
    for start, length, place in triples:
        written[place : place + length] = read[start : start + length]
