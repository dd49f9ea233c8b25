"""How long after a packet its replies came, by time stamps of a clock that may be stepped."""

from __future__ import annotations

import time
from collections.abc import Callable

SLACK_NS = 1_000_000_000  # by which a frame may be looked at after it was stamped


class Stopwatch:
    """Measures from the newest copy of a packet. `clock` returns monotonic nanoseconds.

    Copies and replies are stamped by the wall clock. A step between the two shows in the delay: a
    step back makes it negative, a step forward makes it longer than the time since the copy was
    seen. Steps of less than `SLACK_NS` cannot be told from a frame that was looked at late.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._copy: tuple[int, int] | None = None  # its time stamp, and when it was seen

    def start(self, timestamp_ns: int) -> None:
        """Count from a copy with this time stamp (ns), which is seen now."""
        self._copy = timestamp_ns, self._clock()

    def delay_ns(self, timestamp_ns: int) -> int | None:
        """Return the time from the copy to a reply with this time stamp, in ns.

        None if no copy was seen, or the clock of the time stamps was stepped since.
        """
        if self._copy is None:
            return None
        copy_ns, seen_ns = self._copy
        delay = timestamp_ns - copy_ns
        return delay if 0 <= delay <= self._clock() - seen_ns + SLACK_NS else None
