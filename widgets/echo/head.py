"""Listeners, teaching switches, and the loop's counters: the lines above the echo clients.

The head never has the focus: keys belong to the panel. A click on a piece with an action is
reported by `Pressed`.
"""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.echo.snapshot import EchoSnapshot
from widgets.echo.head_text import HeadStyle, Line, head_lines
from widgets.lines.cells import width_of


class EchoHead(Widget):
    """A few lines, drawn from one snapshot; as high as its text.

    The height is a style that follows the number of lines. It is not ``auto``: Textual measures a
    widget in the middle of a layout, where this one must not change its lines.
    """

    COMPONENT_CLASSES = {f"echo-head--{style.value}" for style in HeadStyle}
    ALLOW_SELECT = False

    DEFAULT_CSS = """
    EchoHead {
        height: 0;
        & > .echo-head--quiet { color: $text-muted; }
        & > .echo-head--strong { text-style: bold; }
        & > .echo-head--button { color: $text-primary; background: $panel; text-style: bold; }
        & > .echo-head--held { color: $text-warning; text-style: bold; }
        & > .echo-head--bad { color: $text-error; text-style: bold; }
        &:nocolor > .echo-head--bad { color: $foreground; text-style: bold; }
        &:nocolor > .echo-head--button { color: $foreground; text-style: underline; }
    }
    """

    class Pressed(Message):
        """The user clicked a piece with this `action` of the keymap."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._snapshot: EchoSnapshot | None = None
        self._current: int | None = None
        self._room = 0
        self._hint = ""
        self._lines: tuple[Line, ...] = ()

    def show(self, snapshot: EchoSnapshot, current: int | None, room: int, hint: str = "") -> None:
        """Show a snapshot in at most `room` lines; see `head_lines`."""
        self._snapshot, self._current, self._room, self._hint = snapshot, current, room, hint
        self._fit(self.size.width)

    def _fit(self, width: int) -> None:
        if self._snapshot is None or not width:
            return
        before, self._lines = (
            self._lines,
            head_lines(self._snapshot, self._current, width, self._room, self._hint),
        )
        if len(self._lines) != len(before):
            self.styles.height = len(self._lines)
        elif self._lines != before:
            self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)

    def render_line(self, y: int) -> Strip:
        """Draw one line of pieces."""
        plain = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, plain)
        segments = [
            Segment(
                piece.text,
                plain
                if piece.style is HeadStyle.PLAIN
                else self.get_component_rich_style(f"echo-head--{piece.style.value}"),
            )
            for piece in self._lines[y]
        ]
        return Strip(segments).crop_extend(0, self.size.width, plain)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self._lines):
            return
        x = offset.x
        for piece in self._lines[offset.y]:
            x -= width_of(piece.text)
            if x < 0:
                if piece.action:
                    self.post_message(self.Pressed(piece.action))
                return
