"""An app around one widget, and a way to play a scene on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from app.key_queue import OrderedKeysApp

Scene = Callable[[Pilot[None]], Awaitable[None]]


class Stage(OrderedKeysApp[None]):
    """One widget on the whole screen; keeps the messages that it was sent."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_hex_view_byte_selected(self, message: object) -> None:
        self.heard.append(message)

    def on_packet_table_selection_evicted(self, message: object) -> None:
        self.heard.append(message)


def play(widget: Widget, scene: Scene, size: tuple[int, int] = (100, 20)) -> Stage:
    """Mount `widget`, run `scene`, return the app with what it heard."""
    app = Stage(widget)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            widget.focus()
            await pilot.pause()
            await scene(pilot)

    asyncio.run(run())
    return app


def screen_text(widget: Widget) -> list[str]:
    """The widget's lines as the user sees them, blanks at the end left out."""
    return [strip.text.rstrip() for strip in widget.render_lines(widget.size.region)]


def styles_at(widget: Widget, y: int) -> list[tuple[str, object]]:
    """Text and style of each piece of line `y`."""
    strip = widget.render_lines(widget.size.region)[y]
    return [(segment.text, segment.style) for segment in strip]
