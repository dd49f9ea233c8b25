"""Follow a file to which another program appends."""

from __future__ import annotations

import os
import select
from pathlib import Path

from core.files.cancellation import Cancellation

_NAP_MS = 200  # between two checks whether a file has grown


class GrowingFile:
    """A regular file to which another program appends; `path` is its name.

    Following it ends if it shrinks (`fault`), or if another file has its name and this one has no
    more bytes (`remark`).

    It is checked five times a second, by three system calls, which takes less than 0.1 % of a core.
    inotify(7) would not replace this: it reports nothing that another host writes to the file (NFS,
    a shared folder).
    """

    def __init__(self, descriptor: int, path: Path, cancellation: Cancellation | None) -> None:
        self.fault = ""
        self.remark = ""
        self._descriptor, self._path = descriptor, path
        self._nap = select.poll()
        if cancellation is not None:
            self._nap.register(cancellation, select.POLLIN)

    def has_more(self, position: int, wait: bool) -> bool:
        """Return True if there are bytes after `position`. With `wait`, wait for them."""
        while True:
            is_last = self._is_replaced()  # before the size: nothing is appended after it is True
            size = os.fstat(self._descriptor).st_size
            if size > position:
                return True
            if size < position:
                self.fault = f"the file shrank from {position} to {size} bytes while it was read"
            elif is_last:
                self.remark = "another file has this name now: open it again to follow that one"
            elif wait and not self._nap.poll(_NAP_MS):
                continue
            return False

    def _is_replaced(self) -> bool:
        """Return True if the name means another file now; a deleted file may still grow."""
        try:
            named = os.stat(self._path)
        except OSError:
            return False
        own = os.fstat(self._descriptor)
        return (named.st_dev, named.st_ino) != (own.st_dev, own.st_ino)
