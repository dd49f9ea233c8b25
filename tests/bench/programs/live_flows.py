"""The monitor with the flows panel open while 100,000 packets a second arrive.

No packet may be dropped, and keys must be answered within 50 ms (p99). The interface's own counter
gives the number of packets that arrived. At the end the panel has counted all of them.
"""

from __future__ import annotations

import re
import sys

from tests.bench.bench_flood import SIZE, status
from tests.bench.bench_monitor import RAWSCOPE, ROOT
from tests.bench.bench_store import Figure
from tests.bench.terminal import Terminal
from tests.bench.traffic.flood import Flood
from tests.helpers.emulator import Emulator

RATE = 100_000  # packets/s
SECONDS = 8
F7 = b"\x1b[18~"
COUNTED = re.compile(r"conversations of ([\d.,]+[kMG]?) packets")


def main() -> int:
    with Flood(RATE) as flood:
        screen = Emulator(*SIZE)
        program = [*flood.inside, *RAWSCOPE, "-i", flood.receiver]
        terminal = Terminal(program, *SIZE, ROOT, screen=screen)
        terminal.wait_for(b"live", 20)
        terminal.drain(1)
        terminal.key(F7, b"conversations")
        before = flood.arrived
        flood.start(SECONDS)
        terminal.drain(1)
        answers = [terminal.key(b"K", b"Frame ")]
        number = 1
        while flood.sending:
            answers.append(terminal.key(b"J" if number % 2 else b"K", b"Frame "))
            number += 1
            terminal.drain(0.05)
        terminal.drain(8)
        arrived = flood.arrived - before
        counted = next(filter(None, map(COUNTED.search, screen.text)), None)
        terminal.close()
    captured, dropped = status(screen)
    answers.sort()
    print(f"{arrived:,} packets arrived; {counted[1] if counted else 'none'} counted")
    late = answers[len(answers) * 99 // 100] * 1e3
    figures = [
        Figure("packets neither captured nor dropped", arrived - captured - dropped, "packets", 0),
        Figure("dropped", dropped, "packets", 0),
        Figure(f"slowest 1% of {len(answers)} keys", late, "ms", 50),
        Figure("median", answers[len(answers) // 2] * 1e3, "ms", 50),
    ]
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
