"""Listeners, teaching switches, and the loop's counters: the lines above the echo clients.

The head never has the focus: keys belong to the panel. A click on a piece with an action of the
keymap is reported by `Pressed`.
"""

from __future__ import annotations

from textual import events

from core.echo.snapshot import EchoSnapshot
from widgets.echo.head_text import head_lines
from widgets.lines.pieces import Pieces


class EchoHead(Pieces):
    """A few lines, drawn from one snapshot; as high as its text."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._snapshot: EchoSnapshot | None = None
        self._current: int | None = None
        self._room = 0
        self._hint = ""

    def show(self, snapshot: EchoSnapshot, current: int | None, room: int, hint: str = "") -> None:
        """Show a snapshot in at most `room` lines; see `head_lines`."""
        self._snapshot, self._current, self._room, self._hint = snapshot, current, room, hint
        self._fit(self.size.width)

    def _fit(self, width: int) -> None:
        if self._snapshot is not None and width:
            lines = head_lines(self._snapshot, self._current, width, self._room, self._hint)
            self.set_lines(lines)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)
