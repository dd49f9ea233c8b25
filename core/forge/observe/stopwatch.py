"""Measure the delay of replies by timestamps of a clock that may be stepped."""

from __future__ import annotations

import time
from collections.abc import Callable

SLACK_NS = 1_000_000_000  # the longest time from a frame's timestamp to its processing


class Stopwatch:
    """Measures from the newest copy of a packet. `clock` returns monotonic nanoseconds.

    The wall clock stamps copies and replies. A step between the two shows in the delay: a step back
    makes it negative, a step forward makes it longer than the time since the copy was seen. A step
    of less than `SLACK_NS` cannot be distinguished from a frame that was processed late.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._copy: tuple[int, int] | None = None  # its time stamp, and when it was seen

    def start(self, timestamp_ns: int) -> None:
        """Count from a copy with this timestamp (ns), seen now."""
        self._copy = timestamp_ns, self._clock()

    def delay_ns(self, timestamp_ns: int) -> int | None:
        """Return the time from the copy to a reply with this timestamp, in ns.

        None if no copy was seen, or if the clock of the timestamps was stepped since.
        """
        if self._copy is None:
            return None
        copy_ns, seen_ns = self._copy
        delay = timestamp_ns - copy_ns
        return delay if 0 <= delay <= self._clock() - seen_ns + SLACK_NS else None
