"""The form, the sides, and the times in which the stream panel shows its stream."""

from __future__ import annotations

from app.screens.follow.stream_run import StreamRun
from core.analysis.follow.rows import LineForm
from widgets.follow.paint import TurnTime
from widgets.follow.panel import StreamPanel


class StreamDisplay:
    """The choices of one stream panel, which stay from stream to stream. UI thread only."""

    def __init__(self, panel: StreamPanel, run: StreamRun) -> None:
        self._panel, self._run = panel, run
        self._form = LineForm.TEXT
        self._side: int | None = None
        self._time = TurnTime.NONE

    def basis(self) -> object:
        """Return everything that decides about the rows."""
        return self._panel.view.row_width, self._form, self._side, self._time

    def update(self) -> None:
        """Show the rows that are counted by now, and the head."""
        view = self._panel.view
        view.show_time(self._time)
        self._run.lay_out(self._form, view.row_width, self._side)
        index = self._run.index
        if index is not None and (index.line_count or index.is_complete):
            view.show(index)
        self._panel.show_head(self._run.stream, self._form, self._side, self._time)

    def show_as(self, form: str) -> None:
        """Show text, hex, or raw bytes."""
        self._form = LineForm(form)
        self.update()

    def change_form(self) -> None:
        """Show the next form."""
        forms = list(LineForm)
        self.show_as(forms[(forms.index(self._form) + 1) % len(forms)].value)

    def show_side(self, side: int) -> None:
        """Show only the client (0) or the server (1), or both (-1)."""
        self._side = None if side < 0 else side
        self.update()

    def change_side(self) -> None:
        """Show both sides, then only the client, then only the server."""
        self.show_side({None: 0, 0: 1, 1: -1}[self._side])

    def show_time(self, name: str) -> None:
        """Show a `TurnTime`, by its name, before each turn."""
        self._time = TurnTime[name]
        self.update()

    def change_time(self) -> None:
        """Show the next `TurnTime`."""
        times = list(TurnTime)
        self.show_time(times[(times.index(self._time) + 1) % len(times)].name)
