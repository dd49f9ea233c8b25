"""The message that covers the screen, and any dialog, while the terminal is too small."""

from __future__ import annotations

from textual.widgets import Static

SMALLEST = (40, 10)  # columns and lines that every screen needs


class TooSmall(Static):
    """Show the required size. The screens' breakpoints make it visible (`monitor.tcss`)."""

    def on_resize(self) -> None:
        columns, lines = self.screen.size
        self.update(f"{columns}×{lines} is too small:\nrawscope needs {SMALLEST[0]}×{SMALLEST[1]}")
