"""The monitor on a terminal that keeps a copy of every frame that it is sent.

The driver ends each frame with a question for the cursor's position. The recorder feeds the output
to an emulator, copies the emulator's screen at each question, and then answers.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
from collections.abc import Callable
from pathlib import Path

from tests.bench.terminal import QUESTION, Terminal
from tests.helpers.emulator import Emulator
from tests.helpers.support import ROOT
from tests.helpers.waiting import until

REDRAW = b"\x0c"
Picture = tuple[str, ...]
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
_LONGEST_SEQUENCE = 40  # bytes
_EQUAL_REDRAWS = 3
_OVERWRITTEN = "!?!?"  # at the top left, where the next frame that is whole replaces it


class FrameRecorder:
    """Run `argv` on a pty; `frames` are the different pictures in succession, without the clock.

    `most_bytes` is what one read takes. A small number makes a slow terminal, for which the program
    has to wait.
    """

    def __init__(
        self,
        argv: list[str],
        columns: int,
        rows: int,
        cwd: Path = ROOT,
        *,
        most_bytes: int = 1 << 20,
    ) -> None:
        self.most_bytes = most_bytes
        self.screen = Emulator(columns, rows)
        self.terminal = Terminal(argv, columns, rows, cwd, answers=False)
        self.frames: list[Picture] = []
        self._whole_frames = 0
        self._held = b""

    @property
    def picture(self) -> Picture:
        """Return the lines of the screen without the clock."""
        return tuple(_CLOCK.sub("--:--:--", line) for line in self.screen.text)

    def read(self, timeout_s: float = 0.05) -> bool:
        """Process what the program wrote; return True if it wrote something."""
        data = self._held + self.terminal.read(timeout_s, self.most_bytes)
        end = 0
        for question in QUESTION.finditer(data):
            self.screen.feed(data[end : question.end()])
            end = question.end()
            self._take_frame()
            os.write(self.terminal.fd, b"\x1b[%b;%bR" % question.groups())
        cut = data.rfind(b"\x1b", max(end, len(data) - _LONGEST_SEQUENCE))
        cut = len(data) if cut < 0 else cut  # a question may be cut in two
        self.screen.feed(data[end:cut])
        is_new = len(data) > len(self._held)
        self._held = data[cut:]
        return is_new

    def _take_frame(self) -> None:
        if self._is_overwritten:
            return
        self._whole_frames += 1
        if not self.frames or self.frames[-1] != self.picture:
            self.frames.append(self.picture)

    def wait_for(self, text: str) -> None:
        """Read until a text is on the screen."""
        self._read_until(lambda: text in self.screen, text)

    def key(self, key: bytes) -> list[Picture]:
        """Press a key; return the frames until the screen does not change any more."""
        self.frames = [self.picture]
        os.write(self.terminal.fd, key)
        return self._last_frames()

    def resize(self, *sizes: tuple[int, int]) -> list[Picture]:
        """Give the terminal these sizes, which blanks it; return the frames, as `key` does."""
        for columns, rows in sizes:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self.terminal.fd, termios.TIOCSWINSZ, size)
        self.screen.resize(*sizes[-1])
        self.frames = []
        self._read_until(lambda: self.frames, "the new size")
        return self._last_frames()

    def _last_frames(self) -> list[Picture]:
        """Redraw until that changes nothing a few times; return the frames up to then."""
        equal = 0
        while equal < _EQUAL_REDRAWS:
            before = self.picture
            self.redraw()
            equal = equal + 1 if self.picture == before else 0
        return self.frames

    def redraw(self) -> None:
        """Let the program paint the whole screen, after the keys before took effect."""
        before = self._whole_frames
        self.screen.feed(f"\x1b[1;1H\x1b[m{_OVERWRITTEN}".encode())
        os.write(self.terminal.fd, REDRAW)
        self._read_until(lambda: self._whole_frames > before, "a redrawn screen")

    @property
    def _is_overwritten(self) -> bool:
        return self.screen.text[0].startswith(_OVERWRITTEN)

    def _read_until(self, condition: Callable[[], object], what: str) -> None:
        def holds() -> object:
            self.read()
            return condition()

        until(holds, what, lambda: self.picture)

    def close(self) -> None:
        """End the program."""
        self.terminal.close()
