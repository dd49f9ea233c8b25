"""A thread that works when another thread wakes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

JOIN_S = 2.0


class BackgroundTask:
    """A thread that calls `work` after each wake-up, until `work` returns True for "done".

    One thread starts and closes a task; any thread may wake it.
    """

    def __init__(self, work: Callable[[], bool], name: str) -> None:
        self._work = work
        self._awake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread, once."""
        if self._thread.ident is None:
            self._thread.start()

    def wake(self) -> None:
        """Have the thread call `work`. A wake-up before `start` is not lost."""
        self._awake.set()

    def close(self) -> None:
        """Stop the thread, and wait a moment for its end."""
        self._ended = True
        self._awake.set()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._ended:
            self._awake.wait()
            self._awake.clear()
            while not self._ended and not self._work():
                time.sleep(0)  # let other threads run
