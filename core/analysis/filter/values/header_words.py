"""Values of header fields, eight bytes of each header at a time.

Gathering bytes from places all over a chunk is what reading a field costs, whether two bytes or
eight. So eight bytes of each header are gathered and kept: the next field of the same eight bytes
(the other port, the other address) costs a shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind

WORD = 8  # bytes


class HeaderWords:
    """Reads fields of many headers in one array of bytes, and keeps what it gathered.

    Headers are named by the array of their starts (k,) int64, which must stay unchanged.
    """

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data = data
        self._kept: dict[int, tuple[NDArray[np.int64], dict[int, NDArray[np.uint8]]]] = {}

    def numbers(self, slot: PlacedField, starts: NDArray[np.int64]) -> NDArray[Any]:
        """Return the values of a field, as `PlacedField.column` does."""
        first, stop = slot.span
        if slot.field.kind is Kind.BYTES or slot.table.size < WORD or stop - first > WORD:
            return slot.column(self.data, starts)
        word, at = self._word(slot, starts)
        width = 1 << (stop - first - 1).bit_length()  # the smallest of 1, 2, 4, 8 that holds it
        before = min(first - at, WORD - width)
        unread = 8 * (at + before + width - slot.table.start) - slot.first_bit - slot.field.bits
        values: NDArray[Any] = np.ndarray(
            (len(starts),), f">u{width}", word.data, before, (WORD,)
        ).astype(f"u{width}")
        if slot.field.bits < 8 * width:
            if unread:
                values >>= values.dtype.type(unread)
            values &= values.dtype.type((1 << slot.field.bits) - 1)
        if slot.field.unit != 1:
            values = values.astype(np.uint32 if width < WORD else np.uint64) * slot.field.unit
        return values

    def byte_rows(
        self, slot: PlacedField, starts: NDArray[np.int64], size: int
    ) -> NDArray[np.uint8]:
        """Return the `size` bytes of a field in each header, (k, size) uint8."""
        if size <= WORD <= slot.table.size:
            word, at = self._word(slot, starts)
            return np.ascontiguousarray(word[:, slot.span.start - at : slot.span.start - at + size])
        return byte_rows(self.data, starts + slot.span.start, size)

    def _word(self, slot: PlacedField, starts: NDArray[np.int64]) -> tuple[NDArray[np.uint8], int]:
        """Return eight bytes of each header that hold a field, (k, 8), and their offset."""
        owner, words = self._kept.setdefault(id(starts), (starts, {}))
        assert owner is starts
        for at, word in words.items():
            if at <= slot.span.start and slot.span.stop <= at + WORD:
                return word, at
        at = min(slot.span.start, slot.table.stop - WORD)
        words[at] = self._words_at(starts + at)
        return words[at], at

    def _words_at(self, starts: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return eight bytes from each start, (k, 8). Bytes after the end of the data are junk.

        The capture may have cut the last header in the data after the field.
        """
        is_over = starts > len(self.data) - WORD
        if not is_over.any():
            return byte_rows(self.data, starts, WORD)
        words = np.empty((len(starts), WORD), np.uint8)
        words[~is_over] = byte_rows(self.data, starts[~is_over], WORD)
        places = starts[is_over, None] + np.arange(WORD)
        words[is_over] = self.data.take(places, mode="clip")
        return words


def byte_rows(data: NDArray[np.uint8], starts: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Return the `size` bytes at every start, (k, size) uint8. All must lie inside `data`."""
    if not len(starts):
        return np.zeros((0, size), np.uint8)
    kind = np.uint64 if size == WORD else f"V{size}"
    view: NDArray[Any] = np.ndarray((len(data) - size + 1,), kind, data.data, 0, (1,))
    return view[starts].view(np.uint8).reshape(-1, size)
