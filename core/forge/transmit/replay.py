"""Send the frames of a capture again: with its timing, faster or slower, at a rate, or at once.

Frames leave verbatim through a `TxRing` in the order of the file. Each is due at a time that counts
from the first; all frames that are due are put into the ring together and sent by one call, which
makes up for a short delay. A delay longer than `CATCH_UP_S` shifts all later frames: a process that
was stopped does not send a flood when it continues. `core.forge.transmit.schedule` has the times.

A frame that the capture had cut is sent as it is, and counted; one that is longer than the
interface takes, or shorter than a link header, is omitted, and counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.forge.transmit.encapsulation import OmittedCounts
from core.forge.transmit.pacing import CATCH_UP_S
from core.forge.transmit.schedule import ReplayPace, Schedule
from core.forge.transmit.tx_ring import TxRing
from core.wire.link.ethernet import ETHERNET

_NAP_S = 0.02  # the longest sleep, so that a stop takes effect soon
_AT_ONCE = 8192  # frames between two readings of the clock


class ReplayObserver(Protocol):
    """Records frames before they are sent, and waits between them."""

    def leaving(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], captured: NDArray[np.int64]
    ) -> None:
        """Record frames that are sent next; (n,) arrays. If this raises, none of them is sent."""
        ...

    def left(self, count: int) -> None:
        """Record that only the first `count` of those frames left."""
        ...

    def waiting(self, wait_s: float) -> None:
        """Report that the next frame is due in `wait_s`; called a few times a second."""
        ...


@dataclass(slots=True)
class ReplayCounts:
    """The counts of a replay.

    `cut` of the sent frames had been cut by their capture, and `rewritten` of them were changed
    (`core.forge.transmit.rewrite_rules`). `omitted` are packets that are not in a form that the
    interface sends. Frames of less than `shortest` bytes are too short.
    """

    frames: int = 0
    too_long: int = 0
    too_short: int = 0
    cut: int = 0
    rewritten: int = 0
    shortest: int = ETHERNET.size
    omitted: OmittedCounts = field(default_factory=OmittedCounts)

    def add(
        self,
        captured: NDArray[np.int64],
        original: NDArray[np.uint32],
        fits: NDArray[np.bool_],
        changed: NDArray[np.bool_],
    ) -> None:
        """Count frames of these lengths, of which some fit, and some were changed; (n,) arrays."""
        is_short = captured < self.shortest
        self.frames += len(captured)
        self.too_long += int((~(fits | is_short)).sum())
        self.too_short += int(is_short.sum())
        self.cut += int((fits & (captured < original)).sum())
        self.rewritten += int((fits & changed).sum())

    def take_omitted(self, omitted: OmittedCounts) -> None:
        """Count the packets that an adapter omitted, once."""
        self.omitted = replace(omitted, unsendable=omitted.unsendable.copy())
        self.frames += omitted.total()

    def repeat(self, loops: int) -> None:
        """Count everything `loops` times."""
        self.frames *= loops
        self.too_long *= loops
        self.too_short *= loops
        self.cut *= loops
        self.rewritten *= loops
        self.omitted.repeat(loops)

    @property
    def left_out(self) -> int:
        """The number of frames that were not sent because they cannot be."""
        return self.too_long + self.too_short + self.omitted.total()


class Replay:
    """One replay into a ring. It calls `observer` before and after it sends, and in waits."""

    def __init__(
        self,
        ring: TxRing,
        pace: ReplayPace,
        stopped: Callable[[], bool] = lambda: False,
        observer: ReplayObserver | None = None,
    ) -> None:
        self.counts = ReplayCounts(shortest=ring.shortest)
        self._ring = ring
        self._schedule = Schedule(pace)
        self._stopped = stopped
        self._observer = observer
        self._began_s: float | None = None

    def begin_round(self) -> None:
        """Begin the file again."""
        self._schedule.begin_round()

    def delay_next_round(self, duration_s: float) -> None:
        """Wait before the next round, or until a stop; later frames are due later by this."""
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0 and not self._stopped():
            self._nap(left_s)
        if self._began_s is not None:
            self._began_s += duration_s

    def feed(self, batch: Batch, changed: NDArray[np.bool_] | None = None) -> None:
        """Send a batch, and wait as the pace requires. Raises `SendError`.

        `changed` (n,) are the frames to count as rewritten.
        """
        if not len(batch):
            return
        if changed is None:
            changed = np.zeros(len(batch), bool)
        if self._began_s is None:
            self._began_s = time.monotonic()
        due_s = self._schedule.due(batch)
        at = 0
        while at < len(batch) and not self._stopped():
            now_s = time.monotonic() - self._began_s
            if due_s is not None and (late_s := now_s - float(due_s[at])) > CATCH_UP_S:
                self._began_s += late_s - CATCH_UP_S
                now_s -= late_s - CATCH_UP_S
            ready = len(batch) if due_s is None else int(np.searchsorted(due_s, now_s, "right"))
            stop = min(max(at, ready), at + _AT_ONCE)
            if stop > at:
                self._send(batch.part(at, stop), changed[at:stop])
                at = stop
            elif due_s is not None:
                self._nap(max(0.0, float(due_s[at]) - now_s))

    def _nap(self, wait_s: float) -> None:
        if self._observer is not None:
            self._observer.waiting(wait_s)
        time.sleep(min(_NAP_S, wait_s))

    def _send(self, batch: Batch, changed: NDArray[np.bool_]) -> None:
        offset, captured = batch.offset, batch.captured.astype(np.int64)
        fits = self._ring.fits(batch.data, offset, captured)
        self.counts.add(captured, batch.original, fits, changed)
        offset, captured = offset[fits], captured[fits]
        if not len(offset):
            return
        if self._observer is not None:
            self._observer.leaving(batch.data, offset, captured)
        before = self._ring.sent
        try:
            self._ring.put_many(batch.data, offset, captured, stable=batch.stable)
            self._ring.flush()
        finally:  # if it fails, some may have left before
            if self._observer is not None:
                self._observer.left(self._ring.sent - before)
