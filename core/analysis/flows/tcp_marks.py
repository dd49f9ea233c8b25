"""Further columns of TCP conversations, from the analysis of their segments.

The columns of `core.analysis.flows.table.TCP_COLUMNS`: retransmissions, closed windows, and resets
by direction, the initial round-trip time, and the flags that each side has sent, which give the
state of the connection.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.table import ConversationTable, Counted
from core.analysis.tcp.flags import Finding
from core.analysis.tcp.flow_table import Columns
from core.wire.transport.tcp import FLAG_BITS

RETRANSMITTED = (
    Finding.RETRANSMISSION | Finding.FAST_RETRANSMISSION | Finding.SPURIOUS_RETRANSMISSION
)
MARKING = ("flags", "findings", "initial_rtt", "stream")
"""The columns of the analysis that are read."""

_SYN, _FIN, _RST, _ACK = (FLAG_BITS[name] for name in ("syn", "fin", "reset", "ack"))


class Seen(IntEnum):
    """Bits of the ``seen`` column: what a side has sent."""

    SYN = 1
    SYN_ACK = 2
    ACK = 4  # without SYN
    FIN = 8
    RESET = 16


class TcpState(IntEnum):
    """The state of a connection by what both sides have sent; by how much it deserves attention."""

    CLOSED = 0
    OPEN = 1
    HALF_CLOSED = 2
    HALF_OPEN = 3
    REFUSED = 4
    RESET = 5

    @property
    def word(self) -> str:
        """The text for the user."""
        return self.name.lower().replace("_", " ")


def add_marks(table: ConversationTable, counted: Counted, segments: Columns) -> None:
    """Count what the analysis found. `segments` are its columns of the headers added (k,)."""
    if not len(counted.index):
        return
    columns = table.columns
    flags, findings = segments["flags"][counted.index], segments["findings"][counted.index]
    for name, mask in (
        ("retransmissions", findings & int(RETRANSMITTED) > 0),
        ("zero_windows", findings & int(Finding.ZERO_WINDOW) > 0),
        ("resets", flags & _RST > 0),
    ):
        index = np.flatnonzero(mask)
        np.add.at(columns[name], (counted.slot[index], counted.way[index]), 1)
    seen = _SEEN[flags & 0xFF]
    for way in (0, 1):
        of_way = np.where(counted.way == way, seen, 0).astype(np.uint8)
        columns["seen"][counted.slots, way] |= np.bitwise_or.reduceat(of_way, counted.starts)
    times = segments["initial_rtt"][counted.index]
    index = np.flatnonzero(times > 0)
    columns["initial_rtt_ns"][counted.slot[index]] = times[index]


def _seen_by_flags() -> NDArray[np.uint8]:
    """Return the bits of `Seen` for each value of the low byte of the flags, (256,)."""
    flags = np.arange(256)
    opening = flags & (_SYN | _ACK)
    found = np.zeros(256, np.uint8)
    for bit, mask in (
        (Seen.SYN, opening == _SYN),
        (Seen.SYN_ACK, opening == _SYN | _ACK),
        (Seen.ACK, opening == _ACK),
        (Seen.FIN, flags & _FIN > 0),
        (Seen.RESET, flags & _RST > 0),
    ):
        found[mask] |= np.uint8(bit)
    return found


_SEEN = _seen_by_flags()


def states(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the `TcpState` of connections whose sides have sent `seen` (n, 2).

    A connection without a captured handshake is open. A SYN that nobody answered, or whose answer
    nobody acknowledged, leaves it half open; one that a reset answers is refused.
    """
    either = seen[:, 0] | seen[:, 1]
    both = seen[:, 0] & seen[:, 1]
    found = np.full(len(seen), TcpState.OPEN, np.uint8)
    is_begun = either & (Seen.SYN | Seen.SYN_ACK) > 0
    is_answered = (either & Seen.SYN_ACK > 0) & (either & Seen.ACK > 0)
    has_talked = is_answered | (both & Seen.ACK > 0) | (either & Seen.SYN == 0)
    found[is_begun & ~has_talked] = TcpState.HALF_OPEN
    found[either & Seen.FIN > 0] = TcpState.HALF_CLOSED
    found[both & Seen.FIN > 0] = TcpState.CLOSED
    is_reset = either & Seen.RESET > 0
    found[is_reset] = TcpState.RESET
    found[is_reset & (either & Seen.SYN > 0) & (either & Seen.SYN_ACK == 0)] = TcpState.REFUSED
    return found
