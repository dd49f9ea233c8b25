"""The lines above a followed stream. A click on a piece with an action calls `on_press` with it."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from core.analysis.follow.follower import FollowedStream
from core.analysis.follow.rows import LineForm
from widgets.follow.head_text import HeadStyle, Line, head_lines
from widgets.lines.cells import width_of


class StreamHead(Widget):
    """The stream's name and the choices that the user has; as high as its text.

    It never has the focus: keys belong to the panel.
    """

    COMPONENT_CLASSES = {f"stream-head--{style.value}" for style in HeadStyle}
    ALLOW_SELECT = False

    DEFAULT_CSS = """
    StreamHead {
        height: 1;
        & > .stream-head--quiet { color: $text-muted; }
        & > .stream-head--button { color: $text-primary; background: $panel; }
        & > .stream-head--chosen { color: $foreground; text-style: bold; }
        & > .stream-head--client { color: $text-primary; }
        & > .stream-head--server { color: $text-accent; }
        & > .stream-head--note { color: $text-warning; }
        &:nocolor > .stream-head--button { color: $foreground; text-style: underline; }
    }
    """

    def __init__(self, on_press: Callable[[str], None], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._on_press = on_press
        self._shown: tuple[FollowedStream | None, LineForm, int | None] = (
            None, LineForm.TEXT, None
        )  # fmt: skip
        self._lines: tuple[Line, ...] = ()

    def show(self, stream: FollowedStream | None, form: LineForm, side: int | None) -> None:
        """Show a stream, its form, and the side that is shown; see `head_lines`."""
        self._shown = stream, form, side
        self._fit(self.size.width)

    def _fit(self, width: int) -> None:
        if not width:
            return
        before, self._lines = self._lines, head_lines(*self._shown, width)
        if len(self._lines) != len(before):
            self.styles.height = len(self._lines)
        if self._lines != before:
            self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)

    def render_line(self, y: int) -> Strip:
        """Draw one line of pieces."""
        plain = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, plain)
        segments = [
            Segment(piece.text, self.get_component_rich_style(f"stream-head--{piece.style.value}"))
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
                    self._on_press(piece.action)
                return
