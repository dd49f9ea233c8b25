"""The rows of streams: against a plain reading of the same rules, and by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from core.analysis.follow import rows as rows_module
from core.analysis.follow.contents import StreamBuffer, StreamContents
from core.analysis.follow.line_index import LineCounter, StreamLines
from core.analysis.follow.pieces import Piece, PieceKind
from core.analysis.follow.rows import LineForm, StreamLayout, block_end, rows_of
from core.analysis.follow.texts import line_text
from core.store.budget import UNLIMITED, Budget
from core.store.snapshot import EMPTY_SNAPSHOT

DATA, MISSING = PieceKind.DATA, PieceKind.MISSING


def contents_of(*pieces: tuple[int, bytes] | int) -> StreamContents:
    """Return contents of ``(side, bytes)``; a number is a mark about so many bytes."""
    buffer = StreamBuffer()
    buffer.append(
        [
            Piece(0, number, MISSING, amount=each)
            if isinstance(each, int)
            else Piece(each[0], number, DATA, each[1])
            for number, each in enumerate(pieces, 1)
        ]
    )
    return buffer.contents


def shown(contents: StreamContents, layout: StreamLayout) -> list[tuple[int, bytes]]:
    """Return the piece and the bytes of each row."""
    found = rows_of(contents, 0, len(contents), layout)
    return [
        (piece, contents.data[start:stop].tobytes())
        for piece, start, stop in zip(
            found.piece.tolist(), found.start.tolist(), found.stop.tolist(), strict=True
        )
    ]


TALK = ((0, b"GET /\r\nHo"), (0, b"st: a\r\n\r\n"), (1, b"OK"), (1, b"!\n"), 5, (1, b"x" * 13))
ALL_ROWS = [
    (0, b"GET /\r\n"), (0, b"Host: a\r\n"), (1, b"\r\n"), (2, b"OK!\n"), (4, b""),
    (5, b"x" * 7), (5, b"x" * 6),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (StreamLayout(LineForm.TEXT, 10), ALL_ROWS),
        (StreamLayout(LineForm.TEXT, 10, side=0), [*ALL_ROWS[:3], ALL_ROWS[4]]),
        (StreamLayout(LineForm.TEXT, 10, side=1), [ALL_ROWS[3], *ALL_ROWS[5:]]),
        (
            StreamLayout(LineForm.TEXT, 20, joins=False),
            [
                (0, b"GET /\r\n"), (0, b"Ho"), (1, b"st: a\r\n"), (1, b"\r\n"), (2, b"OK"),
                (3, b"!\n"), (4, b""), (5, b"x" * 13),
            ],
        ),
        (
            StreamLayout(LineForm.HEX, 44, side=1),
            [(2, b"OK"), (3, b"!\n"), (5, b"x" * 8), (5, b"x" * 5)],
        ),
        (
            StreamLayout(LineForm.RAW, 20, side=1),
            [(2, b"OK"), (3, b"!\n"), (5, b"x" * 10), (5, b"x" * 3)],
        ),
    ],
)  # fmt: skip
def test_rows(layout: StreamLayout, expected: list[tuple[int, bytes]]) -> None:
    assert shown(contents_of(*TALK), layout) == expected


def test_a_datagram_without_payload_has_a_row() -> None:
    contents = contents_of((0, b""), (1, b"a"), (0, b""))
    layout = StreamLayout(LineForm.TEXT, 10, joins=False)
    assert shown(contents, layout) == [(0, b""), (1, b"a"), (2, b"")]
    assert shown(contents_of((0, b"")), layout) == [(0, b"")]


CHUNKS = st.text(alphabet="ab\n\réř中😀", max_size=30).map(str.encode) | st.binary(max_size=30)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1), CHUNKS) | st.integers(1, 9), max_size=12),
    st.integers(7, 40),
    st.sampled_from(list(LineForm)),
    st.sampled_from([None, 0, 1]),
)
def test_rows_have_all_bytes_in_order_and_fit(pieces, width, form, side) -> None:
    contents = contents_of(*pieces)
    layout = StreamLayout(form, width, side)
    found = shown(contents, layout)
    assert b"".join(data for _, data in found) == contents.bytes_of(side)
    empty = [
        number
        for number, each in enumerate(pieces)
        if (isinstance(each, int) and side != 1)
        or (each in ((0, b""), (1, b"")) and (side is None or each[0] == side))
    ]
    assert [piece for piece, data in found if not data] == empty
    if form is LineForm.TEXT:
        assert all(cell_len(line_text(data)) <= width for _, data in found)
        assert all(b"\n" not in data[:-1] for _, data in found)


def test_bytes_that_only_look_like_utf_8_fit() -> None:
    for data in (b"\0\0\x80\x80\x80\0\0\0\0\0", b"ab\xe0\x80\x80\x80\xf0\x80\x80\x80cdef"):
        layout = StreamLayout(LineForm.TEXT, 7)
        rows = [line_text(row) for _, row in shown(contents_of((0, data)), layout)]
        assert len(rows) > 1
        assert max(map(cell_len, rows)) <= 7


def test_characters_are_not_divided() -> None:
    text = ("é中😀" * 9).encode()
    rows = shown(contents_of((0, text)), StreamLayout(LineForm.TEXT, 8))
    assert "".join(data.decode() for _, data in rows) == text.decode()


@pytest.mark.parametrize("steps", [1, 3])
def test_blocks_have_the_rows_of_the_whole(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(rows_module, "BLOCK_BYTES", 40)
    monkeypatch.setattr(rows_module, "BLOCK_PIECES", 5)
    buffer = StreamBuffer()
    layout = StreamLayout(LineForm.RAW, 12)
    counter = LineCounter(lambda: buffer.contents, layout)
    for step in range(steps):
        buffer.append([Piece(step % 2, n, DATA, bytes([n]) * (n % 17)) for n in range(1, 60)])
        while counter.extend(EMPTY_SNAPSHOT, Budget(0)):
            pass
    contents = buffer.contents
    whole = rows_of(contents, 0, len(contents), layout)
    lines = StreamLines()
    lines.show(counter.index)
    assert counter.index.line_count == len(whole)
    assert [lines.row(line) for line in range(len(whole))] == list(
        zip(whole.piece.tolist(), whole.start.tolist(), whole.stop.tolist(), strict=True)
    )
    for line in range(0, len(whole), 7):
        _, start, stop = lines.row(line)
        if start < stop:
            assert lines.line_of(start) == lines.line_of(stop - 1) == line


def test_another_stream_is_not_shown_with_remembered_rows() -> None:
    lines = StreamLines()
    for text in (b"a\nb\n", b"abcd"):
        contents = contents_of((0, text))
        counter = LineCounter(lambda contents=contents: contents, StreamLayout(LineForm.TEXT, 9))
        assert not counter.extend(EMPTY_SNAPSHOT, UNLIMITED)
        lines.show(counter.index)
        assert lines.row(0) == (0, 0, text.find(b"\n") + 1 or 4)


def test_a_block_has_at_least_one_piece() -> None:
    contents = contents_of((0, bytes(rows_module.BLOCK_BYTES + 1)), (0, b"a"))
    assert block_end(contents, 0) == 1
    assert block_end(contents, 1) == 2
