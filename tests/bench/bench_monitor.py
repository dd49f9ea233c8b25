"""The screen: first frame, opening a large file, and keys under a flood.

1. ``rawscope --demo``: process start to first painted frame, bound 1 s.
2. A file of a thousand packets: process start to first rows, at most three quarters of
   termshark's time in the same run; half is the goal.
3. A file of 1.5 million mixed packets: first rows within 1 s of process start, all indexed in at
   most a tenth of ``tshark -T psml``'s time, memory at most the file + 40 bytes a packet +
   120 MB.
4. Five million rows while a flood is captured: key to paint p50 ≤ 20 ms, p99 ≤ 60 ms, 200×50.

Everything runs in a pty and is measured from outside: each figure is a time that the user waits.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.terminal import Terminal
from tests.bench.traffic.flood import Flood
from tests.bench.traffic.mixed import write_pcap
from tests.helpers.support import require_peer

RAWSCOPE = [sys.executable, "-m", "app"]
ROOT = Path(__file__).resolve().parent.parent.parent
MEBIBYTE = 1 << 20
PACKETS, ROWS, KEYS = 1_500_000, 5_000_000, 200
FLOOD = 100_000  # packets/s


def verdict(held: bool) -> str:
    return "holds" if held else "WORSE THAN THE BOUND"


def first_frame() -> bool:
    """Measure exec to the first painted frame in seconds, the median of five."""
    times = []
    for _ in range(5):
        terminal = Terminal([*RAWSCOPE, "--demo"], 160, 45, ROOT)
        times.append(terminal.wait_for(b"rawscope", 10))
        terminal.close()
    median = statistics.median(times)
    print(
        f"first frame: median {median:.2f} s of {sorted(round(t, 2) for t in times)}; "
        f"bound 1 s: {verdict(median <= 1)}"
    )
    return median <= 1


def first_rows(folder: Path) -> bool:
    """Measure exec to the first rows of a small file in seconds, alternating with termshark."""
    path = folder / "small.pcap"
    write_pcap(path, 1000)
    programs = {
        "rawscope": [*RAWSCOPE, "-r", str(path)],
        "termshark": ["termshark", "-r", str(path)],
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(7):
        for name, program in programs.items():
            terminal = Terminal(program, 160, 45, ROOT)
            times[name].append(terminal.wait_for(b"10.0.1.", 20))
            terminal.close()
    rawscope_s, termshark_s = (statistics.median(times[name]) for name in programs)
    holds = rawscope_s <= 0.75 * termshark_s
    print(
        f"first rows of a small file: {rawscope_s:.2f} s, termshark {termshark_s:.2f} s; ratio "
        f"{rawscope_s / termshark_s:.2f}, bound 0.75 (goal 0.5): {verdict(holds)}"
    )
    return holds


def open_file(folder: Path) -> bool:
    """Open a file of `PACKETS` packets, and compare with tshark."""
    path = folder / "mixed.pcap"
    write_pcap(path, PACKETS)
    path.read_bytes()  # both programs find it in the page cache
    rows, indexed, peaks, peers = [], [], [], []
    for _ in range(3):
        terminal = Terminal([*RAWSCOPE, "-r", str(path)], 160, 45, ROOT)
        rows.append(terminal.wait_for(b"10.0.1.", 20))
        terminal.wait_for(f"{PACKETS:,} pkts".encode(), 60)
        indexed.append(time.perf_counter() - terminal.started)
        peaks.append(terminal.peak_bytes)
        terminal.close()
        began = time.perf_counter()
        subprocess.run(
            [require_peer("tshark"), "-n", "-r", str(path), "-T", "psml"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        peers.append(time.perf_counter() - began)
    bound = path.stat().st_size + 40 * PACKETS + 120 * MEBIBYTE
    row, index, peak = statistics.median(rows), statistics.median(indexed), max(peaks)
    ratio = index / statistics.median(peers)
    print(f"{PACKETS:,} packets, {path.stat().st_size / 1e6:.0f} MB")
    print(f"  first rows: {row:.2f} s from process start; bound 1 s: {verdict(row <= 1)}")
    print(
        f"  all indexed: {index:.2f} s from process start; tshark -T psml "
        f"{statistics.median(peers):.2f} s; ratio {ratio:.3f}, bound 0.1: {verdict(ratio <= 0.1)}"
    )
    print(
        f"  peak memory {peak / MEBIBYTE:.0f} MiB, bound {bound / MEBIBYTE:.0f} MiB: "
        f"{verdict(peak <= bound)}"
    )
    return row <= 1 and ratio <= 0.1 and peak <= bound


def keys_under_flood(folder: Path) -> bool:
    """Measure key to paint with `ROWS` rows while a flood is captured."""
    path = folder / "rows.pcap"
    write_pcap(path, ROWS)
    with Flood(FLOOD) as flood:
        program = [
            sys.executable,
            "-m",
            "tests.bench.programs.many_rows",
            str(path),
            flood.receiver,
        ]
        terminal = Terminal([*flood.inside, *program], 200, 50, ROOT)
        terminal.wait_for(b"live", 60)
        terminal.drain(2)
        flood.start(seconds=60)
        terminal.drain(2)
        terminal.key(b"g", b"Frame 1 ")
        terminal.drain(1)
        times = []
        number = 1
        for _ in range(KEYS):
            number += 1
            times.append(terminal.key(b"j", f"Frame {number} ".encode()))
            terminal.drain(0.03)
        resident = terminal.resident_bytes
        terminal.close()
    times.sort()
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(
        f"{ROWS:,} rows and {FLOOD:,} packets/s captured on top, {KEYS} keys, "
        f"{resident / MEBIBYTE:.0f} MiB resident"
    )
    print(
        f"  key to paint of the selected packet's detail: p50 {p50 * 1e3:.1f} ms, "
        f"p99 {p99 * 1e3:.1f} ms; bound 20 and 60: {verdict(p50 <= 0.02 and p99 <= 0.06)}"
    )
    return p50 <= 0.02 and p99 <= 0.06


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        held = [first_frame(), first_rows(folder), open_file(folder), keys_under_flood(folder)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
