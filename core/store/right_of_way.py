"""Urgent work goes first: background work pauses while the user or the kernel waits for other work.

Facts
-----
One thread at a time runs Python. A thread that wants to run waits until the other one calls into
numpy or into the system, or until the switch interval has passed. Then the two take turns, so that
a key beside an analysis is answered in twice the time, and a ring is emptied at half the speed.

Consequences
------------
* A thread that works for a key, or empties a ring, *claims* the right of way until it is done.
* Background work calls `pause` every few milliseconds, which returns when no claim stands.
* A claim ends by itself after its `longest_s`, and a pause after `LONGEST_PAUSE_S`; after that the
  background works for `RUN_S` whatever is claimed. So it gets on under any load.
* A key goes before a ring, too: a thread that empties one calls `yield_to_key` first. The kernel
  keeps the frames meanwhile, for longer than `LONGEST_YIELD_S`.
* A thread with a claim that waits for background work *lends* it the right of way.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

LONGEST_CLAIM_S = 0.1
LONGEST_PAUSE_S = 0.1
RUN_S = 0.005  # after the longest pause
LONGEST_YIELD_S = 0.02  # of a ring to a key


class RightOfWay:
    """The claims of one program. Methods are for any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._claims: dict[Hashable, float] = {}  # when each ends
        self._claimed_until_s = -math.inf  # the last end
        self._key_until_s = -math.inf  # the end of the claim for a key
        self._running_until_s = -math.inf
        self._lent = 0

    @property
    def is_claimed(self) -> bool:
        """True if background work should pause."""
        until_s = self._claimed_until_s
        if until_s == -math.inf or self._lent:
            return False
        return self._running_until_s <= self._clock() < until_s

    def claim(self, owner: Hashable, longest_s: float = LONGEST_CLAIM_S) -> None:
        """Let background work pause until `release`, or for the given seconds from now on."""
        with self._changed:
            self._claims[owner] = self._clock() + longest_s
            self._update()

    def claim_for_key(self, owner: Hashable, longest_s: float = LONGEST_CLAIM_S) -> None:
        """Claim the right of way for the answer to a key, which rings yield to."""
        with self._changed:
            self._key_until_s = self._clock() + longest_s
        self.claim(owner, longest_s)

    def yield_to_key(self, sleep: Callable[[float], object] = time.sleep) -> None:
        """Let a key be answered first: wait for the end of its claim, at most `LONGEST_YIELD_S`."""
        left_s = min(LONGEST_YIELD_S, self._key_until_s - self._clock())
        if left_s > 0:
            sleep(left_s)

    def release(self, owner: Hashable) -> None:
        """End a claim; do nothing without one."""
        with self._changed:
            if self._claims.pop(owner, None) is not None:
                self._update()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let background work run whatever is claimed, because the caller waits for it."""
        with self._changed:
            self._lent += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._lent -= 1

    def pause(self) -> None:
        """Wait until nothing is claimed, at most `LONGEST_PAUSE_S`. Call it in background work."""
        if not self.is_claimed:
            return
        with self._changed:
            end_s = self._clock() + LONGEST_PAUSE_S
            while self.is_claimed:
                left_s = min(end_s, self._claimed_until_s) - self._clock()
                if left_s > 0:
                    self._changed.wait(left_s)
                elif self._clock() >= end_s:
                    self._running_until_s = self._clock() + RUN_S

    def _update(self) -> None:
        self._claimed_until_s = max(self._claims.values(), default=-math.inf)
        self._changed.notify_all()
