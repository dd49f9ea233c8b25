"""Keeping the garbage collector away from what lives long.

A full collection looks at every object there is: with ten thousand echo clients that is 30 to
60 ms of processor time in which no key is answered, several times a minute. So now and then all
that is there is *frozen* (``gc.freeze``): put aside where no collection looks. Frozen
objects are still freed when nobody refers to them; only a cycle that becomes garbage later stays,
and clients are in none once they are closed.
"""

from __future__ import annotations

import gc

CLIENTS_EACH = 500  # accepted since the last time


class Settling:
    """Freezes each time that so many more clients were accepted. Absolute counts in, any order."""

    def __init__(self) -> None:
        self._accepted = 0

    def note(self, accepted: int) -> bool:
        """So many clients were accepted so far; whether this was the time to freeze."""
        if accepted < self._accepted:
            self._accepted = accepted  # another server
        if accepted - self._accepted < CLIENTS_EACH:
            return False
        self._accepted = accepted
        gc.freeze()
        return True
