"""The reports of a replay while it waits. The clock is made up."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.cli.send.replay_output import ReplayReport, write_dry_run
from core.forge.replay_job import ReplayForecast, ReplayPlan
from core.forge.transmit.replay import ReplayCounts
from core.forge.transmit.rewrite_rules import RewriteRules
from core.forge.transmit.schedule import ReplayPace

HINT = "--max-gap SECONDS limits such a gap"
EPOCH_S = 1_796_000_000.0


class Clock:
    """Time that passes when the test says so; `during` is a wait as `Replay` does it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(time, "time", lambda: EPOCH_S + self.now_s - 1000.0)

    def during(self, report: ReplayReport, wait_s: float, until_left_s: float = 0.0) -> None:
        end_s = self.now_s + wait_s
        while end_s - self.now_s > until_left_s:
            report.waiting(end_s - self.now_s)
            self.now_s += 0.25


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def report_of(sent: int, *, as_json: bool = False) -> ReplayReport:
    ring: Any = SimpleNamespace(sent=sent)
    return ReplayReport("veth9", 4, ring, None, as_json, HINT)


def test_a_wait_is_reported_at_once_and_once_a_minute(
    clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    report = report_of(1)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(EPOCH_S + 65_536))
    clock.during(report, 65_536, 65_535)
    first = capfd.readouterr().err
    assert first == (
        f"rawscope: 1 of 4 frames sent; the next is due at {at}, in 18 h 12 min ({HINT})\n"
    )
    clock.during(report, 65_535, 65_350)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(f"the next is due at {at}, in 18 h " in line for line in lines)
    assert not any(HINT in line for line in lines)


def test_each_long_wait_is_reported_and_no_short_one(
    clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    report = report_of(2)
    for wait_s in (0.9, 2.0, 0.5, 3.0):
        clock.during(report, wait_s)
    assert [line.rpartition(", ")[2] for line in capfd.readouterr().err.splitlines()] == [
        "in 2 s",
        "in 3 s",
    ]


def test_a_wait_in_json(clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    report_of(1, as_json=True).waiting(90.0)
    out, said = capfd.readouterr()
    assert json.loads(out) == {
        "event": "progress", "sent": 1, "of": 4, "next_in": 90.0, "next_at": EPOCH_S + 90
    }  # fmt: skip
    assert said == ""


def test_numbers_have_thousands_separators_in_text_only(
    clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    total = ReplayCounts(frames=1_500_000, rewritten=70_000)
    ring: Any = SimpleNamespace(sent=1_234_567)
    rules = RewriteRules(fixes_checksums=True)
    for as_json in (False, True):
        report = ReplayReport("veth9", 1_500_000, ring, None, as_json, rules=rules)
        clock.now_s += 2
        report.end(total, interrupted=False)
        plan = ReplayPlan("a.pcap", ReplayPace(), rules=rules)
        write_dry_run("veth9", ReplayForecast(total, None, 0, 0), plan, as_json)
    texts = [line for line in capfd.readouterr().out.splitlines() if not line.startswith("{")]
    assert texts[0].startswith("sent 1,234,567 of 1,500,000 frames in ")
    assert texts[0].endswith(", 70,000 of them rewritten")
    assert texts[1].startswith("would send 1,500,000 of 1,500,000 frames through veth9")
    assert len(texts) == 2


def test_rates_are_those_reached_and_one_frame_has_none(
    clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    nothing = np.zeros(0, np.uint8)
    for count, rates in ((1, ""), (5, ", 4 per second, 0.016 Mbit/s")):
        ring: Any = SimpleNamespace(sent=count)
        report = ReplayReport("veth9", count, ring, None, False, shows_bits=True)
        lengths = np.full(count, 500, np.int64)
        report.leaving(nothing, lengths, lengths)
        report.left(count)
        clock.now_s += 1.0
        report.end(ReplayCounts(frames=count), interrupted=False)
        frames = "1 frame" if count == 1 else f"{count} frames"
        expected = f"sent {count} of {frames} in 1.000 s{rates}\n"
        assert capfd.readouterr().out == expected
