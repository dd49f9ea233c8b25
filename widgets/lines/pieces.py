"""Lines made of pieces of text, some of which the user can click. No list, no cursor, no focus.

A piece may carry an *action*, a word that a click reports by `Pieces.Pressed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines.cells import width_of


class PieceStyle(Enum):
    """The color of a piece."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    BUTTON = "button"
    HELD = "held"
    BAD = "bad"
    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one style; a click runs `action`, if there is one."""

    text: str
    style: PieceStyle = PieceStyle.PLAIN
    action: str = ""


Line = tuple[Piece, ...]


class Pieces(Widget):
    """A few lines of pieces; as high as they are.

    The height is a style that follows the number of lines. It is not ``auto``: Textual measures a
    widget in the middle of a layout, where this one must not change its lines.
    """

    COMPONENT_CLASSES = {f"pieces--{style.value}" for style in PieceStyle}
    ALLOW_SELECT = False

    DEFAULT_CSS = """
    Pieces {
        height: 0;
        & > .pieces--quiet { color: $text-muted; }
        & > .pieces--strong { text-style: bold; }
        & > .pieces--button { color: $text-primary; background: $panel; text-style: bold; }
        & > .pieces--held { color: $text-warning; text-style: bold; }
        & > .pieces--bad { color: $text-error; text-style: bold; }
        & > .pieces--client { color: $text-primary; }
        & > .pieces--server { color: $text-accent; }
        &:nocolor > .pieces--bad { color: $foreground; text-style: bold; }
        &:nocolor > .pieces--button { color: $foreground; text-style: underline; }
    }
    """

    class Pressed(Message):
        """The user clicked a piece with this `action`."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()

    def set_lines(self, lines: tuple[Line, ...]) -> None:
        """Show these lines."""
        before, self._lines = self._lines, lines
        if len(lines) != len(before):
            self.styles.height = len(lines)
        elif lines != before:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of pieces."""
        plain = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, plain)
        segments = [
            Segment(
                piece.text,
                plain
                if piece.style is PieceStyle.PLAIN
                else self.get_component_rich_style(f"pieces--{piece.style.value}"),
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
