"""The monitor on a slow line: it follows ten packets a second while keys are pressed.

The lines have 9600 and 115,200 baud behind a buffer of 64 KiB, and one has no limit. Bounds: a key
is on the screen within 6 s at 9600 baud and 0.8 s at 115,200; following writes at most 12 kB/s at
80×24. Keys have no bound on a terminal that never answers, because its delay is unknown.

Needs root, for its own network namespace.
"""

from __future__ import annotations

import sys

from tests.bench.bench_monitor import ROOT, verdict
from tests.bench.traffic.slow_terminal import SlowTerminal

RATE = 10  # packets/s
BITS_PER_BYTE = 10  # on a serial line: start, eight, stop
UNLIMITED = 1e9
MOST_BYTES_PER_S = 12_000
SIZES = [(80, 24), (120, 40)]
LINES = [(9600, 6.0), (115_200, 0.8)]  # baud, and the seconds that a key may take
KEYS = [
    (b" ", "paused"),
    (b" ", "live"),
    (b"g", "Frame 1 "),
    (b"j", "Frame 2 "),
    (b"j", "Frame 3 "),
    (b"?", "esc closes"),
    (b"\x1b", "dropped"),
]
PROGRAM = [
    "unshare", "--net", "sh", "-c",
    'ip link set lo up; "$0" -m tests.bench.traffic.steady 10 & exec "$0" -m app -i lo',
    sys.executable,
]  # fmt: skip


def following(columns: int, rows: int, bytes_per_s: float, *, answers: bool = True) -> SlowTerminal:
    """Run a monitor that follows packets."""
    terminal = SlowTerminal(PROGRAM, columns, rows, ROOT, bytes_per_s, answers=answers)
    terminal.wait_for("live", 60)
    terminal.wait_for(f"{RATE}/s", 60)
    return terminal


def written() -> bool:
    """Measure what following writes to a terminal that reads everything at once."""
    good = True
    for columns, rows in SIZES:
        terminal = following(columns, rows, UNLIMITED)
        rate = terminal.run(5)
        terminal.close()
        bounded = (columns, rows) == SIZES[0]
        held = rate <= MOST_BYTES_PER_S or not bounded
        good &= held
        bound = f"; bound {MOST_BYTES_PER_S / 1e3:.0f} kB/s: {verdict(held)}" if bounded else ""
        print(f"following {RATE} packets/s at {columns}×{rows}: {rate / 1e3:.1f} kB/s{bound}")
    return good


def keys(columns: int, rows: int, baud: int, most_s: float) -> bool:
    """Measure a key until its effect is on the screen, while ten packets a second arrive."""
    terminal = following(columns, rows, baud / BITS_PER_BYTE)
    terminal.run(10)
    behind, times = terminal.behind_bytes, []
    for key, shows in KEYS:
        try:
            times.append(terminal.key(key, shows, 60))
        except TimeoutError:
            times.append(float("inf"))
            break
        terminal.run(1.5)
    terminal.close()
    held = max(times) <= most_s
    print(
        f"{baud:,} baud, {columns}×{rows}: {len(times)} keys, slowest {max(times):.2f} s, "
        f"median {sorted(times)[len(times) // 2]:.2f} s; {behind:,} bytes behind before; "
        f"bound {most_s} s: {verdict(held)}"
    )
    print(
        "   "
        + ", ".join(f"{shows} {took:.2f}" for (_, shows), took in zip(KEYS, times, strict=False))
    )
    return held


def silent() -> None:
    """Measure what following writes to a terminal that does not answer."""
    terminal = following(80, 24, UNLIMITED, answers=False)
    rate = terminal.run(5)
    took = terminal.key(b" ", "paused", 60)
    terminal.close()
    print(f"a terminal that never answers: {rate / 1e3:.1f} kB/s, a key after {took:.2f} s")


def main() -> int:
    held = [written()]
    for baud, most_s in LINES:
        held.append(keys(*SIZES[0], baud, most_s))
    silent()
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
