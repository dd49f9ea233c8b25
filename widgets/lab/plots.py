"""The laboratory's results as plots: messages per second of each model, and the curve of epoll.

Both axes of the curve are logarithmic: from ten to ten thousand descriptors, and from one
microsecond to ten thousand, a rising straight line means that the cost grows with the number. Every
figure is also in `widgets.lab.results`, so nothing depends on telling colors apart.

Importing this module takes a tenth of a second, so only the laboratory's screen does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from textual_hires_canvas import HiResMode
from textual_plot import LegendLocation, PlotWidget
from textual_plot.axis_formatter import AxisFormatter

from core.iolab.results import MECHANISMS, CurvePoint, ModelResult
from widgets.lines.cells import cut
from widgets.status.line import si

DOTS = HiResMode.HALFBLOCK  # two dots per cell, in every terminal font
COLORS = {"select": "error", "poll": "warning", "epoll": "success"}  # of the theme


SHORT = {"blocking": "block", "epoll-level": "ep-lvl", "epoll-edge": "ep-edge", "io_uring": "uring"}


class PowersOfTen(AxisFormatter):
    """Ticks of an axis of logarithms: ``10``, ``100``, ``1k``."""

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """Return the whole powers inside the axis."""
        return [float(power) for power in range(ceil(min_), floor(max_) + 1)]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """Return the numbers of which the ticks are logarithms."""
        return [si(10**tick, "").replace(".0", "") for tick in ticks]


class _Plot(PlotWidget):
    """A plot without focus and keys."""

    can_focus = False

    def __init__(self, id: str) -> None:
        super().__init__(id=id, allow_pan_and_zoom=False)
        self.set_reactive(PlotWidget.margin_top, 1)

    def color(self, name: str) -> str:
        """Return a color of the theme, as the plot takes it."""
        return self.app.theme_variables[name]


class RatePlot(_Plot):
    """A bar per model: messages per second."""

    _results: Sequence[ModelResult] = ()

    def on_resize(self) -> None:
        self.show(self._results)  # the room for the names changed

    def show(self, results: Sequence[ModelResult]) -> None:
        """Plot these results."""
        self._results = tuple(results)
        measured = [result for result in results if not result.refused]
        self.clear()
        if not measured:
            return
        room = (self.size.width - self.margin_left) // len(measured)
        names = [cut(SHORT.get(result.model, result.model), max(4, room)) for result in measured]
        rates = [result.rate / 1000 for result in measured]
        self.set_ylimits(0, max(rates) * 1.1)
        self.set_xlimits(0.4, len(names) + 0.6)
        self.set_ylabel("1,000 messages/s")
        self.bar(names, rates, bar_style=self.color("primary"), hires_mode=DOTS)


class CurvePlot(_Plot):
    """A line per mechanism: microseconds per wake-up over the number of idle descriptors."""

    def on_mount(self) -> None:
        self.set_x_formatter(PowersOfTen())
        self.set_y_formatter(PowersOfTen())

    def show(self, points: Sequence[CurvePoint]) -> None:
        """Plot these points."""
        self.clear()
        known = [point for point in points if point.median_us]
        if not known:
            return
        costs = [log10(point.median_us) for point in known if point.median_us]
        self.set_xlimits(0.9, log10(max(point.descriptors for point in known)) + 0.1)
        self.set_ylimits(min(0.0, *costs) - 0.1, max(1.0, *costs) + 0.1)
        self.set_xlabel("idle descriptors")
        self.set_ylabel("µs per wake-up")
        for name in reversed(MECHANISMS):  # of two equal lines the shorter one is drawn last
            own = [point for point in known if point.mechanism == name]
            if own:
                self.plot(
                    [log10(point.descriptors) for point in own],
                    [log10(point.median_us) for point in own if point.median_us],
                    line_style=self.color(COLORS[name]),
                    hires_mode=DOTS,
                    label=name,
                )
        self.show_legend(LegendLocation.TOPLEFT)
