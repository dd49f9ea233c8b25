"""Keys of the monitor while a display filter runs.

1. Five million packets are in the store. Filters run over them one after the other, a slow regular
   expression among them. While each runs, keys move the cursor; a figure is the time from a key
   until the detail of the selected packet is painted.
2. 100,000 packets/s are captured through a filter, on top of the five million.

The same keys without a filter are measured first: on a busy host they show what other work takes.
Bound: 50 ms at p99 for each.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.bench_monitor import FLOOD, ROOT, ROWS, verdict
from tests.bench.terminal import ESCAPES, Terminal
from tests.bench.traffic.flood import Flood
from tests.bench.traffic.mixed import write_pcap
from tests.helpers.emulator import Emulator

SIZE = 160, 45
KEYS = 100  # without a filter, and through a live one
LEAST_KEYS = 5  # for a filter that runs for a moment only
MOST_S = 30.0  # for one filter
BOUND_S = 0.05
FILTERS = (
    "tcp.port == 80 or udp.port == 53",
    "tcp.flags.ack == 1 and tcp.window_size_value > 501",
    'frame contains "a"',
    r'frame matches r"\d.*\s.*[xyz]"',
    r'frame matches r"(.)[g-k]\1"',
)
LIVE_FILTER = "tcp or udp.port == 80"
DETAIL = b"Frame "
FRAME = re.compile(r"Frame (\d+) ")
PAUSE_S = 0.02
LOST_S = 3.0
EMPTY, VALID = "type a filter such as", "valid: enter applies it"  # hints below the bar
COUNT = re.compile(r"(\d+%)?\s+[\d,]+ of [\d,]+ ")


class Keyboard:
    """Presses keys in a program, and shows on a screen what it paints."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._screen = Emulator(*SIZE)

    @property
    def is_filtering(self) -> bool:
        """True while the line of the filter shows how far it is."""
        found = COUNT.search("\n".join(self._screen.text))
        return found is not None and found[1] is not None

    def watch(self, seconds: float) -> None:
        """Read what is painted for a while."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._screen.feed(self._terminal.read(left))

    @property
    def is_searching(self) -> bool:
        """True while the line above the key bar shows how far a search is."""
        return "searching for" in self._screen

    def open(self, rows: int = ROWS) -> None:
        """Wait until all packets are in the table, and go to the first."""
        self._wait(lambda screen: f"{rows:,} pkts" in screen)
        self.watch(2)
        self.type("g")
        self.watch(0.3)

    def type(self, text: str) -> None:
        """Press keys that are not measured."""
        os.write(self._terminal.fd, text.encode())

    def filter(self, text: str) -> None:
        """Apply a filter, and go to the first of its packets in the table."""
        self.type("/")
        self._wait(lambda screen: EMPTY in screen or VALID in screen)
        self.type(f"\x15{text}")
        self._wait(lambda screen: VALID in screen and text in screen)
        self.type("\r")
        self._wait(lambda screen: VALID not in screen)
        self.watch(0.1)
        self.type("g")
        self.watch(0.3)

    def search(self, text: str) -> None:
        """Begin to search for a text."""
        self.type("\x06")
        self._wait(lambda screen: "enter finds the next" in screen)
        self.type(f"\x15{text}\r")
        self._wait(lambda screen: "searching for" in screen)

    def _wait(self, holds: Callable[[Emulator], bool]) -> None:
        end = time.perf_counter() + MOST_S
        while not holds(self._screen):
            self.watch(0.02)
            if time.perf_counter() > end:
                raise TimeoutError("\n".join(self._screen.text))

    def move(self) -> float:
        """Move the cursor down; return the seconds until the detail is painted, at most `LOST_S`.

        A key without an answer is reported.
        """
        before = self._selected
        took, painted = 0.0, b""
        began = time.perf_counter()
        os.write(self._terminal.fd, b"j")
        while self._selected == before and took < LOST_S:
            painted += self._terminal.read(0.05)
            took = time.perf_counter() - began
            if DETAIL in ESCAPES.sub(b"", painted):
                self._screen.feed(painted)
                painted = b""
        self._screen.feed(painted)
        if self._selected == before:
            print(f"no answer to a key after {LOST_S:g} s", flush=True)
        self.watch(PAUSE_S)
        return took

    @property
    def _selected(self) -> int:
        """The number of the packet in the detail."""
        found = FRAME.search("\n".join(self._screen.text))
        return 0 if found is None else int(found[1])


def report(name: str, times: list[float]) -> bool:
    """Print the figures of some keys; return True if they are within the bound."""
    times = sorted(times)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    holds = p99 <= BOUND_S
    print(
        f"{name}: {len(times)} keys, p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, slowest "
        f"{times[-1] * 1e3:.1f} ms; bound of p99 {BOUND_S * 1e3:.0f}: {verdict(holds)}",
        flush=True,
    )
    return holds


def while_filtering(keyboard: Keyboard, text: str) -> bool:
    """Move the cursor while a filter runs over all packets."""
    keyboard.filter(text)
    began, times = time.perf_counter(), []
    while len(times) < LEAST_KEYS or (
        keyboard.is_filtering and time.perf_counter() - began < MOST_S
    ):
        times.append(keyboard.move())
    return report(f"while {text} runs ({time.perf_counter() - began:.1f} s)", times)


def main() -> int:
    with tempfile.TemporaryDirectory() as name, Flood(FLOOD) as flood:
        path = Path(name, "rows.pcap")
        write_pcap(path, ROWS)
        program = [
            sys.executable,
            "-m",
            "tests.bench.programs.many_rows",
            str(path),
            flood.receiver,
        ]
        terminal = Terminal([*flood.inside, *program], *SIZE, ROOT)
        keyboard = Keyboard(terminal)
        try:
            keyboard.open()
            report(f"{ROWS:,} packets, no filter", [keyboard.move() for _ in range(KEYS)])
            held = [while_filtering(keyboard, text) for text in FILTERS]
            keyboard.filter(LIVE_FILTER)
            flood.start(seconds=30)
            keyboard.watch(2)
            live = [keyboard.move() for _ in range(KEYS)]
            held.append(report(f"{FLOOD:,} packets/s through {LIVE_FILTER}", live))
        finally:
            terminal.close()
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
