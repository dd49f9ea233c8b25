"""The columns of a stream: what they say, that views stay as they are, and their bounds."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.follow.contents import NO_CONTENTS, NO_WAIT, StreamBuffer
from core.analysis.follow.pieces import Piece, PieceKind, mark_text

PIECES = [
    Piece(0, 1, PieceKind.DATA, b"abc"),
    Piece(1, 2, PieceKind.MISSING, amount=7),
    Piece(1, 2, PieceKind.DATA, b"xy"),
    Piece(0, 3, PieceKind.DATA, b"d"),
]


def test_pieces_become_columns() -> None:
    buffer = StreamBuffer()
    buffer.append(PIECES)
    contents = buffer.contents
    assert contents.data.tobytes() == b"abcxyd"
    assert contents.start.tolist() == [0, 3, 3, 5]
    assert contents.length.tolist() == [3, 0, 2, 1]
    assert contents.position.tolist() == [0, 0, 0, 3]
    assert contents.packet.tolist() == [1, 2, 2, 3]
    assert contents.side.tolist() == [0, 1, 1, 0]
    assert contents.totals == (4, 2)
    assert [contents.piece_at(offset) for offset in range(6)] == [0, 0, 0, 2, 2, 3]
    assert [contents.bytes_of(side) for side in (None, 0, 1)] == [b"abcxyd", b"abcd", b"xy"]
    assert contents.bytes_of(None, 1, 3) == b"xy"
    assert NO_CONTENTS.bytes_of(None) == b""


def test_turns_have_the_time_that_they_were_waited_for() -> None:
    buffer = StreamBuffer()
    kinds = [(0, 5), (0, 7), (1, 9), (1, 30), (0, 29)]  # side and time; the fourth is a mark
    pieces = [Piece(side, 1, PieceKind.DATA, b"x", 0, time) for side, time in kinds]
    pieces[3] = pieces[3]._replace(kind=PieceKind.CUT, data=b"")
    for piece in pieces:
        buffer.append([piece])
    assert buffer.contents.elapsed_ns.tolist() == [5, 7, 9, 30, 29]
    assert buffer.contents.wait_ns.tolist() == [5, NO_WAIT, 2, NO_WAIT, 20]
    assert list(buffer.contents.pieces()) == pieces


def test_a_view_does_not_change_while_the_stream_grows() -> None:
    buffer = StreamBuffer()
    buffer.append(PIECES)
    early = buffer.contents
    buffer.append([Piece(0, 9, PieceKind.DATA, bytes(3000))] * 300)
    assert early.data.tobytes() == b"abcxyd"
    assert len(early) == 4
    assert len(buffer.contents) == 304
    assert buffer.contents.data.tobytes() == b"abcxyd" + bytes(900_000)
    with pytest.raises(ValueError, match="read-only"):
        buffer.contents.data[0] = 1


@pytest.mark.parametrize(("most_bytes", "most_pieces"), [(5, 100), (100, 3)])
def test_a_full_stream_says_so(most_bytes: int, most_pieces: int) -> None:
    buffer = StreamBuffer(most_bytes, most_pieces)
    for piece in PIECES:
        buffer.append([piece])
    contents = buffer.contents
    assert contents.is_full
    assert contents.data.tobytes() == b"abcxy"
    assert mark_text(PieceKind(contents.kind[-1]), int(contents.amount[-1])) == (
        "[more than 5 bytes: the rest is not shown]"
    )
    assert np.count_nonzero(contents.kind == PieceKind.FULL) == 1
