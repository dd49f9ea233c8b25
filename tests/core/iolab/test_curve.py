"""A wake-up costs select and poll more the more they watch, and costs epoll the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from core.iolab.lab import LabError, run_curve
from core.iolab.process_state import describe
from core.iolab.results import CurvePoint

COUNTS = (10, 300, 3000)


@pytest.fixture(scope="module")
def points():
    return {(point.mechanism, point.descriptors): point for point in run_curve(COUNTS)}


def test_all_points_are_there(points):
    assert set(points) == {(name, n) for name in ("select", "poll", "epoll") for n in COUNTS}


def test_poll_and_select_grow(points):
    assert points["poll", 300].least_us > 4 * points["poll", 10].least_us
    assert points["poll", 3000].least_us > 4 * points["poll", 300].least_us
    assert points["select", 300].least_us > 4 * points["select", 10].least_us


def test_epoll_stays_flat(points):
    assert points["epoll", 3000].least_us < 3 * points["epoll", 10].least_us


def test_select_ends_at_fd_setsize_and_says_so(points):
    refused = points["select", 3000]
    assert refused.median_us is None
    assert "below 1024 (FD_SETSIZE)" in refused.refused


def test_more_descriptors_than_allowed_is_reported():
    (select, poll, epoll) = run_curve([10_000_000])
    assert "descriptors (ulimit -n)" in poll.refused
    assert select.median_us is poll.median_us is epoll.median_us is None


def test_curve_can_be_canceled():
    assert list(run_curve(COUNTS, lambda: True)) == []


def _instead(monkeypatch, code):
    """Another program in the place of the curve's process."""
    whole = subprocess.Popen
    monkeypatch.setattr(
        "core.iolab.child_process.subprocess.Popen",
        lambda _command, **options: whole([sys.executable, "-c", code], **options),
    )


def test_curve_can_be_canceled_while_a_point_is_measured(monkeypatch):
    _instead(monkeypatch, "import time; time.sleep(3600)")
    asked = iter((False, False, True))
    assert list(run_curve(COUNTS, lambda: next(asked, True))) == []


def test_each_point_arrives_when_measured_also_two_in_one_read(monkeypatch):
    point = json.dumps(asdict(CurvePoint("poll", 10, 1.0, 1.0)))
    _instead(monkeypatch, f"import time; print({point!r}, {point!r}, sep='\\n', flush=True); "
                          "time.sleep(3600)")  # fmt: skip
    points = run_curve(COUNTS)
    assert next(points) == next(points)
    points.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('no room')", "no room"),
        ("import os; os.abort()", "it ended without an error message"),
    ],
)
def test_a_curve_that_breaks_off_is_an_error(monkeypatch, code, words):
    _instead(monkeypatch, code)
    with pytest.raises(LabError, match=words):
        list(run_curve(COUNTS))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("ep_poll", "asleep in epoll_wait"),
        ("0", "asleep (kernel function unknown)"),
        ("new_in_linux_9", "new_in_linux_9"),
    ],
)
def test_kernel_functions_in_words(function, words):
    assert describe(function) == words
