"""An application around one widget, for tests of that widget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from app.key_queue import OrderedKeysApp

Scene = Callable[[Pilot[None]], Awaitable[None]]


class Stage(OrderedKeysApp[None]):
    """An application with one widget on the whole screen. `heard` are the messages it received."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_hex_view_byte_selected(self, message: object) -> None:
        self.heard.append(message)

    def on_cursor_view_menu_requested(self, message: object) -> None:
        self.heard.append(message)

    def on_packet_table_selection_evicted(self, message: object) -> None:
        self.heard.append(message)

    def on_headings_list_requested(self, message: object) -> None:
        self.heard.append(message)


def play(widget: Widget, scene: Scene, size: tuple[int, int] = (100, 20)) -> Stage:
    """Mount `widget`, run `scene`, and return the application with the messages it received."""
    app = Stage(widget)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            widget.focus()
            await pilot.pause()
            await scene(pilot)

    asyncio.run(run())
    return app


def screen_text(widget: Widget) -> list[str]:
    """Return the widget's lines as the user sees them, without blanks at the end."""
    return [strip.text.rstrip() for strip in widget.render_lines(widget.size.region)]


def styles_at(widget: Widget, y: int) -> list[tuple[str, object]]:
    """Return text and style of each segment of line `y`."""
    strip = widget.render_lines(widget.size.region)[y]
    return [(segment.text, segment.style) for segment in strip]
