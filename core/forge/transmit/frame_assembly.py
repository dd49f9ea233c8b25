"""Select and copy frames of a batch, and put new headers before them, as columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch

Rows: TypeAlias = NDArray[np.int64]
_WIDTHS = (128, 512)  # bytes: frames up to each are copied together, and longer ones
_ROW_WIDTHS = (128, 512, 2048, 8192, 16384, 32768)  # bytes: packets up to each share one width


def copy_frames(
    slots: NDArray[np.uint8],
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
) -> None:
    """Copy frames ``data[offset : offset + length]`` to the beginnings of as many slots, (n, room).

    Frames of similar length are copied together, in the width of the longest one: the bytes after a
    shorter one in its slot are not sent. Each is one element of a void type, which NumPy copies
    twice as fast as a row of bytes. Frames of one size are evenly spaced in a file, and need no
    index.
    """
    if not length.max(initial=0):
        return
    steps = np.diff(offset)
    if len(steps) and (steps == steps[0]).all() and steps[0] >= length.max():
        width = int(length.max())
        rows = np.lib.stride_tricks.sliding_window_view(data, width)[offset[0] :: steps[0]]
        slots[: len(rows), :width] = rows[: len(offset)]
        slots, offset, length = slots[len(rows) :], offset[len(rows) :], length[len(rows) :]
    classes = np.searchsorted(_WIDTHS, length)
    for each in np.unique(classes).tolist():
        chosen = np.flatnonzero(classes == each)
        width = max(1, int(length[chosen].max()))
        inside = offset[chosen] + width <= len(data)
        for row in chosen[~inside].tolist():  # the last ones in `data`
            frame = data[offset[row] : offset[row] + length[row]]
            slots[row, : len(frame)] = frame
        chosen = chosen[inside]
        if len(chosen):
            whole = np.lib.stride_tricks.sliding_window_view(data, width).view(f"V{width}")
            slots[:, :width].view(f"V{width}")[chosen, 0] = whole[offset[chosen], 0]


def joined(
    data: NDArray[np.uint8],
    at: Rows,
    size: Rows,
    heads: NDArray[np.uint8],
    has_head: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], Rows, Rows]:
    """Return the packets ``data[at : at + size]`` after their headers: bytes, offsets, lengths.

    `heads` (m, width) are the headers of the m packets for which `has_head` (n,) is True, in order.
    The bytes have gaps: packets of similar length are in rows of one width.
    """
    width = heads.shape[1]
    length = size + np.where(has_head, width, 0)
    offset = np.zeros(len(at), np.int64)
    number = np.cumsum(has_head) - 1  # of a packet's header
    classes = np.searchsorted(_ROW_WIDTHS, size)
    blocks, end = [], 0
    for each in np.unique(classes).tolist():
        chosen = np.flatnonzero(classes == each)
        rows = np.zeros((len(chosen), width + int(size[chosen].max())), np.uint8)
        copy_frames(rows[:, width:], data, at[chosen], size[chosen])
        headed = has_head[chosen]
        rows[headed, :width] = heads[number[chosen[headed]]]
        offset[chosen] = end + np.arange(len(chosen)) * rows.shape[1] + np.where(headed, 0, width)
        blocks.append(rows.ravel())
        end += rows.size
    return np.concatenate([np.zeros(0, np.uint8), *blocks]), offset, length


def with_frames(batch: Batch, data: NDArray[np.uint8], offset: Rows, length: Rows) -> Batch:
    """Return the batch with frames ``data[offset : offset + length]`` in place of its own; (n,).

    Each frame lacks as many bytes as its capture had cut.
    """
    cut = np.maximum(batch.original.astype(np.int64) - batch.captured, 0)
    return replace(
        batch,
        data=data,
        offset=offset,
        captured=length.astype(np.uint32),
        original=(length + cut).astype(np.uint32),
    )


def repeated(batch: Batch, times: int) -> Batch:
    """Return the packets of a batch `times` times, over the same bytes, without comments."""
    return selected(batch, np.tile(np.arange(len(batch)), times))


def selected(batch: Batch, rows: NDArray[np.bool_] | Rows) -> Batch:
    """Return some packets of a batch, over the same bytes, without comments."""
    return replace(
        batch,
        offset=batch.offset[rows],
        captured=batch.captured[rows],
        original=batch.original[rows],
        timestamp_ns=batch.timestamp_ns[rows],
        interface=batch.interface[rows],
        flags=batch.flags[rows],
        comments={},
        options={},
    )
