"""Signals kill the programs that tests start, however the tests themselves were started."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.conftest import STOPPING
from tests.helpers.support import ROOT, require_peer
from tests.helpers.waiting import PATIENCE_S

FATAL = [number for number in STOPPING if number is not signal.SIGTSTP]  # SIGTSTP only stops


@pytest.mark.parametrize("number", FATAL)
def test_a_program_dies_of_a_signal(number: signal.Signals) -> None:
    command = [require_peer("sh"), "-c", f"kill -{number.name.removeprefix('SIG')} $$"]
    assert subprocess.run(command, timeout=PATIENCE_S, check=False).returncode == -number


def test_a_program_dies_of_a_signal_that_the_tests_ignore() -> None:
    """The tests ignore SIGHUP, as under nohup(1)."""
    names = " ".join(number.name.removeprefix("SIG") for number in STOPPING)
    inner = f"{__file__}::test_a_program_dies_of_a_signal"
    done = subprocess.run(
        [require_peer("sh"), "-c", f'trap "" {names}; exec "$@"', "sh",
         sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", inner],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
