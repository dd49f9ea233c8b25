"""The counters of an epoll loop, which the screen shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class LoopCounters:
    """Counters of a loop since it was made. Times are in seconds of the monotonic clock."""

    waits: int = 0  # epoll_wait calls
    timeouts: int = 0  # waits that returned no event
    events: int = 0  # events returned
    stale: int = 0  # events ignored: their source was removed in the same batch
    kernel_s: float = 0.0  # in epoll_wait, or waiting for the interpreter's lock after it
    handlers_s: float = 0.0  # inside handlers, timers and commands: the loop was busy

    @property
    def wake_ups(self) -> int:
        """Waits that returned at least one event."""
        return self.waits - self.timeouts
