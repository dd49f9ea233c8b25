"""The limit of open files (getrlimit(2), RLIMIT_NOFILE): how to raise it, and how to run out.

The soft limit is often 1,024 and the hard one far above; any process may raise the soft limit to
the hard one. Code that waits with select(2) cannot handle descriptors from 1,024 on, so a program
may raise the limit only if nothing in it uses select; this one waits with epoll.

Without a free descriptor a server cannot even refuse: accept fails, and the connection stays in the
queue. (It fails even if the queue is empty, because Linux allocates the descriptor first.) So the
server keeps one *spare descriptor*: it closes the spare, accepts the connection in its place,
closes that, and opens the spare again. If another thread has taken the place meanwhile, it tries
again (`open`) before it accepts anything else.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
from contextlib import suppress

NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)  # of this process, of the whole system


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard limit, and return that."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class SpareDescriptor:
    """A descriptor kept for the moment when no other is free."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self.open()

    def turn_away(self, listening: socket.socket) -> None:
        """Accept one connection and close it. Raise what accept raises."""
        self.close()
        try:
            listening.accept()[0].close()
        finally:
            self.open()

    def open(self) -> None:
        """Open the spare if it is missing; leave it missing if no descriptor is free."""
        if self._descriptor is None:
            with suppress(OSError):
                self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the spare."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
