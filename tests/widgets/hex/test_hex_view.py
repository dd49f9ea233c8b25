"""The hex view on a screen: layout, highlight, cursor, and mouse."""

import pytest

from core.wire.model.field import Span
from tests.widgets.stage import play, screen_text
from widgets.hex.hex_view import HexView
from widgets.hex.layout import HexLayout, choose_hex_layout

DATA = bytes(range(256))


def highlighted(view):
    """Return the highlighted text of all lines: hex, then text."""
    style = view.component("hex-view--highlight")
    lines = [view.build_line(line) for line in range(view.line_count)]
    return [segment.text for line in lines for segment in line if segment.style == style]


def test_a_row_has_offset_hex_and_text():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(b"GET / HTTP/1.1\r\n\x1b[31m")
        lines = screen_text(view)
        assert lines[0] == (
            "0000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1··"
        )
        assert lines[1] == "0010  1b 5b 33 31 6d" + " " * 36 + "·[31m"

    play(HexView(), scene)


@pytest.mark.parametrize(
    ("width", "per_row"), [(158, 32), (100, 16), (75, 16), (60, 8), (40, 8), (38, 8), (30, 4)]
)
def test_bytes_per_row_follow_the_width(width, per_row):
    async def scene(pilot):
        view = pilot.app.widget
        view.show(DATA)
        assert view.line_count == 256 // per_row
        assert all(len(line) < width for line in screen_text(view))

    play(HexView(), scene, size=(width, 20))


def test_missing_bytes_are_reported():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(DATA[:32], 1232)
        assert screen_text(view)[2] == "… 1,200 bytes were not captured"
        view.show(DATA[:32], 32)
        assert screen_text(view)[2] == ""
        view.show(DATA[:32], 33)
        assert screen_text(view)[2] == "… 1 byte was not captured"

    play(HexView(), scene)


def test_a_highlight_is_shown_in_hex_and_text_and_scrolled_to():
    async def scene(pilot):
        view = pilot.app.widget
        pilot.app.set_focus(None)  # with the focus, the first byte has the cursor's look
        await pilot.pause()
        view.show(bytes(4096) + b"HERE" + bytes(4096))
        view.highlight(Span(4096, 4100))
        text = "\n".join(screen_text(view))
        assert "HERE" in text
        assert highlighted(view) == ["48 45 52 45", "HERE"]
        view.highlight(Span(4094, 4106))
        assert highlighted(view) == ["00 00", "··", "48 45 52 45 00 00 00 00  00 00", "HERE······"]
        view.highlight(None)
        assert highlighted(view) == []

    play(HexView(), scene)


def test_a_highlight_past_the_captured_bytes_is_cut():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(DATA[:20], 100)
        view.highlight(Span(18, 40))
        assert view.highlighted == Span(18, 20)
        view.highlight(Span(40, 60))
        assert view.highlighted is None

    play(HexView(), scene)


def test_every_byte_can_be_clicked_on_both_sides():
    layout = choose_hex_layout(256, 99)
    assert layout == HexLayout(4, 16)
    for index in range(16):
        assert layout.index_at(layout.hex_cell(index)) == index
        assert layout.index_at(layout.hex_cell(index) + 1) == index
        assert layout.index_at(layout.text_start + index) == index


def test_a_click_selects_its_byte():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(DATA)
        layout = choose_hex_layout(256, 99)
        await pilot.click(view, offset=(layout.hex_cell(5), 2))
        await pilot.click(view, offset=(layout.text_start + 9, 3))
        await pilot.pause()

    app = play(HexView(), scene)
    assert [message.offset for message in app.heard] == [2 * 16 + 5, 3 * 16 + 9]


def test_the_keyboard_cursor_moves_by_byte_and_row():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(DATA)
        view.action_step(1)
        view.action_step(1)
        view.action_move("down")
        view.action_step(-1)
        assert view.cursor == 16
        view.action_move("last")
        assert view.cursor == 240
        view.action_move("up")
        view.action_step(-1)
        assert view.cursor == 223
        view.action_move("first")
        assert view.cursor == 15
        for _ in range(20):
            view.action_step(-1)
        assert view.cursor == 0

    play(HexView(), scene)


def test_a_large_frame_draws_only_what_is_visible():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(bytes(1 << 24))
        view.action_move("last")
        await pilot.pause()
        assert screen_text(view)[-1].startswith("fffff0")

    play(HexView(), scene)


def test_resize_keeps_the_cursor_on_the_screen():
    async def scene(pilot):
        view = pilot.app.widget
        view.show(bytes(2000))
        view.highlight(Span(1000, 1002))
        await pilot.resize_terminal(45, 8)
        await pilot.pause()
        assert view.cursor_line in view.window.lines

    play(HexView(), scene)
