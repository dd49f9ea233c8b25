"""Cancel a thread that waits for input.

No other thread can end a read that waits for a silent pipe, and closing the pipe's descriptor does
not wake the reader. So the reader also polls an eventfd(2), which `cancel` writes. It stays
readable from then on, so a wait that begins later ends at once, too.
"""

from __future__ import annotations

import os
import threading


class Cancellation:
    """A cancellation that one thread requests and another one polls.

    Create it before the input is opened. `fileno` polls readable after `cancel`; `canceled` is then
    True.
    """

    def __init__(self) -> None:
        self.canceled = False
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()  # a late `cancel` must not write to a reused descriptor

    def fileno(self) -> int:
        """Return the descriptor to poll together with the input."""
        return self._descriptor

    def cancel(self) -> None:
        """End the present wait, or the next one. Any thread may call this, any number of times."""
        with self._lock:
            self.canceled = True
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)

    def close(self) -> None:
        """Close the descriptor. Call this when no thread waits for it."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
