"""The two lines above the statistics: the tabs, and what is counted. Both take clicks."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.analysis.statistics.statistics import Statistics
from widgets.lines.cells import cut, width_of
from widgets.statistics.rows import StatisticsTab
from widgets.statistics.units import time_text
from widgets.status.line import si


@dataclass(frozen=True, slots=True)
class HeadState:
    """The state that the head shows.

    `is_filtered` is true if only packets that pass the filter are counted, and `has_filter` if
    there is a filter. `note` is a remark in place of the totals, such as the progress.
    """

    tab: StatisticsTab = StatisticsTab.HIERARCHY
    packets: int = 0
    bytes: int = 0
    duration_s: float = 0.0
    is_filtered: bool = False
    has_filter: bool = False
    note: str = ""

    @property
    def totals(self) -> str:
        """The totals in words."""
        words = f"{self.packets:,} packets · {si(self.bytes, 'B')}"
        return f"{words} · {time_text(self.duration_s, 1)}" if self.duration_s else words

    @property
    def scope(self) -> str:
        """The packets that are counted, in words."""
        return "packets that pass the filter" if self.is_filtered else "all packets"


Piece = tuple[str, str, str]
"""A text, the name of its style, and the action of a click on it."""


class StatisticsHead(Widget):
    """Tabs, and a line of totals."""

    COMPONENT_CLASSES = {f"statistics-head--{name}" for name in ("tab", "shown", "quiet", "button")}
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatisticsHead {
        height: 2;
        & > .statistics-head--tab { color: $text-primary; background: $panel; }
        & > .statistics-head--shown {
            color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
        }
        & > .statistics-head--quiet { color: $text-muted; }
        & > .statistics-head--button { color: $text-primary; background: $panel; text-style: bold; }
        &:nocolor > .statistics-head--shown { text-style: bold reverse; }
        &:nocolor > .statistics-head--button { color: $foreground; text-style: underline; }
    }
    """

    class Pressed(Message):
        """The user clicked a tab, ``tab(2)``, or the scope, ``toggle_scope()``."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = HeadState()

    def show(self, state: HeadState) -> None:
        """Show a state."""
        if state != self.state:
            self.state = state
            self.refresh()

    def pieces(self, y: int) -> list[Piece]:
        """Return the pieces of a line."""
        state = self.state
        if y == 0:
            found: list[Piece] = []
            for number, tab in enumerate(StatisticsTab):
                style = "shown" if tab is state.tab else "tab"
                text = f" {number + 1} {tab.value} "
                found += [
                    (" ", "quiet", ""),
                    (text, style, f"tab({number})"),
                ]
            return found
        words = state.note or state.totals
        scope: list[Piece] = [
            ("a", "button", "toggle_scope()"),
            (f" {state.scope}", "quiet", "toggle_scope()"),
        ]
        return [(" ", "quiet", ""), *(scope if state.has_filter else [(state.scope, "quiet", "")]),
                (f" · {words}", "quiet", "")]  # fmt: skip

    def render_line(self, y: int) -> Strip:
        """Draw one line of pieces."""
        segments = [
            Segment(text, self.get_component_rich_style(f"statistics-head--{style}"))
            for text, style, _ in self.pieces(y)
        ]
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y > 1:
            return
        x = offset.x
        for text, _, action in self.pieces(offset.y):
            x -= width_of(text)
            if x < 0:
                if action:
                    self.post_message(self.Pressed(action))
                return


def state_of(
    found: Statistics, tab: StatisticsTab, *, is_filtered: bool, has_filter: bool, note: str
) -> HeadState:
    """Return the state for some statistics."""
    return HeadState(
        tab, found.packets, found.bytes, found.duration_s, is_filtered, has_filter, cut(note, 200)
    )
