"""The parts of a stream that can be saved and copied."""

from __future__ import annotations

import pytest

from app.screens.follow import stream_saving
from app.screens.follow.stream_saving import copy_choices, formed_text, raw_bytes, save_choices
from core.analysis.follow.contents import StreamBuffer
from core.analysis.follow.follower import FollowedStream
from core.analysis.follow.pieces import Piece, PieceKind

ENDS = ("10.0.0.1", 4000), ("10.0.0.2", 80)


def stream(*pieces: Piece) -> FollowedStream:
    buffer = StreamBuffer()
    buffer.append(pieces)
    return FollowedStream("tcp", 7, ends=ENDS, packets=3, contents=buffer.contents)


TALK = stream(
    Piece(0, 1, PieceKind.DATA, b"GET\n"),
    Piece(1, 2, PieceKind.MISSING, amount=5),
    Piece(1, 2, PieceKind.DATA, b"200\xff"),
)
TITLE = "TCP stream 7: 10.0.0.1:4000 → 10.0.0.2:80"


def test_sides_and_forms() -> None:
    assert [raw_bytes(TALK, side) for side in (None, 0, 1)] == [
        b"GET\n200\xff", b"GET\n", b"200\xff"
    ]  # fmt: skip
    mark = "← [5 bytes missing in capture file]"
    assert formed_text(TALK, None, "text").splitlines() == [TITLE, "→ GET", mark, "← 200·"]
    assert formed_text(TALK, 0, "text").splitlines() == [TITLE, "→ GET"]


def test_lines_and_sides_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dict(copy_choices(TALK, "GET")) == {
        "Line": "GET",
        "Text, both": formed_text(TALK, None, "text"),
        "Text, → client": f"{TITLE}\n→ GET",
        "Bytes in hex, → client": "4745540a",
        "Text, ← server": formed_text(TALK, 1, "text"),
        "Bytes in hex, ← server": "323030ff",
    }
    monkeypatch.setattr(stream_saving, "MOST_COPIED", 4)
    assert "Text, both" not in dict(copy_choices(TALK, ""))
    assert copy_choices(stream(), "") == []


def test_sides_and_texts_are_saved() -> None:
    choices = [each for each in save_choices(None, TALK) if each is not None]
    made = {each.run.args[1]: each.run.args[2]() for each in choices}
    assert made == {
        "tcp-stream-7-both.bin": b"GET\n200\xff",
        "tcp-stream-7-client.bin": b"GET\n",
        "tcp-stream-7-server.bin": b"200\xff",
        "tcp-stream-7-text.txt": (formed_text(TALK, None, "text") + "\n").encode(),
        "tcp-stream-7-hex.txt": (formed_text(TALK, None, "hex") + "\n").encode(),
    }
    assert len({each.key for each in choices}) == len(choices)
