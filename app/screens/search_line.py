"""The line that says what a search found, and how to continue it.

It appears above the key bar with the first search, so that no row moves, and stays until `escape`
or a click closes it: the next match is a key or a click away.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from app.textual_bindings import key_label
from core.wire.model.text import safe

_GAP = 2
_PARTS = (  # action, method of the controller, word
    ("search.next", "next", "next"),
    ("search.previous", "previous", "previous"),
    ("panel.close", "close", "close"),
)


class SearchLine(Widget):
    """The result or the progress of a search, and the keys that continue it, which work by click.

    It is hidden without words.
    """

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    SearchLine {
        display: none;
        height: 1;
        padding: 0 1;
        color: $text-accent;
        background: $accent-muted;
        &.-missed { color: $text-warning; background: $warning-muted; }
    }
    """

    words: reactive[str] = reactive("")
    running: reactive[bool] = reactive(False)

    class Clicked(Message):
        """The user clicked a key: `method` of the search controller does what it does."""

        def __init__(self, method: str) -> None:
            super().__init__()
            self.method = method

    def show(self, words: str, *, running: bool = False, missed: bool = False) -> None:
        """Show a result, or the progress of a `running` search; no words hide the line.

        `missed` is True if no packet was found.
        """
        self.words, self.running = safe(words), running
        self.set_class(missed, "-missed")
        self.display = bool(words)

    def render(self) -> Text:
        keys = [f"{key} {word}".lstrip() for _, key, word in self._keys()]
        right = (" " * _GAP).join(keys)
        room = max(0, self.size.width - len(right) - _GAP)
        line = Text(self.words, no_wrap=True, overflow="ellipsis", end="")
        line.truncate(room, overflow="ellipsis", pad=True)
        return line.append(" " * _GAP).append(right)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        start = self.size.width
        for method, key, word in reversed(list(self._keys())):
            start -= len(f"{key} {word}".lstrip())
            if event.x - 1 >= start:
                self.post_message(self.Clicked(method))
                return
            start -= _GAP

    def _keys(self) -> Iterator[tuple[str, str, str]]:
        """Yield ``(method, key as shown, word)`` of what works now."""
        bound: dict[str, str] = {}
        for key, active in self.screen.active_bindings.items():
            bound.setdefault(active.binding.id or "", key)
        for action, method, word in _PARTS:
            if method == "close" or not self.running:
                word = "cancel" if self.running else word
                yield method, key_label(bound[action]) if action in bound else "", word
