"""A line under the status bar with a message that stays until the user closes it.

Escape or a click closes it; without a message it is hidden. The sign in front shows the severity,
so the color is not needed.
"""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widget import Widget

from core.engine.snapshot import NoticeSeverity
from core.wire.model.text import safe
from widgets.layout import refresh_layout

SIGNS = {NoticeSeverity.NONE: "·", NoticeSeverity.WARNING: "!", NoticeSeverity.ERROR: "✗"}


class Banner(Widget):
    """One message, or nothing."""

    DEFAULT_CSS = """
    Banner {
        display: none;
        height: auto;
        max-height: 5;
        padding: 0 1;
        background: $panel;
        &.-warning { background: $warning-muted; color: $text-warning; }
        &.-error { background: $error-muted; color: $text-error; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.message = ""
        self._severity = NoticeSeverity.NONE

    def show(self, message: str, severity: NoticeSeverity = NoticeSeverity.NONE) -> None:
        """Show a message; an empty one hides the banner."""
        self.message, self._severity = safe(message), severity
        self.set_class(severity is NoticeSeverity.WARNING, "-warning")
        self.set_class(severity is NoticeSeverity.ERROR, "-error")
        self.display = bool(message)
        refresh_layout(self)

    def close(self) -> bool:
        """Hide the banner. Return False if it is hidden already."""
        was_shown = bool(self.message)
        if was_shown:
            self.show("")
        return was_shown

    def render(self) -> Text:
        return Text(f"{SIGNS[self._severity]} {self.message}", overflow="ellipsis")

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.close()
