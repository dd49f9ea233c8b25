"""The due times of frames, compared with a loop over them; batches may end anywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decode.batch import Batch
from core.forge.transmit.schedule import ReplayPace, Schedule
from core.wire.model.dissection import PacketFlag
from tests.core.decode.support import batch_of

S = 1_000_000_000
HOURS_18 = 65_536 * S

Times = list[int | None]


def batch_at(times: Times) -> Batch:
    """Return frames at these times (ns); None: without a time, as in a Simple Packet Block."""
    batch = batch_of([b"x"] * len(times), times_ns=[0 if one is None else one for one in times])
    flags = [PacketFlag.TIME_INVALID if one is None else 0 for one in times]
    return replace(batch, flags=np.array(flags, np.uint16))


def due_of(pace: ReplayPace, *batches: Times) -> list[float]:
    schedule = Schedule(pace)
    due: list[float] = []
    for times in batches:
        found = schedule.due(batch_at(times))
        assert found is not None
        due += found.tolist()
    return due


def expected(times: Times, speed: float, max_gap_s: float | None) -> list[float]:
    latest: int | None = None
    at_s, due = 0.0, []
    for time in times:
        if time is not None and latest is not None and time > latest:
            gap_s = (time - latest) / S / speed
            at_s += gap_s if max_gap_s is None else min(gap_s, max_gap_s)
        if time is not None:
            latest = time if latest is None else max(latest, time)
        due.append(at_s)
    return due


@given(
    st.lists(st.none() | st.integers(0, 2 * HOURS_18), min_size=1, max_size=12),
    st.sampled_from([0.5, 1.0, 3.0, 1e6]),
    st.none() | st.sampled_from([0.0, 0.25, 60.0, 1e30]),
    st.integers(1, 12),
)
def test_gaps_are_limited_and_a_frame_without_a_time_has_none(
    times: Times, speed: float, max_gap_s: float | None, cut: int
) -> None:
    pace = ReplayPace(speed, max_gap_s=max_gap_s)
    parts = [part for part in (times[:cut], times[cut:]) if part]
    wanted = pytest.approx(expected(times, speed, max_gap_s), rel=1e-9, abs=1e-6)
    assert due_of(pace, *parts) == wanted


def test_the_cases_of_the_captures_that_stalled() -> None:
    day = 1_796_000_000 * S
    gap: Times = [day, day + HOURS_18, day + HOURS_18 + S // 10]
    assert due_of(ReplayPace(), gap) == pytest.approx([0, 65_536, 65_536.1])
    assert due_of(ReplayPace(max_gap_s=1), gap) == pytest.approx([0, 1, 1.1])
    assert due_of(ReplayPace(2.0, max_gap_s=1), gap) == pytest.approx([0, 1, 1.05])
    simple: Times = [None, day, None, day + S, None]
    assert due_of(ReplayPace(), simple) == pytest.approx([0, 0, 0, 1, 1])
    assert due_of(ReplayPace(), [None], [None, day], [day + S]) == pytest.approx([0, 0, 0, 1])


def test_megabits_count_the_bytes_of_the_frames_before() -> None:
    """Of 1,250 bytes each, 100 a second at 1 Mbit/s; the next batch and round continue."""
    schedule = Schedule(ReplayPace(mbit=1.0))
    batch = batch_of([bytes(1250)] * 3, times_ns=[0, 0, 0])
    for first in (0, 3):
        due = schedule.due(batch)
        assert due is not None
        assert due.tolist() == pytest.approx([0.01 * (first + number) for number in range(3)])
        schedule.begin_round()


def test_a_time_of_1970_is_a_time() -> None:
    assert due_of(ReplayPace(), [0, S, 3 * S]) == [0, 1, 3]


def test_the_next_round_continues() -> None:
    for pace, wanted in ((ReplayPace(), [2, 4]), (ReplayPace(rate=4.0), [0.5, 0.75])):
        schedule = Schedule(pace)
        schedule.due(batch_at([5 * S, 7 * S]))
        schedule.begin_round()
        due = schedule.due(batch_at([5 * S, 7 * S]))
        assert due is not None
        assert due.tolist() == wanted
    assert Schedule(ReplayPace(None)).due(batch_at([1])) is None
