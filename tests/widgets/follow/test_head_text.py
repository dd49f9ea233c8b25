"""The lines above a followed stream."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.follow.contents import StreamBuffer
from core.analysis.follow.follower import NO_STREAM, FollowedStream
from core.analysis.follow.pieces import Piece as StreamPiece
from core.analysis.follow.pieces import PieceKind
from core.analysis.follow.rows import LineForm
from widgets.follow.head_text import EMPTY, SEARCHING, head_lines, size_text
from widgets.follow.paint import TurnTime
from widgets.lines.pieces import PieceStyle


def stream() -> FollowedStream:
    buffer = StreamBuffer()
    buffer.append(
        [StreamPiece(side, 1, PieceKind.DATA, bytes(12 + 1200 * side)) for side in (0, 1)]
    )
    ends = ("10.0.0.1", 4000), ("fe80::1", 80)
    return FollowedStream("tcp", 7, ends=ends, packets=1234, contents=buffer.contents)


PLAIN = {"form": LineForm.TEXT, "side": None, "time": TurnTime.NONE}


def texts(shown: FollowedStream | None, width: int = 100, **choice) -> list[str]:
    return [
        "".join(piece.text for piece in line)
        for line in head_lines(shown, **(PLAIN | choice), width=width)
    ]


def test_lines() -> None:
    assert texts(stream()) == [
        "TCP 7  → 10.0.0.1:4000 12 B  ← [fe80::1]:80 1.21 kB  1,234 packets",
        "[text] hex  raw   [both] → client  ← server    t delta  elapsed    previous  next ",
        " only  hide  search  save ",
    ]
    assert texts(stream(), 50) == [
        "TCP 7  → 10.0.0.1:4000 12 B  ",
        "← [fe80::1]:80 1.21 kB  1,234 packets",
        "[text] hex  raw   [both] → client  ← server ",
        " t delta  elapsed    previous  next ",
        " only  hide  search  save ",
    ]
    assert texts(None) == [EMPTY]
    assert texts(NO_STREAM)[0] == SEARCHING
    assert "no packet of this stream" in texts(replace(stream(), packets=0))[0]


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_no_line_is_cut_without_a_sign(width: int) -> None:
    names = ("2001:db8:1111:2222:3333:4444:5555:6666", 50000), ("2001:db8::1", 65535)
    waiting = replace(stream(), ends=names, waiting=(7, 1500))
    whole = " ".join(texts(waiting, 1000))
    for shown in (waiting, None):
        lines = texts(shown, width)
        assert all(len(line.rstrip()) <= width for line in lines)
    lines = texts(waiting, width)
    missing = [word for word in whole.split() if word not in " ".join(lines).split()]
    assert len(missing) <= sum(line.endswith("…") for line in lines) * 4
    assert not missing or any("…" in line for line in lines)
    if width >= 60:
        assert not missing


def test_a_stream_without_data_says_so() -> None:
    empty = FollowedStream("tcp", 7, ends=stream().ends, packets=3)
    assert texts(empty)[1] == "no data was sent"
    assert "no data was sent" not in texts(replace(empty, waiting=(0, 9)))
    assert "no data was sent" not in texts(stream())
    assert texts(NO_STREAM)[:1] == [SEARCHING]
    only_client = StreamBuffer()
    only_client.append([StreamPiece(0, 1, PieceKind.DATA, b"x")])
    one_sided = replace(empty, contents=only_client.contents)
    assert texts(one_sided, side=1)[1] == "no data of the server is in the capture"
    assert "no data" not in " ".join(texts(one_sided, side=0) + texts(one_sided))


def test_the_hidden_side_is_named() -> None:
    assert texts(stream(), side=0)[0].startswith("TCP 7  server hidden  → 10.")
    assert texts(stream(), side=1)[0].startswith("TCP 7  client hidden  → 10.")


def test_bytes_that_wait_are_reported() -> None:
    assert texts(replace(stream(), waiting=(0, 1500)))[1] == (
        "1,500 bytes of the server after a gap wait for an acknowledgment"
    )


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({}, ["[text]", "[both]"]),
        ({"form": LineForm.RAW, "side": 0}, ["[raw]", "[→ client]"]),
        ({"form": LineForm.HEX, "side": 1}, ["[hex]", "[← server]"]),
        ({"time": TurnTime.DELTA}, ["[text]", "[both]", "[delta]"]),
    ],
)
def test_the_choice_is_marked(choice: dict, chosen: list[str]) -> None:
    lines = head_lines(stream(), **(PLAIN | choice), width=100)
    found = [p.text for line in lines[1:] for p in line if p.style is PieceStyle.BUTTON]
    assert found == chosen


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (999_499, "999 kB"),
        (999_500, "1 MB"), (134_217_728, "134 MB"), (5_000_000_000, "5 GB"),
    ],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    assert size_text(count) == text
