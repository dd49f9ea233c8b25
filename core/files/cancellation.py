"""Telling a thread that waits for input to give up.

A read that waits for a silent pipe cannot be ended from outside, and closing its descriptor in
another thread does not wake it. So whoever waits polls a second descriptor too: an eventfd(2),
which stays readable once it is written, and therefore also reaches a wait that begins later.
"""

from __future__ import annotations

import os
import threading


class Cancellation:
    """Made before the input is opened; `fileno` polls readable once `cancel` was called."""

    def __init__(self) -> None:
        self.canceled = False
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()  # a late `cancel` never writes into another's descriptor

    def fileno(self) -> int:
        """The descriptor to poll beside the input."""
        return self._descriptor

    def cancel(self) -> None:
        """End the wait, or the one that comes; any thread, any number of times."""
        with self._lock:
            self.canceled = True
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)

    def close(self) -> None:
        """Give back the descriptor, when nobody waits any more."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
