"""Updates of changed widgets only: the screen looks as if all of it were painted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.color import ColorSystem
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from app.screens.main import MainScreen
from app.terminal.dirty_compositor import DirtyCompositor
from app.terminal.frame import TerminalFrame
from tests.helpers.idle import eventually
from tests.helpers.scripted import scripted_store
from tests.helpers.scripted_monitor import filled, scripted_monitor

KEYS = (
    "J", "J", "K", "G", "pagedown", "g", "j", "j", "down", "tab", "j", "enter", "h", "l", "tab",
    "l", "l", "f7", "j", "s", "S", "v", "E", "J", "z", "z", "escape", "/", *"tcp", "enter", "J",
    "escape", "escape", "f8", "2", "3", "greater_than_sign", "less_than_sign", "f8", "space", "G",
)  # fmt: skip


@contextmanager
def painted(app: App[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[TerminalFrame]:
    """Keep what all updates of an app have painted."""
    frame = TerminalFrame(ColorSystem.TRUECOLOR)
    display = app._display

    def keep(screen: Screen[Any], update: Any) -> None:
        display(screen, update)
        if isinstance(update, CompositorUpdate):
            if frame.size != screen._compositor.size:
                frame.resize(*screen._compositor.size)
            frame.take(update)

    monkeypatch.setattr(app, "_display", keep)
    yield frame


def whole(app: App[Any], like: TerminalFrame) -> TerminalFrame:
    """Return the screen as one full update paints it, in the numbers of another frame."""
    frame = TerminalFrame(ColorSystem.TRUECOLOR)
    frame._alphabet = like._alphabet
    frame.resize(*like.size)
    frame.take(app.screen._compositor.render_full_update())
    return frame


@pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=str)
async def test_updates_paint_the_same_as_a_full_update(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = scripted_monitor(scripted_store())
    async with app.run_test(size=size) as pilot:
        await filled(pilot)
        with painted(app, monkeypatch) as frame:
            app.screen.refresh()
            await pilot.pause()
            for key in KEYS:
                await pilot.press(key)
                await pilot.pause()
                expected = whole(app, frame)
                rows = (frame._wanted != expected._wanted).any(axis=1).nonzero()[0]
                assert not len(rows), f"{key}: rows {rows.tolist()} differ"


async def test_only_the_widgets_that_changed_are_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    app = scripted_monitor(scripted_store())
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        rendered = counted_lines(screen, monkeypatch)
        screen.table.refresh_line(screen.table.window.top)
        await eventually(lambda: rendered)
        assert rendered == {"packets": 1, "workspace": 1}  # the latter is behind the table


async def test_a_scroll_bar_that_comes_or_goes_lays_out_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = scripted_monitor(scripted_store())
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await filled(pilot)
        detail = screen.panels.detail
        reflow, laid_out = DirtyCompositor.reflow, []

        def noted(compositor: DirtyCompositor, *place: Any) -> Any:
            laid_out.append(place)
            return reflow(compositor, *place)

        monkeypatch.setattr(DirtyCompositor, "reflow", noted)
        seen = set()
        await bars(pilot, screen, seen, detail)
        assert seen == {False, True}
        assert not laid_out


async def bars(pilot: Pilot[Any], screen: MainScreen, seen: set[bool], detail: Any) -> None:
    """Give the detail tree more lines than it shows, and fewer; check that its bar follows."""
    for count in (500, 3, 500, 3):
        detail.set_line_count(count)
        await pilot.pause()
        is_shown = detail.vertical_scrollbar in screen._compositor.visible_widgets
        assert is_shown is (count == 500)
        seen.add(is_shown)


def counted_lines(screen: MainScreen, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the lines that each named widget of a screen renders from now on."""
    lines: dict[str, int] = {}
    for widget in screen.query("*"):
        if widget.id is None or widget._size.area == 0:
            continue

        def render(crop: Any, *, name: str = widget.id, of: Any = widget.render_lines) -> Any:
            lines[name] = lines.get(name, 0) + crop.height
            return of(crop)

        monkeypatch.setattr(widget, "render_lines", render)
    return lines
