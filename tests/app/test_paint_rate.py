"""The rate at which Textual may paint. Textual reads it on import, so a new process checks it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S


@pytest.mark.parametrize(("preset", "rate"), [(None, 120), ("30", 30)])
def test_the_monitor_may_paint_120_times_a_second_by_default(preset: str | None, rate: int) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "TEXTUAL_FPS"}
    if preset is not None:
        environment["TEXTUAL_FPS"] = preset
    code = "import app.monitor; from textual.screen import UPDATE_PERIOD; print(1 / UPDATE_PERIOD)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    assert float(done.stdout) == pytest.approx(rate)
