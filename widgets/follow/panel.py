"""The stream panel: its head, the rows, and a line about a search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from core.wire.model.text import safe
from widgets.follow.head import StreamHead
from widgets.follow.stream_view import StreamView


class StreamPanel(Vertical):
    """A followed stream. The focus belongs to its rows, `view`."""

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
        self.head = StreamHead(on_press)
        self.view = view
        self._foot = Static("", id="stream-foot", markup=False)

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.view
        yield self._foot

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the rows."""
        self.view.focus(scroll_visible)
        return self

    def report(self, words: str, *, missed: bool = False) -> None:
        """Show a line below the rows; no words hide it. `missed` is True if nothing was found."""
        self._foot.display = bool(words)
        self._foot.set_class(missed, "-missed")
        self._foot.update(Text(safe(words), no_wrap=True, overflow="ellipsis"))
