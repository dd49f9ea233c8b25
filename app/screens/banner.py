"""One line under the status bar for what a person must know: a failure, a warning."""

from __future__ import annotations

from textual.widgets import Static

from core.wire.text import safe


class Banner(Static):
    """Shows a text until it changes or is closed; a closed text does not come back."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self.text = ""
        self._closed = ""

    def show(self, text: str, severity: str) -> None:
        """Show `text`; nothing takes no room. `severity` is ``error`` or ``warning``."""
        if text == self.text:
            return
        self.text = text
        if not text:
            self._closed = ""
        self.update(safe(text))
        self.set_class(severity == "error", "-error")
        self.display = bool(text) and text != self._closed

    def close(self) -> bool:
        """Take the text away. False if there was none to see."""
        if not self.display:
            return False
        self._closed = self.text
        self.display = False
        return True

    def on_mount(self) -> None:
        self.display = False

    def on_click(self) -> None:
        self.close()
