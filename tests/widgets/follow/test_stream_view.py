"""The rows of a stream on a screen: what they show, the cursor, growth, and matches."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from app.keymap import KeyContext
from app.textual_bindings import with_keys
from core.analysis.follow.contents import StreamBuffer
from core.analysis.follow.line_index import LineCounter
from core.analysis.follow.pieces import Piece, PieceKind
from core.analysis.follow.rows import LineForm, StreamLayout
from core.store.budget import UNLIMITED
from core.store.snapshot import EMPTY_SNAPSHOT
from tests.widgets.stage import play, screen_text
from widgets.follow.stream_view import StreamView

TALK = [
    Piece(0, 4, PieceKind.DATA, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Piece(1, 6, PieceKind.DATA, b"HTTP/1.1 200 OK\r\n"),
    Piece(1, 7, PieceKind.MISSING, amount=1448),
    Piece(1, 7, PieceKind.DATA, "\x1b[31mčau".encode()),
]


class Stream:
    """A stream that a test lets grow, in a view."""

    def __init__(self, *pieces: Piece) -> None:
        self.buffer = StreamBuffer()
        self.picked: list[int] = []
        self.layouts = 0
        view = StreamView(self._count_layout, self.picked.append, id="stream-rows")
        self.view = with_keys(view, KeyContext.LIST)
        self.counter: LineCounter | None = None
        self.add(*pieces)

    def _count_layout(self) -> None:
        self.layouts += 1

    def add(self, *pieces: Piece) -> None:
        """Add pieces; show them if the view shows the others already."""
        self.buffer.append(pieces)
        if self.counter is not None:
            self._count()

    def show(
        self, form: LineForm = LineForm.TEXT, side: int | None = None, width: int = 60
    ) -> None:
        """Show all pieces in a layout."""
        contents = self.buffer
        self.counter = LineCounter(lambda: contents.contents, StreamLayout(form, width, side))
        self._count()

    def _count(self) -> None:
        assert self.counter is not None
        self.counter.extend(EMPTY_SNAPSHOT, UNLIMITED)
        self.view.show(self.counter.index)


@pytest.mark.parametrize(
    ("layout", "lines"),
    [
        (
            (LineForm.TEXT,),
            [
                "→ GET / HTTP/1.1", "→ Host: a", "→", "← HTTP/1.1 200 OK",
                "← [1448 bytes missing in capture file]", "← ·[31m·au",
            ],
        ),
        (
            (LineForm.HEX, 1, 76),
            [
                "← 00000000  48 54 54 50 2f 31 2e 31  20 32 30 30 20 4f 4b 0d  HTTP/1.1 200 OK·",
                "← 00000010  0a                                                ·",
                "← [1448 bytes missing in capture file]",
                "← 00000011  1b 5b 33 31 6d c4 8d 61  75                       ·[31m··au",
            ],
        ),
        ((LineForm.RAW, 1, 20), ["← 485454502f312e312032", "← 3030204f4b0d0a"]),
    ],
)  # fmt: skip
def test_forms(layout: tuple, lines: list[str]) -> None:
    stream = Stream(*TALK)

    async def scene(pilot: Pilot[None]) -> None:
        stream.show(*layout)
        await pilot.pause()
        assert screen_text(stream.view)[: len(lines)] == lines

    play(stream.view, scene)


def test_the_cursor_its_packet_and_clicks() -> None:
    stream = Stream(*TALK)
    view = stream.view

    async def scene(pilot: Pilot[None]) -> None:
        assert view.packet is None
        assert view.text == ""
        stream.show()
        await pilot.pause()
        assert (view.packet, view.text) == (4, "GET / HTTP/1.1")
        await pilot.press("down", "down", "down", "down")
        assert (view.packet, view.text) == (7, "[1448 bytes missing in capture file]")
        await pilot.click(view, offset=(5, 3))
        assert (view.packet, view.cursor_line, stream.picked) == (6, 3, [6])

    play(view, scene)


def test_a_new_layout_keeps_the_cursor_on_its_byte() -> None:
    stream = Stream(*[Piece(n % 2, n, PieceKind.DATA, b"x" * 300) for n in range(1, 40)])
    view = stream.view

    async def scene(pilot: Pilot[None]) -> None:
        stream.show()
        await pilot.pause()
        view.move_to_line(100)
        packet, place = view.packet, view.place
        for layout in ((LineForm.HEX, None, 76), (LineForm.RAW, None, 30), (LineForm.TEXT,)):
            stream.show(*layout)
            await pilot.pause()
            assert view.packet == packet
            assert view.window.clip(view.cursor_line, view.cursor_line + 1)
        assert abs(view.place - place) < 80

    play(view, scene)


def test_the_last_row_is_followed_until_the_cursor_leaves_it() -> None:
    stream = Stream(*TALK)
    view = stream.view

    async def scene(pilot: Pilot[None]) -> None:
        stream.show()
        stream.add(Piece(0, 8, PieceKind.DATA, b"one\ntwo"))
        assert view.cursor_line == 0
        await pilot.press("G")
        assert view.text == "two"
        stream.add(Piece(0, 9, PieceKind.DATA, b" and a half\nthree\n"))
        assert view.text == "three"
        await pilot.press("k")
        assert view.text == "two and a half"
        stream.add(Piece(1, 10, PieceKind.DATA, b"four\n" * 40))
        await pilot.pause()
        assert view.text == "two and a half"
        assert screen_text(view)[7] == "→ two and a half"

    play(view, scene)


def test_a_match_is_highlighted_and_another_stream_begins_at_its_start() -> None:
    stream = Stream(*[Piece(0, n, PieceKind.DATA, b"line %d\n" % n) for n in range(1, 90)])
    view = stream.view

    async def scene(pilot: Pilot[None]) -> None:
        stream.show()
        start = stream.buffer.contents.data.tobytes().index(b"line 70")
        view.show_match((start + 5, start + 7))
        await pilot.pause()
        assert (view.text, view.packet) == ("line 70", 70)
        marked = [s.text for s in view.build_line(69) if s.style and s.style.reverse]
        assert "70" in marked
        other = Stream(*TALK)
        other.show()
        view.show(other.counter.index)
        await pilot.pause()
        assert view.cursor_line == 0
        assert view.window.top == 0
        view.clear()
        assert view.line_count == 0

    play(view, scene)


def test_another_width_is_reported() -> None:
    stream = Stream(*TALK)

    async def scene(pilot: Pilot[None]) -> None:
        stream.show(width=stream.view.row_width)
        before = stream.layouts
        await pilot.resize_terminal(50, 20)
        await pilot.pause()
        assert stream.layouts > before

    play(stream.view, scene)
