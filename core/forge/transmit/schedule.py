"""The due times of the frames of a replay: their captured times, or those of a rate.

Captured times count by the gaps between frames. A time that goes backward counts as the latest
before it. A frame without a time (a Simple Packet Block of pcapng) has no gap: it is due together
with the frame before it, and the gap of the frame after it counts from the latest known time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.wire.model.dissection import PacketFlag

_S = 1e-9
_NO_TIME = np.iinfo(np.int64).min
_NO_LIMIT = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class ReplayPace:
    """`speed` times the captured timing, `rate` frames a second, or `mbit` Mbit/s; else at once.

    `max_gap_s` limits the wait between two frames at their captured timing, in seconds as they pass
    during the replay.
    """

    speed: float | None = 1.0
    rate: float | None = None
    max_gap_s: float | None = None
    mbit: float | None = None

    @property
    def is_captured(self) -> bool:
        """True if frames follow the captured timing."""
        return self.rate is None and self.mbit is None and self.speed is not None


class Schedule:
    """The due times of frames, batch by batch in the order of the file."""

    def __init__(self, pace: ReplayPace) -> None:
        self._pace = pace
        self._frames = 0
        self._bits = 0
        self._latest_ns = int(_NO_TIME)
        self._elapsed_ns = 0  # captured time of the latest frame, with limited gaps

    def begin_round(self) -> None:
        """Continue with the first frame of the file, which has no captured gap."""
        self._latest_ns = int(_NO_TIME)

    @property
    def next_round_s(self) -> float | None:
        """The time at which the first frame of a next round is due, in seconds; None: at once."""
        pace = self._pace
        if pace.rate is not None:
            return self._frames / pace.rate
        if pace.mbit is not None:
            return self._bits / (pace.mbit * 1e6)
        return None if pace.speed is None else self._elapsed_ns * (_S / pace.speed)

    def due(self, batch: Batch) -> NDArray[np.float64] | None:
        """Return when each frame is due, (n,) seconds since the first of all; None: at once.

        `batch` has at least one frame.
        """
        pace, first = self._pace, self._frames
        self._frames += len(batch)
        if pace.rate is not None:
            return (first + np.arange(len(batch))) / pace.rate
        if pace.mbit is not None:
            return self._after_bits(batch, pace.mbit)
        if pace.speed is None:
            return None
        elapsed_ns = self._elapsed_ns + np.cumsum(self._gaps(batch, pace.speed))
        self._elapsed_ns = int(elapsed_ns[-1])
        return np.asarray(elapsed_ns * (_S / pace.speed), np.float64)

    def _after_bits(self, batch: Batch, mbit: float) -> NDArray[np.float64]:
        """Return when the frames before each one have passed at `mbit` Mbit/s, (n,) seconds."""
        bits = batch.captured.astype(np.int64) * 8
        ends = self._bits + np.cumsum(bits)
        self._bits = int(ends[-1])
        return (ends - bits) / (mbit * 1e6)

    def _gaps(self, batch: Batch, speed: float) -> NDArray[np.int64]:
        """Return (n,) the captured time between each frame and the one before it, limited (ns)."""
        has_time = (batch.timestamp_ns != 0) | (batch.flags & PacketFlag.TIME_INVALID == 0)
        times = np.where(has_time, batch.timestamp_ns, _NO_TIME)
        latest = np.maximum.accumulate(np.append(self._latest_ns, times))
        self._latest_ns = int(latest[-1])
        gaps = np.where(latest[:-1] == _NO_TIME, 0, latest[1:] - latest[:-1])
        if self._pace.max_gap_s is None:
            return gaps
        limit = self._pace.max_gap_s * speed / _S
        return np.minimum(gaps, int(limit) if limit < _NO_LIMIT else _NO_LIMIT)
