"""The monitor on screen while 300,000 packets a second arrive for 5 seconds.

No packet may be lost without being counted, none dropped at the default ring size, and keys must be
answered. The interface's own counter gives the number of packets that arrived; the status bar, as
the user reads it, gives those captured and dropped.
"""

from __future__ import annotations

import re
import sys

from tests.bench.bench_monitor import RAWSCOPE, ROOT, verdict
from tests.bench.terminal import Terminal
from tests.bench.traffic.flood import Flood
from tests.helpers.emulator import Emulator

RATE = 300_000  # packets/s
SECONDS = 5
STATUS = re.compile(r"([\d,]+) pkts.*?dropped ([\d,]+)")
SIZE = 160, 45


def status(screen: Emulator) -> tuple[int, int]:
    """Return the captured and dropped packets that the status line shows."""
    found = STATUS.search(screen.text[0])
    if found is None:
        raise ValueError(f"no counts in {screen.text[0]!r}")
    captured, dropped = found.groups()
    return int(captured.replace(",", "")), int(dropped.replace(",", ""))


def main() -> int:
    with Flood(RATE) as flood:
        screen = Emulator(*SIZE)
        program = [*flood.inside, *RAWSCOPE, "-i", flood.receiver]
        terminal = Terminal(program, *SIZE, ROOT, screen=screen)
        terminal.wait_for(b"live", 20)
        terminal.drain(1)
        before = flood.arrived
        flood.start(SECONDS)
        terminal.drain(0.5)
        answers = [terminal.key(b"g", b"Frame 1 ")]
        while flood.sending:
            answers.append(terminal.key(b"j", f"Frame {len(answers) + 1} ".encode()))
            terminal.drain(0.1)
        terminal.drain(2)
        terminal.key(b" ", b"paused")
        terminal.drain(0.3)
        arrived = flood.arrived - before
        terminal.close()
    captured, dropped = status(screen)
    answers.sort()
    print(f"{arrived:,} packets arrived with the monitor on screen")
    print(f"  captured {captured:,}, dropped {dropped:,}, not accounted for "
          f"{arrived - captured - dropped:,}")  # fmt: skip
    print(f"  {len(answers)} keys answered: median {answers[len(answers) // 2] * 1e3:.0f} ms, "
          f"slowest {answers[-1] * 1e3:.0f} ms")  # fmt: skip
    held = dropped == 0 and captured == arrived
    print(f"  nothing dropped, nothing lost uncounted: {verdict(held)}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
