"""Faults of our own: the packets that rawscope failed to describe, counted.

Dissection never raises for traffic, and neither do its readers. If one does all the same, the
fault is ours: it must not take the packets after it along. Code that shows packets one by one (a
line of `dump`, a row of the table, the detail tree, a key that acts on a packet) does so inside
`guard`, or hands the exception to `note`, and shows the words in the packet's place. The count is
shown to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

LIMIT = 1 << 16  # packet numbers remembered; the count stops there


class Faults:
    """Counts packets, by number, that could not be described. For one thread."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self.first: Exception | None = None
        """The first exception that was counted, with its traceback, for ``--debug``."""
        self.message = ""
        """One sentence about the packet of `first`; empty where there was none."""

    @property
    def count(self) -> int:
        """Return how many packets failed: each counts once, up to `LIMIT` packets."""
        return len(self._numbers)

    def note(self, number: int, error: Exception) -> str:
        """Count a packet and return the words to show in its place."""
        words = fault_text(error)
        if not self._numbers:
            self.first, self.message = error, f"packet {number}: {words}"
        if len(self._numbers) < LIMIT:
            self._numbers.add(number)
        return words

    @contextmanager
    def guard(self, number: int, say: Callable[[str], object] = len) -> Iterator[None]:
        """Catch an exception of the block, which handles packet `number`.

        The packet is counted, and `say` is called with the words to show.
        """
        try:
            yield
        except Exception as error:  # ours; the packets beside it are not to be lost
            say(self.note(number, error))

    def forget(self) -> None:
        """Start counting again: packet numbers mean other packets from here on.

        `first` and `message` stay until another packet fails.
        """
        self._numbers.clear()


def fault_text(error: Exception) -> str:
    """What is shown of a packet that could not be described.

    Only the exception's type is named: its message may hold bytes of the packet.
    """
    return f"rawscope failed to describe this packet: {type(error).__name__} in its own code"
