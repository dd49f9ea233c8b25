"""The pieces of a followed stream: bytes that one side sent, and marks where something is odd."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

PROTOCOLS = ("tcp", "udp")
CLIENT, SERVER = 0, 1
"""The sides of a stream. The client is the sender of the first packet of the stream."""

SIDES = ("client", "server")
SIGNS = ("→", "←")
"""The names of the sides, and the signs of their bytes."""


class PieceKind(IntEnum):
    """The kind of a piece. All but `DATA` are marks, without bytes of their own."""

    DATA = 0
    MISSING = 1  # bytes that no packet of the capture has, though the other side acknowledged them
    CUT = 2  # bytes that the capture did not keep of a packet
    DIFFERENT = 3  # bytes that were sent again with another content; the first copy is shown
    FULL = 4  # the stream continues, but there is no more room


class Piece(NamedTuple):
    """Bytes of one packet that `side` sent, or a mark about `amount` bytes.

    `elapsed_ns` is the time of the packet since the first one of the stream.
    """

    side: int
    packet: int
    kind: PieceKind
    data: bytes = b""
    amount: int = 0
    elapsed_ns: int = 0


class TurnClock:
    """Measures how long each turn of a stream was waited for.

    A turn begins with the first bytes of the stream, and with bytes of a side after those of the
    other one. It was waited for since the last bytes before it, or the first packet of the stream.
    """

    def __init__(self) -> None:
        self._side: int | None = None
        self._last_ns = 0

    def wait_before(self, piece: Piece) -> int | None:
        """Take the next piece. Return the nanoseconds before a turn, or None within a turn."""
        if piece.kind is not PieceKind.DATA:
            return None
        wait_ns = piece.elapsed_ns - self._last_ns
        is_turn = piece.side != self._side
        self._side, self._last_ns = piece.side, piece.elapsed_ns
        return wait_ns if is_turn else None


def mark_text(kind: PieceKind, amount: int) -> str:
    """Return the words for a mark, in brackets."""
    count = f"{amount} byte{'s' * (amount != 1)}"
    match kind:
        case PieceKind.MISSING:
            words = f"{count} missing in capture file"
        case PieceKind.CUT:
            words = f"{count} not captured"
        case PieceKind.DIFFERENT:
            words = f"{count} retransmitted with other content"
        case _:
            words = f"more than {amount:,} bytes: the rest is not shown"
    return f"[{words}]"
