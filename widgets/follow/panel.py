"""The stream panel: its head, the rows, and a line about a search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from core.analysis.follow.follower import FollowedStream
from core.analysis.follow.rows import LineForm
from core.analysis.names.name_table import NO_NAMES, NameTable
from core.wire.model.text import safe
from widgets.follow.head_text import head_lines
from widgets.follow.paint import TurnTime
from widgets.follow.stream_view import StreamView
from widgets.lines.pieces import Pieces


class StreamPanel(Vertical):
    """A followed stream. The focus belongs to its rows, `view`.

    It calls `on_press` with the action of a piece of the head that the user clicks.
    """

    DEFAULT_CSS = """
    StreamPanel {
        #stream-foot {
            height: 1;
            display: none;
            color: $text-accent;
            background: $accent-muted;
            &.-missed { color: $text-warning; background: $warning-muted; }
        }
    }
    """

    def __init__(
        self, view: StreamView, on_press: Callable[[str], None], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.head = Pieces()
        self.view = view
        self._on_press = on_press
        self._shown: tuple[FollowedStream | None, LineForm, int | None, TurnTime] = (
            None, LineForm.TEXT, None, TurnTime.NONE
        )  # fmt: skip
        self._names = NO_NAMES
        self._foot = Static("", id="stream-foot", markup=False)

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.view
        yield self._foot

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the rows."""
        self.view.focus(scroll_visible)
        return self

    @property
    def title(self) -> str:
        """The name of the stream that is shown, such as ``TCP stream 3``; empty without one."""
        stream = self._shown[0]
        if stream is None or stream.number is None:
            return ""
        return f"{stream.protocol.upper()} stream {stream.number}"

    def show_head(
        self, stream: FollowedStream | None, form: LineForm, side: int | None, time: TurnTime
    ) -> None:
        """Show a stream and how it is shown; see `head_lines`."""
        self._shown = stream, form, side, time
        self.on_resize()

    def show_names(self, names: NameTable) -> None:
        """Show these names in place of the addresses of the ends."""
        if names is not self._names:
            self._names = names
            self.on_resize()

    def on_resize(self) -> None:
        """Fit the head to the width."""
        if self.size.width:
            self.head.set_lines(head_lines(*self._shown, self.size.width, self._names))

    @on(Pieces.Pressed)
    def press(self, event: Pieces.Pressed) -> None:
        """Report the action of a piece that the user clicked."""
        event.stop()
        self._on_press(event.action)

    def report(self, words: str, *, missed: bool = False) -> None:
        """Show a line below the rows; no words hide it. `missed` is True if nothing was found."""
        self._foot.display = bool(words)
        self._foot.set_class(missed, "-missed")
        self._foot.update(Text(safe(words), no_wrap=True, overflow="ellipsis"))
