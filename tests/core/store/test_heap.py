"""Free memory goes back to the system after work, and not before."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from core.analysis.analysis_thread import AnalysisThread
from core.store import heap
from core.store.heap import WORK_S, HeapTrimmer
from tests.core.analysis.test_analysis_thread import Counted, _store
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S, until

# In a process of its own, whose heap has no other contents.
LEAVE_HOLES = """
import threading, time
from pathlib import Path
import numpy as np
from core.store.heap import WORK_S, HeapTrimmer

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def work():
    trimmer = HeapTrimmer()
    began = resident()
    kept = []
    for _ in range(512):  # 48 MiB of arrays for one step, each before one that stays
        held = [np.ones(98_304, np.uint8)]
        kept.append((held, np.ones(2_048, np.uint8)))
    for held, _ in kept:
        held.clear()
    full = resident()
    trimmer.trim()
    early = resident()
    while time.thread_time() < WORK_S * 2:
        pass
    trimmer.trim()
    print(full - began, early - began, resident() - began)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(heap._trim is None, reason="the C library has no malloc_trim")
def test_holes_between_arrays_that_stay_are_returned_after_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVE_HOLES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    full, early, trimmed = map(int, done.stdout.split())
    assert full > 40 << 20
    assert early > 40 << 20, "trimmed without work"
    assert trimmed < 8 << 20


def test_a_thread_without_work_trims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    trims: list[int] = []
    monkeypatch.setattr(heap, "_trim", trims.append)
    worked_s = 10.0
    monkeypatch.setattr(time, "thread_time", lambda: worked_s)
    trimmer = HeapTrimmer()
    trimmer.trim()
    assert trims == [0]
    for _ in range(100):
        worked_s += WORK_S / 200
        trimmer.trim()
    assert trims == [0]
    worked_s += WORK_S
    trimmer.trim()
    assert trims == [0, 0]


def test_the_analysis_thread_trims_only_when_all_is_done() -> None:
    calls: list[bool] = []
    thread = AnalysisThread(when_idle=lambda: calls.append(thread.is_idle()))
    try:
        counted = Counted(per_step=1)
        thread.offer(_store(5).snapshot(), counted)
        assert thread.wait(PATIENCE_S)
        until(lambda: calls)
        assert counted.steps == 5
        assert calls == [True]
    finally:
        thread.close()
