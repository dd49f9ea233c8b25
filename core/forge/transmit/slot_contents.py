"""The frames in the slots of a TX ring: those that are there already are not copied again.

A replay that repeats a file puts the same frames in again and again. If the ring has a multiple of
them in slots, each frame comes back to the slot that it left from: to send it once more, only its
status has to be set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_SOURCES = 64  # arrays that are remembered; each stays in memory
_UNKNOWN = -1


class SlotContents:
    """The place of the frame in each of `count` slots: the array that it came from, and where."""

    def __init__(self, count: int) -> None:
        self._sources: list[NDArray[np.uint8]] = []
        self._source = np.full(count, _UNKNOWN, np.int64)
        self._offset = np.zeros(count, np.int64)
        self._length = np.zeros(count, np.int64)

    def are(
        self,
        slots: slice,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        length: NDArray[np.int64],
    ) -> bool:
        """Return True if `slots` contain the frames ``data[offset : offset + length]``; (n,)."""
        number = self._number_of(data)
        return number != _UNKNOWN and bool(
            (self._source[slots] == number).all()
            and (self._offset[slots] == offset).all()
            and (self._length[slots] == length).all()
        )

    def note(
        self,
        slots: slice,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        length: NDArray[np.int64],
    ) -> None:
        """Note that these frames were copied into `slots`; nobody may change `data` afterward."""
        number = self._number_of(data)
        if number == _UNKNOWN:
            if len(self._sources) == _MOST_SOURCES:
                self._sources.clear()
                self._source[:] = _UNKNOWN
            number = len(self._sources)
            self._sources.append(data)
        self._source[slots], self._offset[slots], self._length[slots] = number, offset, length

    def forget(self, slots: slice) -> None:
        """Note that `slots` contain something else."""
        self._source[slots] = _UNKNOWN

    def _number_of(self, data: NDArray[np.uint8]) -> int:
        return next((row for row, one in enumerate(self._sources) if one is data), _UNKNOWN)
