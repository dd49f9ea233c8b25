"""A thread that works when it is woken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

JOIN_S = 2.0


class BackgroundTask:
    """A thread that works when it is woken; it starts at the first wake-up."""

    def __init__(
        self, work: Callable[[], bool], failed: Callable[[Exception], None] = lambda fault: None
    ) -> None:
        """`work` returns True when it is done. `failed` gets what it raises; the thread goes on."""
        self._work = work
        self._failed = failed
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # of making the thread and of ending: any thread may wake

    def wake(self) -> None:
        """Wake the thread: there is work."""
        with self._lock:
            if self._thread is None and not self._ended:
                made = threading.Thread(target=self._run, name="rawscope background", daemon=True)
                made.start()
                self._thread = made
        self._wake.set()

    def close(self) -> None:
        """Stop the thread and wait for its end."""
        with self._lock:
            self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait()
            self._wake.clear()
            try:
                while not self._ended and not self._work():
                    time.sleep(0)  # others get their turn
            except Exception as fault:  # an internal error: reported, and the thread stays
                self._failed(fault)
