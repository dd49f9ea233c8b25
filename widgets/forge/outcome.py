"""The outcome of a send: requested and captured values of each field, and the replies.

Enter or a double click on a line about a packet reports that the user wants to see it. The lines
are those of `widgets.forge.report`.
"""

from __future__ import annotations

from collections.abc import Hashable

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from core.forge.report import Report
from widgets.forge.report import ReportLine, ReportStyle, report_lines
from widgets.lines.cursor_view import CursorView


class ForgeOutcome(CursorView):
    """A report as lines with a cursor."""

    COMPONENT_CLASSES = {f"forge-outcome--{style.value}" for style in ReportStyle} | {
        "forge-outcome--cursor"
    }

    DEFAULT_CSS = """
    ForgeOutcome {
        & > .forge-outcome--good { color: $text-success; text-style: bold; }
        & > .forge-outcome--bad { color: $text-error; text-style: bold; }
        & > .forge-outcome--busy { color: $text-primary; text-style: bold; }
        & > .forge-outcome--copy { text-style: bold; }
        & > .forge-outcome--why { color: $text-muted; }
        & > .forge-outcome--reply { color: $text-success; }
        & > .forge-outcome--note { color: $text-warning; }
        & > .forge-outcome--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:nocolor {
            & > .forge-outcome--good, & > .forge-outcome--bad, & > .forge-outcome--busy,
            & > .forge-outcome--reply, & > .forge-outcome--note { color: $foreground; }
            & > .forge-outcome--cursor { text-style: bold reverse; }
        }
    }
    """

    class PacketWanted(Message):
        """The user wants to see packet `number`."""

        def __init__(self, view: ForgeOutcome, number: int) -> None:
            super().__init__()
            self.view = view
            self.number = number

        @property
        def control(self) -> ForgeOutcome:
            """The view, for ``@on(…, "#id")``."""
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.report = Report()
        self._lines: tuple[ReportLine, ...] = ()

    def show(self, report: Report) -> None:
        """Show another report."""
        if report != self.report:
            self.report = report
            self._lay_out()

    def _lay_out(self) -> None:
        self._lines = report_lines(self.report, self.window.width)
        self._cursor = max(0, min(self._cursor, len(self._lines) - 1))
        self.set_line_count(len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        """Wrap the sentences again."""
        self._lay_out()

    # -- the cursor ---------------------------------------------------------------------

    def action_show_packet(self) -> None:
        """Report the packet of the line under the cursor."""
        if self._lines and (number := self._lines[self._cursor].number):
            self.post_message(self.PacketWanted(self, number))

    def on_click(self, event: events.Click) -> None:
        """Report the packet of a line that is double-clicked."""
        if event.chain == 2 and self.line_at(event) == self._cursor:
            self.action_show_packet()

    def on_focus(self) -> None:
        self.refresh_line(self._cursor)

    def on_blur(self) -> None:
        self.refresh_line(self._cursor)

    # -- drawing --------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """Return the line, and whether it shows the cursor."""
        return self._lines[line], line == self._cursor and self.has_focus

    def build_line(self, line: int) -> Strip:
        """Draw one line, in the cursor's colors if keys go to it."""
        entry = self._lines[line]
        if line == self._cursor and self.has_focus:
            style = self.component("forge-outcome--cursor")
            return Strip([Segment(entry.text.ljust(self.size.width), style)])
        return Strip([Segment(entry.text, self.component(f"forge-outcome--{entry.style.value}"))])
