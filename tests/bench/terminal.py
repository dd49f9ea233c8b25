"""A program on its own pseudo-terminal, as a user runs it.

Latency is the time from writing a key to the pty until the bytes that show its effect have been
read: everything between the keyboard and the terminal emulator.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from pathlib import Path

from tests.helpers.emulator import Emulator
from tests.helpers.support import require_command
from tests.helpers.waiting import PATIENCE_S

ESCAPES = re.compile(
    rb"\x1b\[[0-9;:?<>=]*[A-Za-z~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]"
)

QUESTION = re.compile(rb"\x1b\[(\d+);(\d+)H\x1b\[6n")  # requests a cursor position report
OVERLAP = 512  # bytes of the last read that are kept: more than any searched text with its escapes


class Terminal:
    """Run `argv` on a fresh pty of the given size; times are seconds since its start.

    With `answers`, it answers cursor position requests, as a terminal does. It feeds what it reads
    to `screen`: the program writes only what changed there.
    """

    def __init__(
        self,
        argv: list[str],
        columns: int,
        rows: int,
        cwd: Path | None = None,
        *,
        answers: bool = True,
        screen: Emulator | None = None,
    ) -> None:
        words = require_command(*argv)
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            for name in ("COLUMNS", "LINES"):  # a program prefers them to the size of its terminal
                environment.pop(name, None)
            # Not execvp: readline puts COLUMNS and LINES into the C environment, where Python
            # does not see them, and they would override the pty's size.
            try:
                os.chdir(cwd or ".")
                os.execvpe(words[0], words, environment)
            except OSError as error:
                print(f"{words[0]}: {error.strerror}", flush=True)
            finally:
                os._exit(127)  # otherwise this copy of the process would continue
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self.fd, False)
        self._answers = answers
        self._screen = screen
        self._tail = b""

    def read(self, timeout_s: float, most_bytes: int = 1 << 20) -> bytes:
        """Return painted bytes, waiting at most `timeout_s` for some; empty at the end."""
        ready, _, _ = select.select([self.fd], [], [], timeout_s)
        if not ready:
            return b""
        try:
            painted = os.read(self.fd, most_bytes)
        except OSError:
            return b""
        if self._answers:
            self._answer(painted)
        if self._screen is not None:
            self._screen.feed(painted)
        return painted

    def _answer(self, painted: bytes) -> None:
        """Answer questions as a terminal does; the end of a read may cut one."""
        text = self._tail + painted
        end = 0
        for question in QUESTION.finditer(text):
            with contextlib.suppress(OSError):  # the program has ended
                os.write(self.fd, b"\x1b[%b;%bR" % question.groups())
            end = question.end()
        self._tail = text[end:][-16:]

    def drain(self, seconds: float) -> None:
        """Read and discard for a while, so that the program never waits for the terminal."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def wait_for(self, text: bytes, timeout_s: float) -> float:
        """Return the seconds until `text` was painted, without escape sequences. `TimeoutError`."""
        began = time.perf_counter()
        seen = b""
        while time.perf_counter() - began < timeout_s:
            seen += self.read(0.05)
            if text in ESCAPES.sub(b"", seen):
                return time.perf_counter() - began
            seen = seen[-OVERLAP:]  # the text may span two reads
        raise TimeoutError(f"{text!r} was not painted within {timeout_s} s")

    def key(self, key: bytes, shows: bytes, timeout_s: float = PATIENCE_S) -> float:
        """Press a key; return the seconds until `shows` is painted."""
        os.write(self.fd, key)
        return self.wait_for(shows, timeout_s)

    @property
    def resident_bytes(self) -> int:
        """Return the present resident memory of the program (``VmRSS`` of proc(5))."""
        return self._status("VmRSS")

    @property
    def peak_bytes(self) -> int:
        """Return its largest resident memory up to now (``VmHWM`` of proc(5))."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        return 0

    def close(self) -> None:
        """End the program, and wait for it."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, sign)
            except ProcessLookupError:
                break
            end = time.perf_counter() + 3
            while time.perf_counter() < end:
                self.read(0.05)
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
