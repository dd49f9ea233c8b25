"""The headless commands: their start-up time, and the speed and memory of dump.

1. ``--help`` and ``fields ip.``: process start to end, the best of five; bounds 0.5 s and 0.8 s.
2. ``dump -r`` of 1.5 million mixed packets as JSON and two fields: processor time a packet, the
   program's start included, next to tshark's for a tenth of the packets in the same run; bounds, a
   quarter of tshark's time for JSON, and a fifth for fields. (`tests.bench.bench_lines` measures
   the lines.)
3. Its peak memory for four times as many packets: bound, the growth of the file + 8 MiB
   (the pages of a mapped file count as resident).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.traffic.mixed import write_pcap
from tests.helpers.support import require_command

ROOT = Path(__file__).resolve().parent.parent.parent
RAWSCOPE = [sys.executable, "-m", "app"]
PACKETS = 80_000  # more than a chunk
MANY, SHARE_OF_TSHARK = 1_500_000, 10
STYLES = (  # options of dump and of tshark, and how much faster dump has to be
    (("--json",), ("-T", "json"), 4),
    (
        ("--fields", "ip.src,tcp.dstport"),
        ("-T", "fields", "-e", "ip.src", "-e", "tcp.dstport"),
        5,
    ),
)
SLACK_BYTES = 8 << 20


def measure(command: Sequence[str]) -> tuple[float, float, int]:
    """Return elapsed seconds, processor seconds and peak resident bytes of one run."""
    began = time.perf_counter()
    process = subprocess.Popen(
        require_command(*command),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def start() -> bool:
    good = True
    for arguments, bound_s in ((["--help"], 0.5), (["fields", "ip."], 0.8)):
        took = min(measure([*RAWSCOPE, *arguments])[0] for _ in range(5))
        print(f"rawscope {' '.join(arguments)}: {took:.2f} s; bound {bound_s}")
        good &= took <= bound_s
    return good


def speed(folder: Path) -> bool:
    """Print the processor time per packet beside tshark's; return True if the bounds hold."""
    peer = shutil.which("tshark")
    many, few = folder / "many.pcap", folder / "few.pcap"
    write_pcap(many, MANY)
    write_pcap(few, MANY // SHARE_OF_TSHARK)
    good = True
    for options, of_tshark, least in STYLES:
        mine = measure([*RAWSCOPE, "dump", "-r", str(many), *options])[1] / MANY * 1e6
        text = f"dump {' '.join(options)}: {mine:.2f} µs a packet"
        if peer:
            took = measure([peer, "-n", "-r", str(few), *of_tshark])[1]
            other = took / (MANY // SHARE_OF_TSHARK) * 1e6
            text += f"; tshark {other:.1f} µs, {other / mine:.1f} times; bound {least}"
            good &= other >= least * mine
        print(text)
    return good


def memory(small: Path, large: Path) -> bool:
    few, many = (measure([*RAWSCOPE, "dump", "-r", str(path)])[2] for path in (small, large))
    bound = large.stat().st_size - small.stat().st_size + SLACK_BYTES
    print(
        f"dump, peak memory: {few >> 20} MiB for {PACKETS:,} packets, {many >> 20} MiB for "
        f"{4 * PACKETS:,}; bound of the growth {bound >> 20} MiB"
    )
    return many - few <= bound


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name, "small.pcap"), Path(name, "large.pcap")
        write_pcap(small, PACKETS)
        write_pcap(large, 4 * PACKETS)
        held = [start(), memory(small, large), speed(Path(name))]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
