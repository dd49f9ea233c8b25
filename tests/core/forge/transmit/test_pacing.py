"""The rate is a bound, too: who was held up does not flood. Clock and socket are made up."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from core.decode.batch import Batch
from core.forge.transmit.pacing import CATCH_UP_S, send_packets
from core.forge.transmit.replay import Replay
from core.forge.transmit.schedule import ReplayPace
from core.forge.values import SendPlan

RATE = 500.0


class Clock:
    """Time that passes by sleeping; the process is stopped for `stall_s` after `stall_at_s`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stall_at_s: float, stall_s: float) -> None:
        self.now_s = 1000.0
        self._stall_at_s = self.now_s + stall_at_s
        self._stall_s = stall_s
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, duration_s: float) -> None:
        self.now_s += max(duration_s, 1e-4)
        if self._stall_s and self.now_s > self._stall_at_s:
            self.now_s += self._stall_s
            self._stall_s = 0.0


class Taker:
    """An injector and a ring in one: notes when it was given how many."""

    longest, shortest = 2000, 14

    def fits(self, data, offset, length):
        return length <= self.longest

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sent = 0
        self.times_s: list[float] = []

    def send(self, packet: bytes) -> None:
        self.times_s.append(self._clock.now_s)

    def send_burst(self, packet: bytes, count: int) -> int:
        self.times_s += [self._clock.now_s] * count
        return count

    def put_many(self, data: Any, offset: Any, length: Any, *, stable: bool) -> None:
        self.times_s += [self._clock.now_s] * len(offset)
        self.sent += len(offset)

    def flush(self) -> None:
        """Nothing waits."""

    def most_within(self, window_s: float) -> int:
        times = np.array(self.times_s)
        return int((np.searchsorted(times, times + window_s) - np.arange(len(times))).max())


@pytest.mark.parametrize("packets", [[b"a"], [b"a", b"b"]], ids=["bursts", "in turns"])
def test_a_stall_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch, packets: list[bytes]) -> None:
    clock = Clock(monkeypatch, 1.0, 3.0)
    taker = Taker(clock)
    progress = send_packets(taker, packets, SendPlan(2000 // len(packets), RATE))  # type: ignore[arg-type]
    assert progress.sent == len(taker.times_s) == 2000
    assert taker.most_within(0.1) <= 0.2 * RATE + 2
    assert progress.elapsed_s == pytest.approx(2000 / RATE + 3.0 - CATCH_UP_S, abs=0.05)


def test_a_moments_delay_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1.0, CATCH_UP_S / 2)
    progress = send_packets(Taker(clock), [b"a"], SendPlan(2000, RATE))  # type: ignore[arg-type]
    assert progress.elapsed_s == pytest.approx(1999 / RATE, abs=0.01)


@pytest.mark.parametrize("pace", [ReplayPace(), ReplayPace(rate=RATE), ReplayPace(None)])
def test_a_pause_delays_the_next_round(monkeypatch: pytest.MonkeyPatch, pace: ReplayPace) -> None:
    sizes = np.full(2, 60, np.uint32)
    times_ns, zeros = np.array([1, 1 + int(1e9 / RATE)], np.int64), np.zeros(2, np.uint16)
    offsets = np.array([0, 60], np.int64)
    batch = Batch(np.zeros(120, np.uint8), offsets, sizes, sizes, times_ns, zeros, zeros)
    taker = Taker(Clock(monkeypatch, 1.0, 0.0))
    replay = Replay(taker, pace)  # type: ignore[arg-type]
    for number in range(3):
        if number:
            replay.delay_next_round(5.0)
        replay.begin_round()
        replay.feed(batch)
    assert np.diff(taker.times_s)[1::2] == pytest.approx([5.0] * 2, abs=0.01)
    assert replay.counts.frames == 6


@pytest.mark.parametrize(
    "pace", [ReplayPace(rate=RATE), ReplayPace(speed=2.0)], ids=["rate", "speed"]
)
def test_a_stalled_replay_does_not_flood(monkeypatch: pytest.MonkeyPatch, pace: ReplayPace) -> None:
    count = 2000
    sizes = np.full(count, 60, np.uint32)
    times_ns = np.arange(count, dtype=np.int64) * int(2e9 / RATE)
    zeros = np.zeros(count, np.uint16)
    offsets = np.arange(count, dtype=np.int64) * 60
    batch = Batch(np.zeros(60 * count, np.uint8), offsets, sizes, sizes, times_ns, zeros, zeros)
    clock = Clock(monkeypatch, 1.0, 3.0)
    taker = Taker(clock)
    Replay(taker, pace).feed(batch)  # type: ignore[arg-type]
    assert len(taker.times_s) == count
    assert taker.most_within(0.1) <= 0.2 * RATE + 2
