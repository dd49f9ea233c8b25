"""The laboratory's processes: start one, read its lines, end it.

* ``python -m`` puts the current directory first on ``sys.path``: a ``json.py`` that lies there by
  chance or malice would be run. ``-P`` leaves it out (Python 3.11); this package is found because
  it is installed.
* Lines are read from the descriptor itself. A buffered reader may hold back lines of which poll(2)
  then knows nothing, and the reader must be able to check for cancellation while it waits.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable

_CHECK_EVERY_MS = 20  # for cancellation
_PIECE = 1 << 16


class Child:
    """``python -m core.iolab.MODULE …``. A context manager: at its end the process is gone."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._partial = b""
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
        """The process ID."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status; None while the process runs."""
        return self._process.poll()

    def line(self, canceled: Callable[[], bool]) -> str | None:
        """Return the next line of its output; empty at the end.

        Return None if `canceled` returns True before a line is complete.
        """
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        poller = select.poll()
        poller.register(output, select.POLLIN)
        while b"\n" not in self._partial:
            if not poller.poll(_CHECK_EVERY_MS):
                if canceled():
                    return None
                continue
            piece = os.read(output, _PIECE)
            if not piece:
                break
            self._partial += piece
        line, _, self._partial = self._partial.partition(b"\n")
        return line.decode()

    def last_error(self) -> str:
        """Wait for the end of the process; return the last line of its stderr."""
        _, errors = self._process.communicate()
        return (errors.decode().strip().splitlines() or ["it ended without an error message"])[-1]
