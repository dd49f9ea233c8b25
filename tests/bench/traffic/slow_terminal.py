"""A terminal at the end of a slow line, behind a large buffer, as with ssh.

It reads the program's output at once, up to `BUFFER_BYTES` ahead, and the bytes reach the screen at
`bytes_per_s`. It sends a cursor position report when its question reaches the screen.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.bench.terminal import Terminal
from tests.helpers.emulator import Emulator

BUFFER_BYTES = 64 << 10
TICK_S = 0.005


class SlowTerminal:
    """Run `argv` on a pty with a slow reader, which answers questions if `answers` is true."""

    def __init__(
        self,
        argv: list[str],
        columns: int,
        rows: int,
        cwd: Path,
        bytes_per_s: float,
        *,
        answers: bool = True,
    ) -> None:
        self.screen = Emulator(columns, rows)
        self.bytes_per_s = bytes_per_s
        self.received_bytes = 0
        self._terminal = Terminal(argv, columns, rows, cwd, answers=False)
        self._answers = answers
        self._buffer = bytearray()
        self._allowed = 0.0
        self._then = time.perf_counter()

    @property
    def behind_bytes(self) -> int:
        """The number of bytes that were written and are not on the screen."""
        return len(self._buffer)

    def pump(self) -> None:
        """Move all bytes that are due to the screen."""
        if len(self._buffer) < BUFFER_BYTES:
            data = self._terminal.read(TICK_S)
            self._buffer += data
            self.received_bytes += len(data)
        else:
            time.sleep(TICK_S)
        now = time.perf_counter()
        self._allowed += (now - self._then) * self.bytes_per_s
        self._then = now
        count = min(int(self._allowed), len(self._buffer))
        self._allowed = self._allowed - count if self._buffer[count:] else 0.0
        self.screen.feed(bytes(self._buffer[:count]))
        del self._buffer[:count]
        if self._answers and self.screen.answers:
            os.write(self._terminal.fd, self.screen.answers)
        self.screen.answers = b""

    def run(self, seconds: float) -> float:
        """Run for a time; return the bytes per second that the program wrote."""
        before, began = self.received_bytes, time.perf_counter()
        while time.perf_counter() - began < seconds:
            self.pump()
        return (self.received_bytes - before) / seconds

    def wait_for(self, text: str, timeout_s: float) -> float:
        """Return the seconds until the text is on the screen. Raises `TimeoutError`."""
        began = time.perf_counter()
        while text not in self.screen:
            if time.perf_counter() - began > timeout_s:
                raise TimeoutError(f"{text!r} is not on the screen after {timeout_s} s")
            self.pump()
        return time.perf_counter() - began

    def key(self, key: bytes, shows: str, timeout_s: float) -> float:
        """Press a key; return the seconds until the text appears on the screen."""
        if shows in self.screen:
            raise ValueError(f"{shows!r} is on the screen already")
        os.write(self._terminal.fd, key)
        return self.wait_for(shows, timeout_s)

    def close(self) -> None:
        """End the program, and read the rest of its output."""
        self._terminal.close()
