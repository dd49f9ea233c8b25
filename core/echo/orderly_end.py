"""The orderly end of one client, without I/O: which bytes it is owed, and when to send our FIN.

When a shutdown begins, bytes may lie unread in the kernel (SIOCINQ). The kernel has acknowledged
them, so the peer may rely on their echo: they are *owed*. The client keeps reading, as fast as
the high-water mark allows, until it has read that many bytes and its turn is over; when all of them
went back, our FIN is sent. Bytes that arrive later are discarded, and counted, until the peer ends
too. Closing with bytes unread would send a reset, and a reset may overtake the echo.
"""

from __future__ import annotations


class OrderlyEnd:
    """The state of one client that is being shut down. `sent_fin` is True once our FIN is out."""

    __slots__ = ("_owed", "sent_fin")

    def __init__(self, unread: int) -> None:
        self._owed = unread
        self.sent_fin = False

    def receive(self, count: int) -> None:
        """Count bytes that were read and will be sent back."""
        self._owed = max(0, self._owed - count)

    @property
    def has_read_all(self) -> bool:
        """True if every byte that the peer is owed has been read."""
        return not self._owed

    def wants_fin(self, pending: int) -> bool:
        """Return True if our FIN is due: `pending` is the number of bytes still to be sent back."""
        return self.has_read_all and not pending and not self.sent_fin
