"""Compare screen differences with an emulator that receives all that Textual would send."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from app.terminal.cells import CellStyle, parse_style
from app.terminal.frame import TerminalFrame
from tests.helpers.emulator import Emulator

WIDTH, HEIGHT = 30, 12
CONSOLE = Console(force_terminal=True, color_system="truecolor")
STYLES = [
    None,
    Style(),
    *map(
        Style.parse,
        [
            "bold", "red on blue", "bold #102030 on #405060", "on #405060", "dim green",
            "underline", "reverse #102030", "default on default", "italic bright_red on color(99)",
        ],
    ),
]  # fmt: skip
TEXTS = [
    "a", " ", "  ", "word", "two words", "12:03", "─│╭", "é", "漢", "漢字", "e\u0301", "👍🏽",
    "x漢y", "👩‍👩‍👧", "❤\ufe0f",
]  # fmt: skip


def line(rng: random.Random, width: int = WIDTH) -> Strip:
    """Return a line of some texts in some styles."""
    strip = Strip([Segment(rng.choice(TEXTS), rng.choice(STYLES)) for _ in range(8)])
    return Strip(strip.crop(0, width).adjust_cell_length(width, rng.choice(STYLES)))


def whole(lines: list[Strip]) -> LayoutUpdate:
    """Return Textual's update of a whole screen."""
    return LayoutUpdate([[strip] for strip in lines], Region(0, 0, WIDTH, len(lines)))


def chops(rng: random.Random, lines: list[Strip]) -> ChopsUpdate:
    """Return Textual's update of some lines in two parts; it may paint one or crop some."""
    cut = rng.randrange(1, WIDTH)
    parts = [dict(zip((0, cut), strip.divide([cut, WIDTH]), strict=True)) for strip in lines]
    spans = []
    for y in sorted(rng.sample(range(HEIGHT), 4)):
        spans.append((y, 0, rng.choice([cut, WIDTH])))
        if rng.random() < 0.3:
            parts[y][rng.choice([0, cut])] = None
    return ChopsUpdate(parts, spans, [[cut, WIDTH]] * HEIGHT)


class Screens:
    """Two emulators that get the same updates: as Textual writes them, and as differences."""

    def __init__(self) -> None:
        self.frame = TerminalFrame(ColorSystem.TRUECOLOR)
        self.frame.resize(WIDTH, HEIGHT)
        self.textual, self.ours = Emulator(WIDTH, HEIGHT), Emulator(WIDTH, HEIGHT)

    def take(self, update: LayoutUpdate | ChopsUpdate) -> None:
        """Paint an update as Textual does."""
        self.textual.feed(update.render_segments(CONSOLE).encode())
        self.frame.take(update)

    def write(self) -> str:
        """Write the difference; it must lead to the same screen."""
        difference = self.frame.difference()
        self.ours.feed(f"{difference}\x1b[m".encode())
        assert self.ours.text == self.textual.text
        assert self.ours.seen == self.textual.seen
        return difference


@given(st.integers(0, 1 << 30))
def test_differences_lead_to_what_textual_paints(seed):
    rng = random.Random(seed)
    screens = Screens()
    lines = [line(rng) for _ in range(HEIGHT)]
    screens.take(whole(lines))
    for _ in range(6):
        match rng.randrange(4):
            case 0:
                lines = [line(rng) for _ in range(HEIGHT)]
                screens.take(whole(lines))
            case 1:
                for y in rng.sample(range(HEIGHT), 3):
                    lines[y] = line(rng)
                screens.take(whole(lines))
            case 2:  # a part scrolls
                top, bottom = sorted(rng.sample(range(HEIGHT + 1), 2))
                part = lines[top:bottom]
                new = [line(rng) for _ in range(rng.randrange(3))]
                moved = (new + part) if rng.random() < 0.5 else (part + new)[len(new) :]
                lines[top:bottom] = moved[: bottom - top]
                screens.take(whole(lines))
            case 3:
                screens.take(chops(rng, [line(rng) for _ in range(HEIGHT)]))
        if rng.random() < 0.7:  # else the frame is skipped
            screens.write()
    screens.write()


