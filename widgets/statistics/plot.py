"""The rate over time as a plot in block characters, in which the user selects a range.

The package of the laboratory's plots has no selection, and it takes a tenth of a second to import.
Here a column is a bin of time, drawn in eighths of a cell, and the range is a background color. The
cursor and the range are times, so they stay where they are while packets arrive.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from core.analysis.statistics.rate import NO_BINS, RateBins
from widgets.lines.cells import cut, left, right
from widgets.lines.component_styles import ComponentStyles
from widgets.statistics.plot_layout import PlotLayout, TimeRange
from widgets.statistics.units import rate_text, time_text

AXIS = 11  # cells of the labels at the left, with the line
BELOW = 2  # lines under the plot: the axis of time, and its labels
ABOVE = 1  # the line that describes the range
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_SECOND_NS = 1_000_000_000


class TimePlot(Widget, can_focus=True, inherit_bindings=False):
    """Packets or bits per second over time. `selection` is the range that the user selected."""

    COMPONENT_CLASSES = {
        "time-plot--bar",
        "time-plot--axis",
        "time-plot--range",
        "time-plot--cursor",
        "time-plot--words",
    }
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TimePlot {
        height: 1fr;
        & > .time-plot--bar { color: $primary; }
        & > .time-plot--axis { color: $text-muted; }
        & > .time-plot--words { color: $foreground; }
        & > .time-plot--range {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        & > .time-plot--cursor { color: $text-accent; text-style: bold; }
        &:nocolor > .time-plot--bar { color: $foreground; }
        &:nocolor > .time-plot--range { text-style: reverse; }
    }
    """

    in_bits: reactive[bool] = reactive(False)
    selection: reactive[TimeRange | None] = reactive(None, init=False)

    class Chosen(Message):
        """The user pressed Enter, or clicked a range twice, to filter for it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles_of = ComponentStyles(self)
        self._bins: RateBins = NO_BINS
        self._first_ns = 0
        self._layout_kept: PlotLayout | None = None
        self._is_dragged = False

    def show(self, bins: RateBins, first_ns: int | None) -> None:
        """Show bins; `first_ns` is the time of the first packet, where the axis begins at 0."""
        if bins is not self._bins:
            self._bins, self._first_ns = bins, first_ns or 0
            self._layout_kept = None
            self.refresh()

    @property
    def layout_now(self) -> PlotLayout:
        """The layout of the bins at this size."""
        width = self.size.width - AXIS
        if self._layout_kept is None or self._layout_kept.width != max(0, width):
            self._layout_kept = PlotLayout.of(self._bins, width, in_bits=self.in_bits)
        return self._layout_kept

    def watch_in_bits(self) -> None:
        self._layout_kept = None

    def notify_style_update(self) -> None:
        """Forget all colors after a change of the theme or of the focus."""
        self._styles_of.clear()
        super().notify_style_update()

    # -- the range ------------------------------------------------------------------------

    def action_step(self, bins: int, extend: bool = False) -> None:
        """Move the cursor by bins. With `extend`, the range reaches from where it began to it."""
        layout = self.layout_now
        if not len(layout.bins):
            return
        if self.selection is None:
            number = len(layout.bins) - 1 if bins < 0 else 0
        else:
            number = layout.bin_of(self.selection.cursor[0]) + bins
        self._select(min(max(0, number), len(layout.bins) - 1), extend=extend)

    def action_end(self, end: int) -> None:
        """Move the cursor to the first bin (-1), or to the last (1)."""
        layout = self.layout_now
        if len(layout.bins):
            self._select(0 if end < 0 else len(layout.bins) - 1, extend=False)

    def clear_selection(self) -> bool:
        """Select nothing. Return False if nothing was selected."""
        had_one, self.selection = self.selection is not None, None
        return had_one

    def _select(self, number: int, *, extend: bool) -> None:
        here = self.layout_now.times(number)
        anchor = self.selection.anchor if extend and self.selection is not None else here
        self.selection = TimeRange(anchor, here)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and self._select_at(event, extend=event.shift):
            self._is_dragged = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_dragged:
            self._select_at(event, extend=True)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._is_dragged:
            self._is_dragged = False
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and event.button == 1 and self.selection is not None:
            self.post_message(self.Chosen())

    def _select_at(self, event: events.MouseEvent, *, extend: bool) -> bool:
        offset = event.get_content_offset_capture(self)
        number = self.layout_now.bin_at(offset.x - AXIS)
        if number is not None:
            self._select(number, extend=extend)
        return number is not None

    # -- drawing --------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw one line: words, a part of the bars, or the axis of time."""
        width, height = self.size.width, max(0, self.size.height - ABOVE - BELOW)
        row = y - ABOVE
        if y < ABOVE:
            segments = [Segment(cut(self._words(), width), self._styles_of("time-plot--words"))]
        elif row < height:
            segments = self._bars(row, height)
        else:
            segments = self._axis(row - height)
        return Strip(segments).crop_extend(0, width, self.rich_style)

    def _bars(self, row: int, height: int) -> list[Segment]:
        """Return the label of a line, and the bars in it."""
        layout = self.layout_now
        levels = layout.levels(height) - (height - 1 - row) * 8
        glyphs = [_EIGHTHS[min(8, max(0, level))] for level in levels.tolist()]
        label = ""
        if layout.top and row in (0, height // 2):
            label = self._rate(layout.top * (height - row) / height)
        plain = self._styles_of("time-plot--axis")
        segments = [Segment(right(label, AXIS - 2) + " │", plain)]
        bar, marked = self._styles_of("time-plot--bar"), self._styles_of("time-plot--range")
        return segments + _runs(glyphs, self._marks(), lambda is_in: marked if is_in else bar)

    def _marks(self) -> tuple[int, int]:
        """Return the columns of the selected range: the first, and the one after the last."""
        layout, selected = self.layout_now, self.selection
        if selected is None or not len(layout.bins):
            return 0, 0
        last = layout.bin_of(selected.stop_ns - 1) + 1
        return layout.bin_of(selected.start_ns) * layout.stretch, last * layout.stretch

    def _axis(self, row: int) -> list[Segment]:
        """Return the axis, or the times under it."""
        layout, plain = self.layout_now, self._styles_of("time-plot--axis")
        if row == 0:
            line = "─" * layout.width
            if self.selection is not None and len(layout.bins):
                at = layout.bin_of(self.selection.cursor[0]) * layout.stretch
                if 0 <= at < layout.width:
                    return [
                        Segment(" " * (AXIS - 1) + "└" + line[:at], plain),
                        Segment("▲", self._styles_of("time-plot--cursor")),
                        Segment(line[at + 1 :], plain),
                    ]
            return [Segment(" " * (AXIS - 1) + "└" + line, plain)]
        if row > 1 or not len(layout.bins):
            return []
        first = self._time(layout.times(0)[0])
        last = self._time(layout.times(len(layout.bins) - 1)[1])
        room = layout.columns - len(last)
        text = left(first, room) + last if room > len(first) else first
        return [Segment(" " * AXIS + text, plain)]

    def _words(self) -> str:
        """Return a sentence about the range, or about the plot."""
        layout, selected = self.layout_now, self.selection
        unit = "bits" if self.in_bits else "packets"
        if not len(layout.bins):
            return " no packets yet"
        if selected is None:
            width = _duration(layout.bins.width_ns)
            top = self._rate(layout.top)
            unit += "/s" if top.endswith("/s") else ""
            return f" {unit}, at most {top} in {width}; ← → or drag selects a range"
        counted = range(
            max(0, layout.bin_of(selected.start_ns)),
            min(len(layout.bins), layout.bin_of(selected.stop_ns - 1) + 1),
        )
        packets = int(layout.bins.packets[counted.start : counted.stop].sum())
        size = int(layout.bins.bytes[counted.start : counted.stop].sum())
        seconds = (selected.stop_ns - selected.start_ns) / _SECOND_NS
        rates = f"{rate_text(packets / seconds)}, {rate_text(size * 8 / seconds, 'bit')}"
        times = f"{self._time(selected.start_ns)} to {self._time(selected.stop_ns)}"
        return f" {times}: {packets:,} packets, {rates}; enter shows only these"

    def _rate(self, value: float) -> str:
        return rate_text(value, "b" if self.in_bits else "")

    def _time(self, time_ns: int) -> str:
        """Return a time after the first packet."""
        decimals = 3 if self.layout_now.bins.width_ns < _SECOND_NS else 0
        return time_text(max(0, time_ns - self._first_ns) / _SECOND_NS, decimals)


def _duration(duration_ns: int) -> str:
    if duration_ns >= 7_200 * _SECOND_NS:
        return time_text(duration_ns / _SECOND_NS)
    return f"{duration_ns / _SECOND_NS:,.3f}".rstrip("0").rstrip(".") + " s"


def _runs(
    glyphs: list[str], marked: tuple[int, int], style_of: Callable[[bool], Style]
) -> list[Segment]:
    """Return glyphs as segments: before the marked columns, these, and after them."""
    start, stop = (min(max(0, end), len(glyphs)) for end in marked)
    parts = ((glyphs[:start], False), (glyphs[start:stop], True), (glyphs[stop:], False))
    return [Segment("".join(part), style_of(is_in)) for part, is_in in parts if part]
