"""The pace: decides when the next frame may be written. No I/O and no clock.

Facts
-----
* A pty or ssh buffers 64 KiB or more. A write into the buffer returns at once, long before the
  user sees its effect: at 9600 baud the buffer holds a minute of old frames.
* A terminal answers a question (a cursor position request, ``ESC [ 6 n``) when it has read
  that far. A question after each frame shows when the frame is on the screen.
* A terminal may never answer, an answer may be lost, and it may arrive late.

Consequences
------------
* A frame may be written while at most `WINDOW_BYTES` are unanswered, or the amount that the
  terminal reads in `WINDOW_S`. A key then need not wait for the answer to the previous key; at 9600
  baud the window takes a second.
* Questions carry tags, and an answer names its question, so a late answer acknowledges nothing
  newer. While all tags are in use, the next frame waits.
* Without an answer, the terminal gets time in proportion to the bytes written
  (`LEAST_BYTES_PER_S`). Then the answers count as lost.
* A terminal that has not answered before gets frames at a rate that any emulator handles. The
  questions are kept, so that the pace is known at once when it does answer.
* Changes that no key caused (new packets, rates, the time) wait longer: until the last frame is on
  the screen, and once more as long as that took. The other half of the time is for keys.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

TAGS = 16
WINDOW_BYTES = 1024
WINDOW_S = 0.05
LEAST_S = 2.0
LEAST_BYTES_PER_S = 480  # half of 9600 baud
LONGEST_REST_S = 2.0
_FORGOTTEN = 0.2  # of the rate at each answer, so that the rate can fall
SILENT_BYTES_PER_S = 100_000
SILENT_FOLLOW_S = 0.25


@dataclass(frozen=True, slots=True)
class _Question:
    tag: int
    size_bytes: int
    asked_s: float


class FramePace:
    """The bytes written and not yet answered. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.answers = False  # True if the terminal has answered before
        self._open: deque[_Question] = deque()
        self._tags = TAGS
        self._newest: int | None = None  # the tag of the newest question while it is open
        self._count = 0
        self._changed_s = -math.inf  # the time of the last question or answer
        self._rest_until_s = -math.inf
        self._bytes_per_s = 0.0  # the measured rate of the terminal

    @property
    def unanswered_bytes(self) -> int:
        """Bytes written that the terminal has not acknowledged."""
        return sum(question.size_bytes for question in self._open)

    @property
    def awaits_answer(self) -> bool:
        """True if an answer may still arrive, from a terminal that has answered before."""
        return self.answers and self._newest is not None

    def add_question(self, size_bytes: int, now_s: float, tags: int = TAGS) -> int:
        """Record a frame of this size and the question after it; return the question's tag.

        The tag is in ``range(tags)`` and differs from those of all open questions: if too many are
        open, the oldest are dropped.
        """
        self._tags = tags
        self._count += 1
        tag = self._newest = self._count % tags
        while len(self._open) >= tags or any(question.tag == tag for question in self._open):
            self._open.popleft()
        self._open.append(_Question(tag, size_bytes, now_s))
        self._changed_s = now_s
        return tag

    def add_answer(self, tag: int, now_s: float) -> None:
        """Record an answer to the question with that tag and to all earlier ones.

        An answer to a question that is not open is late and has no effect.
        """
        self.answers = True
        if tag == self._newest:
            self._newest = None
        if all(question.tag != tag for question in self._open):
            return
        self._changed_s = now_s
        while True:
            question = self._open.popleft()
            if question.tag == tag:
                break
        took_s = now_s - question.asked_s
        rate = question.size_bytes / took_s if took_s > 0 else 0.0
        self._bytes_per_s = max(rate, self._bytes_per_s * (1 - _FORGOTTEN))
        self._rest_until_s = now_s + min(took_s, LONGEST_REST_S)

    def forget(self) -> None:
        """Start measuring again, after another program used the terminal or its size changed.

        Answers to earlier questions may still arrive (`awaits_answer`).
        """
        self._open.clear()

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until a frame may be written without an answer; 0 for now."""
        has_tag = len(self._open) < self._tags or not self.answers
        window_bytes = max(WINDOW_BYTES, self._bytes_per_s * WINDOW_S)
        if has_tag and self.unanswered_bytes <= window_bytes:
            return 0.0
        left_s = self._changed_s + self._limit_s - now_s
        if left_s <= 0 and self.answers:
            self._open.clear()
        return max(0.0, left_s)

    def may_follow(self, now_s: float) -> bool:
        """Return True if changes that no key caused may be shown."""
        if not self.answers:
            return now_s >= self._changed_s + max(self._limit_s, SILENT_FOLLOW_S)
        if self._open and now_s < self._changed_s + self._limit_s:
            return False
        return now_s >= self._rest_until_s

    @property
    def _limit_s(self) -> float:
        """The time that the terminal has for the last output, in seconds."""
        if self.answers:
            return LEAST_S + self.unanswered_bytes / LEAST_BYTES_PER_S
        return self._open[-1].size_bytes / SILENT_BYTES_PER_S if self._open else 0.0
