"""The highest rate at which a replay sends, and its duration, for the question about amounts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.forge.review.confirmation import MOST_PER_SECOND
from core.forge.transmit.schedule import ReplayPace, Schedule

MOST_TIMES = 1 << 20  # frames whose times are kept; rawscope asks about more frames anyway


class Density:
    """Finds the densest frames of a capture file at a pace, and how long all of them take."""

    def __init__(self, pace: ReplayPace) -> None:
        self._schedule = Schedule(pace)
        self._due: list[NDArray[np.float64]] = []
        self._frames = 0
        self._last_s = 0.0

    def add(self, batch: Batch) -> None:
        """Add the next frames of the file."""
        due_s = self._schedule.due(batch) if len(batch) else None
        if due_s is not None:
            self._last_s = float(due_s[-1])
            if self._frames < MOST_TIMES:
                self._due.append(due_s)
        self._frames += len(batch)

    def duration_s(self, loops: int) -> float:
        """Return the seconds from the first frame to the last, of `loops` times the file."""
        return self._last_s + (loops - 1) * (self._schedule.next_round_s or 0.0)

    def densest(self, loops: int) -> float | None:
        """Return the highest rate (frames a second) of any `MOST_PER_SECOND` frames in a row.

        The file is sent `loops` times. Return 0.0 if it has not so many frames, and None if the
        pace has no times.
        """
        if not self._due:
            return None if self._frames else 0.0
        due_s = np.concatenate(self._due)
        rounds = min(loops, 2 + MOST_PER_SECOND // len(due_s))
        round_s = self._schedule.next_round_s or 0.0
        due_s = np.concatenate([due_s + number * round_s for number in range(rounds)])
        if len(due_s) <= MOST_PER_SECOND:
            return 0.0
        least_s = float((due_s[MOST_PER_SECOND:] - due_s[:-MOST_PER_SECOND]).min())
        return MOST_PER_SECOND / least_s if least_s else float("inf")
