"""File descriptors are a bounded good (getrlimit(2), RLIMIT_NOFILE): getting more, and having none.

The soft limit is often 1,024, the hard one far above; any process may raise the one to the other.
Code that waits with select(2) must not see descriptors from 1,024 on, so whoever raises
the limit must know that none does: ours waits with epoll.

A server without a descriptor left cannot even say no: accept fails, and the connection stays in
the queue. (It fails even if the queue is empty: Linux takes a descriptor before it looks.) So
one *spare descriptor* is kept for that moment: it is closed, the connection is accepted in its
place and closed, and the spare is opened again. Somebody else may have taken the place meanwhile:
then it is tried again and again (`have`), before anything else is accepted.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
from contextlib import suppress

NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)  # of this process, of the whole system


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one; returns it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class SpareDescriptor:
    """A descriptor kept for the moment when there is no other."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self.have()

    def turn_away(self, listening: socket.socket) -> None:
        """Accept one connection and close it. Raises what accept raises."""
        self.close()
        try:
            listening.accept()[0].close()
        finally:
            self.have()

    def have(self) -> None:
        """Open it if it is missing and can be had."""
        if self._descriptor is None:
            with suppress(OSError):
                self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Give it up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
