"""Count the packets that rawscope failed to describe.

Dissection never raises for traffic, and neither do its readers. If one raises all the same,
rawscope is at fault, and the packets after it must not be lost. Code that shows packets one by one
(a line of `dump`, a row of the table, the detail tree, a key that acts on a packet) does so inside
`guard`, or hands the exception to `note`, and shows the words in the packet's place. The screen
shows the count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

LIMIT = 1 << 16  # packet numbers remembered; the count stops there


class Faults:
    """A count of packets, by number, that could not be described. For one thread."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self.first: Exception | None = None
        """The first exception that was counted, with its traceback, for ``--debug``."""
        self.message = ""
        """One sentence about the packet of `first`; empty if no packet failed."""

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
    def guard(self, number: int, show: Callable[[str], object] = len) -> Iterator[None]:
        """Catch an exception of the block, which handles packet `number`.

        The packet is counted, and `show` is called with the words to show.
        """
        try:
            yield
        except Exception as error:  # rawscope's fault; other packets must not be lost
            show(self.note(number, error))

    def forget(self) -> None:
        """Start counting again, because packet numbers mean other packets from here on.

        `first` and `message` stay until another packet fails.
        """
        self._numbers.clear()


def fault_text(error: Exception) -> str:
    """Return the text that is shown for a packet that could not be described.

    It names only the exception's type, because the message may hold bytes of the packet.
    """
    return f"rawscope failed to describe this packet: {type(error).__name__} in its own code"
