"""The memory of a stream between its segments, as rows of numbers.

Both evaluations of segments, the exact one and that of whole columns, read these rows and write
them. Sequence numbers are as captured; 0 means that a number is not known yet, as in Wireshark.
"""

from __future__ import annotations

from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray


class _Column(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last: list[int]) -> int:
        return count


class OfStream(_Column):
    """The columns of a stream. Times are in nanoseconds since the epoch."""

    FIRST_TIME = auto()
    LAST_TIME = auto()
    LAST_PACKET = auto()
    SYN_TIME = auto()  # of the newest SYN without ACK; -1 before the first
    INITIAL_RTT = auto()  # nanoseconds; -1 if unknown
    COMPLETENESS = auto()  # of the segments up to now, see `Part`


class OfDirection(_Column):
    """The columns of one direction of a stream: its sender's segments up to now."""

    BASE = auto()  # what relative numbers count from; -1 if unknown
    NEXT = auto()  # the highest sequence number that the sender may send next
    NEXT_TIME = auto()  # when `NEXT` was set
    NEXT_PACKET = auto()  # by which packet
    CONTIGUOUS = auto()  # the end of the bytes without a hole
    ACK = auto()  # the acknowledgment number of the last segment
    ACK_TIME = auto()
    WINDOW = auto()  # of the last segment, unscaled; -1 without a segment
    SCALE = auto()  # shift count; see `SCALE_UNKNOWN`
    DUPLICATES = auto()  # duplicate ACKs since the last other one
    ACK_PACKET = auto()  # the packet that began with this acknowledgment number
    FINDINGS = auto()  # of the last segment
    IS_TRACKED = auto()  # 1 unless bytes in flight are unknown because of a lost segment
    SACKED = auto()  # bytes that the last segment acknowledged selectively
    HAS_ACKED = auto()  # 1 after the first segment with ACK and without SYN
    UNACKED = auto()  # the number of segments that the other side has not acknowledged
    HAS_GAP = auto()  # 1 if bytes between these segments are missing


class Part(IntEnum):
    """The parts of a complete connection: bits of ``tcp.completeness``."""

    SYN = 1
    SYN_ACK = 2
    ACK = 4
    DATA = 8
    FIN = 16
    RST = 32

    @property
    def words(self) -> str:
        """The name of the part, as a list of them has it."""
        return "data" if self is Part.DATA else self.name.replace("_", "-")


SCALE_UNKNOWN, SCALE_UNUSED = -1, -2
"""The scale of a sender whose SYN was not captured, and of one who does not scale."""
NO_SCALE_FACTOR = -3
"""The scale factor of a SYN segment, whose own window is never scaled."""

NEW_STREAM = (0, 0, 0, -1, -1, 0)
NEW_DIRECTION = (-1, 0, 0, 0, 0, 0, 0, -1, SCALE_UNKNOWN, 0, 0, 0, 1, 0, 0, 0, 0)
ROW_BYTES = 8 * (len(OfStream) + 2 * len(OfDirection))
"""The size of a stream's numbers."""

Rows = NDArray[np.int64]


class StreamStates:
    """The numbers of many streams: ``streams`` (n, columns) and ``directions`` (n, 2, columns)."""

    def __init__(self, capacity: int = 1 << 10) -> None:
        self.streams = np.empty((capacity, len(OfStream)), np.int64)
        self.directions = np.empty((capacity, 2, len(OfDirection)), np.int64)

    def reset(self, slots: Rows) -> None:
        """Make these slots those of new streams, with room for them."""
        needed = int(slots.max()) + 1 if len(slots) else 0
        if needed > len(self.streams):
            capacity = max(needed, 2 * len(self.streams))
            for name in ("streams", "directions"):
                old = getattr(self, name)
                new = np.empty((capacity, *old.shape[1:]), np.int64)
                new[: len(old)] = old
                setattr(self, name, new)
        self.streams[slots] = NEW_STREAM
        self.directions[slots] = NEW_DIRECTION
