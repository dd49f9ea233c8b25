"""The statistics panel: a head with tabs, and below it a table or the plot of the rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widget import Widget

from core.analysis.names.name_table import NO_NAMES, NameTable
from core.analysis.statistics.statistics import Statistics
from widgets.statistics.head import StatisticsHead, state_of
from widgets.statistics.plot import TimePlot
from widgets.statistics.rows import StatisticsTab, table_rows
from widgets.statistics.table import StatisticsTable

TABS = tuple(StatisticsTab)


class StatisticsPanel(Vertical):
    """Shows statistics. It calls `on_press` with the action of a piece that the user clicks."""

    tab: reactive[StatisticsTab] = reactive(StatisticsTab.HIERARCHY, init=False)

    def __init__(
        self,
        table: StatisticsTable,
        plot: TimePlot,
        on_press: Callable[[str], None],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.table, self.plot, self.head = table, plot, StatisticsHead()
        self._on_press = on_press
        self._shown: tuple[StatisticsTab, Statistics, NameTable] | None = None

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.table
        self.plot.display = False
        yield self.plot

    @property
    def content(self) -> Widget:
        """The part of the panel that has the focus."""
        return self.plot if self.tab is StatisticsTab.RATE else self.table

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the table or the plot."""
        self.content.focus(scroll_visible)
        return self

    def show(
        self,
        found: Statistics,
        first_ns: int | None,
        *,
        is_filtered: bool,
        has_filter: bool,
        note: str = "",
        names: NameTable = NO_NAMES,
    ) -> None:
        """Show statistics, with names in place of addresses; what is shown already costs nothing.

        `first_ns` is the time of the first packet of the capture, from which the plot counts.
        """
        self.head.show(
            state_of(found, self.tab, is_filtered=is_filtered, has_filter=has_filter, note=note)
        )
        if self._shown is not None and self._shown == (self.tab, found, names):
            return
        self._shown = (self.tab, found, names)
        if self.tab is StatisticsTab.RATE:
            self.plot.show(found.rate, first_ns)
        else:
            self.table.show(self.tab, table_rows(self.tab, found, names))

    def watch_tab(self) -> None:
        had_focus = self.table.has_focus or self.plot.has_focus
        self.plot.display = self.tab is StatisticsTab.RATE
        self.table.display = not self.plot.display
        if had_focus:
            self.content.focus()

    def on_time_plot_chosen(self, event: TimePlot.Chosen) -> None:
        event.stop()
        self._on_press("combine_range('REPLACE')")

    def on_statistics_head_pressed(self, event: StatisticsHead.Pressed) -> None:
        event.stop()
        self._on_press(event.action)