def plain(*texts: str) -> list[Strip]:
    """Return lines of the screen without a style."""
    strips = [Strip([Segment(text.ljust(WIDTH))]) for text in texts]
    return strips + [Strip([Segment(" " * WIDTH)])] * (HEIGHT - len(strips))


@pytest.fixture
def screens() -> Screens:
    """Return two screens with a little text."""
    made = Screens()
    made.take(whole(plain("one two  three", "four")))
    made.write()
    return made


def test_unchanged_cells_are_not_written(screens):
    screens.take(whole(plain("one two  three", "four")))
    assert screens.write() == ""


def test_a_phrase_is_written_whole_and_nothing_beside_it(screens):
    screens.take(whole(plain("one twp  three", "four")))
    assert screens.write() == "\x1b[1;1H\x1b[0mone twp "


def test_skipped_frames_cost_nothing(screens):
    for text in ("five", "six", "seven"):
        screens.take(whole(plain("one two  three", text)))
    assert screens.write() == "\x1b[2;1H\x1b[0mseven "


def test_a_change_undone_before_it_was_written_is_not_written(screens):
    screens.take(whole(plain("changed")))
    screens.take(whole(plain("one two  three", "four")))
    assert screens.write() == ""


def test_a_forgotten_screen_is_written_whole(screens):
    screens.frame.forget()
    screens.ours.resize(WIDTH, HEIGHT)
    assert "three" in screens.write()


def test_nothing_is_written_at_a_new_size_before_it_was_painted(screens):
    screens.frame.resize(WIDTH + 5, HEIGHT)
    assert screens.frame.difference() == ""
    assert screens.frame.size == (WIDTH + 5, HEIGHT)


def test_lines_outside_a_smaller_screen_are_ignored(screens):
    screens.frame.resize(5, 2)
    screens.frame.take(whole(plain("one two  three", "four", "five")))
    assert screens.frame.difference() == "\x1b[1;1H\x1b[0mone t\x1b[2;1Hfour "


def test_a_list_that_scrolls_is_scrolled(screens):
    rng = random.Random(1)
    lines = [line(rng) for _ in range(HEIGHT)]
    screens.take(whole(lines))
    whole_size = len(screens.write())
    lines = [lines[0], *lines[2:], line(rng)]
    screens.take(whole(lines))
    scrolled = screens.write()
    assert scrolled.startswith(f"\x1b[2;{HEIGHT}r\x1b[2;1H\x1b[1M\x1b[r")
    assert len(scrolled) < whole_size / 4


@pytest.mark.parametrize(("text", "width"), [("漢", 2), ("👍🏽", 2), ("e\u0301", 1)])
def test_the_cursor_is_positioned_after_characters_of_doubtful_width(screens, text, width):
    screens.take(whole([Strip([Segment(text + "x" * (WIDTH - width))])]))
    assert screens.write() == f"\x1b[1;1H\x1b[0m{text}\x1b[1;{width + 1}H{'x' * (WIDTH - width)}"


@pytest.mark.parametrize(
    ("codes", "look"),
    [
        ("", CellStyle()),
        ("1", CellStyle("1")),
        ("1;4;31", CellStyle("1;4", "31")),
        ("38;5;99;48;2;1;2;3", CellStyle("", "38;5;99", "48;2;1;2;3")),
        ("39;49", CellStyle()),
        ("2;97;107", CellStyle("2", "97", "107")),
    ],
)
def test_parameters_are_read_by_what_they_set(codes, look):
    assert parse_style(codes) == look


def test_another_kind_of_update_is_refused():
    with pytest.raises(TypeError):
        TerminalFrame(ColorSystem.TRUECOLOR).take("text")
