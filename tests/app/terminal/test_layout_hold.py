"""A layout is held until all widgets have reacted to it, for a bounded number of checks."""

from __future__ import annotations

import contextlib
import os
import tty

import pytest
from rich.segment import Segment
from textual import events
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from app.terminal import driver as terminal_driver
from app.terminal.driver import TerminalDriver
from app.terminal.layout_hold import MOST_CHECKS, LayoutHold
from tests.helpers.emulator import Emulator
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor


class OfTwo(App[None]):
    """Two texts, of which the second shows the width of the first after a resize."""

    def compose(self) -> ComposeResult:
        yield Static("first")
        yield Static("second", id="second")

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#second", Static).update(f"{event.size.width}\nlines")


async def test_a_layout_is_held_until_its_widgets_have_reacted():
    app = OfTwo()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        hold = LayoutHold(app)
        assert not hold.is_arranging()  # nothing was painted
        hold.note_paint(app.screen)
        assert not hold.is_arranging()  # everything has been handled
        await pilot.resize_terminal(50, 10)
        hold.note_paint(app.screen)
        app.query_one("#second", Static).update("three\nmore\nlines")
        assert hold.is_arranging()
        await pilot.pause()
        assert not hold.is_arranging()


async def test_a_paint_of_the_same_layout_is_not_held():
    app = OfTwo()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        hold = LayoutHold(app)
        hold.note_paint(app.screen)
        assert not hold.is_arranging()
        app.query_one("#second", Static).refresh()
        hold.note_paint(app.screen)
        assert not hold.is_arranging()
        await pilot.pause()


class OfLines(App[None]):
    """A list of lines, with room for its scroll bar."""

    CSS = "ScrollView { scrollbar-gutter: stable; }"

    def compose(self) -> ComposeResult:
        yield ScrollView()


async def test_a_scroll_bar_that_is_not_painted_yet_holds_nothing():
    """As for most keys in the packet table: each would wait for another refresh of the screen."""
    app = OfLines()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        hold = LayoutHold(app)
        hold.note_paint(app.screen)
        assert not hold.is_arranging()
        view = app.query_one(ScrollView)
        view.virtual_size = Size(30, 100)
        await pilot.pause()
        assert view.vertical_scrollbar in app.screen._compositor.visible_widgets
        view.vertical_scrollbar.refresh()
        assert view.vertical_scrollbar._repaint_required
        hold.note_paint(app.screen)
        assert not hold.is_arranging()
        await pilot.pause()


async def test_a_hidden_widget_that_waits_to_be_shown_holds_nothing():
    app = OfTwo()
    async with app.run_test(size=(40, 10)) as pilot:
        hidden = app.query_one("#second", Static)
        hidden.display = False
        await pilot.pause()
        hidden.update("another text")
        await pilot.pause()
        hold = LayoutHold(app)
        hold.note_paint(app.screen)
        assert not hold.is_arranging()


async def test_each_layout_of_the_monitor_becomes_complete():
    """After zooming, opening panels, and resizing; else a key would take until the last check."""
    async with scripted_monitor(scripted_store()).run_test(size=(160, 45)) as pilot:
        await filled(pilot)
        hold = LayoutHold(pilot.app)
        for key in ("z", "z", "f2", "f4", "f4", "e", "z", "z", "tab"):
            await pilot.press(key)
            await eventually(hold._is_complete, f"a complete layout after {key}")
        await pilot.resize_terminal(80, 24)
        await eventually(hold._is_complete, "a complete layout of the new size")


async def test_a_program_that_never_stops_laying_out_is_shown_nevertheless():
    app = OfTwo()
    async with app.run_test(size=(40, 10)):
        hold = LayoutHold(app)
        hold.note_paint(app.screen)
        app.query_one("#second", Static).refresh(layout=True)
        checks = [hold.is_arranging() for _ in range(MOST_CHECKS + 1)]
        assert checks.count(True) == MOST_CHECKS - 1
        assert not checks[-1]


class Driven:
    """A driver on a pty with the screen that it writes to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, app: App[None]) -> None:
        self._reading, terminal = os.openpty()
        tty.setraw(terminal)
        os.set_blocking(self._reading, False)
        monkeypatch.setattr(terminal_driver, "_SCREEN", terminal)
        self.driver = TerminalDriver(app)
        self.driver._has_terminal = True
        self.screen = Emulator(20, 3)

    def paint(self, *lines: str) -> None:
        """Paint a whole screen of these lines."""
        width = len(lines[0])
        strips = [[Strip([Segment(line)])] for line in lines]
        update = LayoutUpdate(strips, Region(0, 0, width, len(lines)))
        self.driver.paint(update, Size(width, len(lines)), Offset(0, 0))

    def shown(self) -> list[str]:
        """Return the lines on the terminal."""
        with contextlib.suppress(BlockingIOError):
            self.screen.feed(os.read(self._reading, 1 << 16))
        return self.screen.text


async def test_a_size_that_returns_before_it_was_painted_is_painted_whole(monkeypatch):
    """Textual lays out nothing then, so it paints nothing."""
    driven = Driven(monkeypatch, App())
    driven.paint("one".ljust(20), "two".ljust(20))
    driven.driver.repaint(Size(20, 2))
    assert driven.shown()[1].startswith("two")
    driven.driver.repaint(Size(10, 2))
    driven.driver.repaint(Size(20, 2))
    driven.screen.resize(20, 3)
    assert [line.strip() for line in driven.shown()] == ["one", "two", ""]


async def test_nothing_of_the_old_size_is_written_at_the_new_one(monkeypatch):
    driven = Driven(monkeypatch, App())
    driven.paint("one".ljust(20), "two".ljust(20))
    driven.shown()
    driven.driver.repaint(Size(10, 2))
    driven.screen.resize(10, 2)
    driven.paint("old".ljust(20), "old".ljust(20))
    assert not "".join(driven.shown()).strip()
    driven.paint("new".ljust(10), "size".ljust(10))
    assert [line.strip() for line in driven.shown()] == ["new", "size"]


async def test_nothing_is_written_while_a_layout_is_not_complete(monkeypatch):
    driven = Driven(monkeypatch, App())
    arranging = [True]
    driven.driver.is_arranging = lambda: arranging[0]
    driven.paint("half".ljust(20), "old".ljust(20))
    assert not "".join(driven.shown()).strip()
    arranging[0] = False
    driven.paint("whole".ljust(20), "new".ljust(20))
    assert driven.shown()[0].startswith("whole")
