"""The processor time that tshark takes for a file, measured in full."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

from tests.helpers.support import require_peer


def tshark_s(path: Path, *options: str) -> float:
    """Return the processor time of ``tshark -n -r PATH OPTIONS`` in seconds.

    End the benchmark if tshark is not installed: without its peer, nothing is measured.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [require_peer("tshark"), "-n", "-r", str(path), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
