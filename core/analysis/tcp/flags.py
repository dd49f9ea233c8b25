"""The findings about a segment: their bits, their fields, and their words in Info."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple


class Finding(IntFlag):
    """A property of a segment that follows from the segments before it."""

    RETRANSMISSION = 1 << 0
    FAST_RETRANSMISSION = 1 << 1
    SPURIOUS_RETRANSMISSION = 1 << 2
    OUT_OF_ORDER = 1 << 3
    FILLS_HOLE = 1 << 4
    LOST_SEGMENT = 1 << 5
    ACK_LOST_SEGMENT = 1 << 6
    WINDOW_UPDATE = 1 << 7
    WINDOW_FULL = 1 << 8
    KEEP_ALIVE = 1 << 9
    KEEP_ALIVE_ACK = 1 << 10
    DUPLICATE_ACK = 1 << 11
    ZERO_WINDOW_PROBE = 1 << 12
    ZERO_WINDOW = 1 << 13
    ZERO_WINDOW_PROBE_ACK = 1 << 14
    REUSED_PORTS = 1 << 15

    @property
    def field(self) -> str:
        """The name of the field that tells whether a packet has this one finding."""
        return f"tcp.analysis.{(self.name or '').lower()}"


class _Words(NamedTuple):
    info: str
    meaning: str


_F = Finding
WORDS: dict[Finding, _Words] = {
    _F.RETRANSMISSION: _Words(
        "TCP Retransmission", "Bytes that were sent before, or fill a hole late"
    ),
    _F.FAST_RETRANSMISSION: _Words(
        "TCP Fast Retransmission", "Retransmission soon after duplicate ACKs"
    ),
    _F.SPURIOUS_RETRANSMISSION: _Words(
        "TCP Spurious Retransmission", "Retransmission of bytes that were acknowledged"
    ),
    _F.OUT_OF_ORDER: _Words("TCP Out-Of-Order", "Fills a hole within the initial round-trip time"),
    _F.FILLS_HOLE: _Words("", "Has bytes that were missing before (rawscope's own field)"),
    _F.LOST_SEGMENT: _Words(
        "TCP Previous segment not captured", "Bytes before the segment are missing"
    ),
    _F.ACK_LOST_SEGMENT: _Words(
        "TCP ACKed unseen segment", "Acknowledges bytes that were not captured"
    ),
    _F.WINDOW_UPDATE: _Words("TCP Window Update", "Only the window changed"),
    _F.WINDOW_FULL: _Words("TCP Window Full", "Fills the window of the receiver"),
    _F.KEEP_ALIVE: _Words("TCP Keep-Alive", "Asks whether the other side is still there"),
    _F.KEEP_ALIVE_ACK: _Words("TCP Keep-Alive ACK", "Answers a keep-alive segment"),
    _F.DUPLICATE_ACK: _Words("TCP Dup ACK", "Repeats an acknowledgment"),
    _F.ZERO_WINDOW_PROBE: _Words("TCP ZeroWindowProbe", "Asks whether a window of 0 has opened"),
    _F.ZERO_WINDOW: _Words("TCP ZeroWindow", "The sender of the segment can take no more bytes"),
    _F.ZERO_WINDOW_PROBE_ACK: _Words("TCP ZeroWindowProbeAck", "Answers a probe of the window"),
    _F.REUSED_PORTS: _Words("TCP Port numbers reused", "A new connection on the ports of another"),
}
"""The words of each finding: in Info, and as the meaning of its field."""
