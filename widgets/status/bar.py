"""The line at the top: the state, the packets that arrived, and always those that were lost."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines.cells import width_of
from widgets.status.line import Part, StatusLine, StatusState, StatusStyle, fit, parts_of

MARGIN = 1


class StatusBar(Widget):
    """One line, drawn from one value. It changes only when `show` is called."""

    COMPONENT_CLASSES = {f"status-bar--{look.value}" for look in StatusStyle}

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        background: $panel;
        color: $foreground;
        & > .status-bar--quiet { color: $text-muted; }
        & > .status-bar--name { color: $text-primary; text-style: bold; }
        & > .status-bar--good { color: $text-success; }
        & > .status-bar--held { color: $text-warning; text-style: bold; }
        & > .status-bar--bad { color: $text-error; text-style: bold; }
        &:nocolor > .status-bar--bad { color: $foreground; text-style: bold; }
    }
    """

    class PartClicked(Message):
        """The user clicked on a part. `target` says on what."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._line = StatusLine(StatusState.IDLE)

    def show(self, line: StatusLine) -> None:
        """Show another line."""
        if line != self._line:
            self._line = line
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Report a click on a part that does something."""
        x = event.x - self._margin
        for index, part in enumerate(self._parts()):
            x -= width_of(part.joint) if index else 0
            if 0 <= x < width_of(part.text) and part.target:
                self.post_message(self.PartClicked(part.target))
            x -= width_of(part.text)

    @property
    def _margin(self) -> int:
        return MARGIN if self.size.width > 40 else 0

    def _parts(self) -> list[Part]:
        return fit(parts_of(self._line), self.size.width - 2 * self._margin)

    def render_line(self, y: int) -> Strip:
        """Draw the parts from the left, and the clock at the right edge."""
        width = self.size.width
        plain = self.rich_style
        margin = self._margin
        parts = self._parts()
        clock = parts.pop() if self._line.clock and parts[-1].text == self._line.clock else None
        segments = [Segment(" " * margin, plain)]
        for index, part in enumerate(parts):
            if index:
                segments.append(Segment(part.joint, plain))
            style = self.get_component_rich_style(f"status-bar--{part.look.value}")
            segments.append(Segment(part.text, style))
        if clock is not None:
            used = sum(segment.cell_length for segment in segments)
            segments.append(Segment(" " * (width - margin - used - len(clock.text)), plain))
            style = self.get_component_rich_style(f"status-bar--{clock.look.value}")
            segments.append(Segment(clock.text, style))
        return Strip(segments).crop_extend(0, width, plain)
