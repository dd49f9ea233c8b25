"""The pieces of a followed stream: bytes that one side sent, and marks where something is odd."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

PROTOCOLS = ("tcp", "udp")
CLIENT, SERVER = 0, 1
"""The sides of a stream. The client is the sender of the first packet of the stream."""


class PieceKind(IntEnum):
    """The kind of a piece. All but `DATA` are marks, without bytes of their own."""

    DATA = 0
    MISSING = 1  # bytes that no packet of the capture has, though the other side acknowledged them
    CUT = 2  # bytes that the capture did not keep of a packet
    DIFFERENT = 3  # bytes that were sent again with another content; the first copy is shown
    FULL = 4  # the stream continues, but there is no more room


class Piece(NamedTuple):
    """Bytes of one packet that `side` sent, or a mark about `amount` bytes."""

    side: int
    packet: int
    kind: PieceKind
    data: bytes = b""
    amount: int = 0


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
