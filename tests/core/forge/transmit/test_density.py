"""The highest rate of a replay, from the times of its frames."""

from __future__ import annotations

import pytest

from core.forge.transmit.density import Density
from core.forge.transmit.schedule import ReplayPace
from tests.core.decode.support import batch_of


def density_of(times_ns: list[int], pace: ReplayPace) -> Density:
    density = Density(pace)
    density.add(batch_of([b"x"] * len(times_ns), times_ns=times_ns))
    return density


@pytest.mark.parametrize(
    ("gap_ns", "count", "speed", "loops", "rate"),
    [
        (10_000_000, 2000, 1.0, 1, 100.0),
        (10_000_000, 2000, 50.0, 1, 5000.0),
        (10_000_000, 2000, 1e12, 1, 1e14),
        (10_000_000, 2000, float("inf"), 1, float("inf")),
        (0, 1001, 1.0, 1, float("inf")),
        (0, 1000, 1.0, 1, 0.0),
        (0, 10, 1.0, 1000, float("inf")),
        (1_000_000, 100, 2.0, 100, 2000.0),
    ],
)
def test_the_rate_is_that_of_the_time_stamps(
    gap_ns: int, count: int, speed: float, loops: int, rate: float
) -> None:
    density = density_of([1 + gap_ns * number for number in range(count)], ReplayPace(speed))
    assert density.densest(loops) == pytest.approx(rate, rel=0.02)


def test_a_dense_second_in_a_slow_capture_counts() -> None:
    times = [1_000_000_000 * number for number in range(100)]
    times += [times[-1] + 100_000 * number for number in range(1500)]
    density = density_of(times, ReplayPace())
    assert density.densest(1) == pytest.approx(10_000, rel=0.01)
    assert density.duration_s(1) == pytest.approx(99.15, rel=0.001)
    assert density_of(times, ReplayPace(0.5)).duration_s(3) == pytest.approx(6 * 99.15, rel=0.001)


def test_limited_gaps_count() -> None:
    """Of 1,500 frames an hour apart, none of which waits longer than a tenth of a millisecond."""
    times = [1 + 3_600_000_000_000 * number for number in range(1500)]
    assert density_of(times, ReplayPace()).densest(1) == pytest.approx(1 / 3600)
    pace = ReplayPace(max_gap_s=1e-4)
    assert density_of(times, pace).densest(1) == pytest.approx(10_000, rel=0.01)


@pytest.mark.parametrize(
    ("pace", "count", "loops", "seconds"),
    [
        (ReplayPace(rate=2.0), 3, 1, 1.0),
        (ReplayPace(rate=2.0), 3, 3, 4.0),
        (ReplayPace(mbit=8e-6), 3, 1, 2.0),
        (ReplayPace(mbit=8e-6), 3, 3, 8.0),
        (ReplayPace(mbit=8e-6), 1, 5, 4.0),
    ],
)
def test_rounds_follow_each_other_at_the_rate(
    pace: ReplayPace, count: int, loops: int, seconds: float
) -> None:
    """The frames have a byte each."""
    assert density_of([0] * count, pace).duration_s(loops) == pytest.approx(seconds)


def test_one_frame_again_and_again_has_the_rate_of_its_bits() -> None:
    assert density_of([0], ReplayPace(mbit=8e-3)).densest(5000) == pytest.approx(1000.0)


def test_without_times_or_frames() -> None:
    assert density_of([1, 2], ReplayPace(None)).densest(1) is None
    assert Density(ReplayPace()).densest(1) == 0.0
