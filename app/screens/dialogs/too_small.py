"""What stands in for everything while the terminal is too small, also over a dialog."""

from __future__ import annotations

from textual.widgets import Static

SMALLEST = (40, 10)  # columns and lines below which nothing sensible fits


class TooSmall(Static):
    """Says what size is needed. The screens' breakpoints show it (`monitor.tcss`)."""

    def on_resize(self) -> None:
        columns, lines = self.screen.size
        self.update(f"{columns}×{lines} is too small:\nrawscope needs {SMALLEST[0]}×{SMALLEST[1]}")
