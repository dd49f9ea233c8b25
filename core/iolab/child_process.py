"""The laboratory's own processes: started, listened to, and ended.

* ``python -m`` puts the current directory first on ``sys.path``: a ``json.py`` that lies there by
  chance or malice would be run. ``-P`` leaves it out (Python 3.11); this package is found because
  it is installed.
* A line is read from the descriptor itself. A buffered reader may hold lines back of which poll(2)
  then knows nothing, and who waits for a line wants to be asked meanwhile whether to give up.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable

_ASK_EVERY_MS = 20  # whether to give up
_PIECE = 1 << 16


class Child:
    """``python -m core.iolab.MODULE …``. A context manager: at its end the process is gone."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._held = b""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"core.iolab.{module}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def line(self, given_up: Callable[[], bool]) -> str | None:
        """What it says next, a line; empty when there is no more, None when given up before."""
        assert self._process.stdout is not None
        said = self._process.stdout.fileno()
        poller = select.poll()
        poller.register(said, select.POLLIN)
        while b"\n" not in self._held:
            if not poller.poll(_ASK_EVERY_MS):
                if given_up():
                    return None
                continue
            piece = os.read(said, _PIECE)
            if not piece:
                break
            self._held += piece
        line, _, self._held = self._held.partition(b"\n")
        return line.decode()

    def last_words(self) -> str:
        """Wait for its end; the last line that it complained with."""
        _, trouble = self._process.communicate()
        return (trouble.decode().strip().splitlines() or ["it ended without a word"])[-1]
