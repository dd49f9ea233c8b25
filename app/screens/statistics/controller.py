"""The statistics panel: what is counted, its tabs, and the filters that it sets.

Packets are counted on the analysis thread while the panel is shown: all, and those that pass the
filter. The latter are taken from the view of the table, which has asked the filter already.
"""

from __future__ import annotations

from textual.actions import parse
from textual.widget import Widget

from app.bridge import Bridge, Scene
from app.keymap import KeyContext
from app.screens.filter.filter_controller import FilterController
from app.screens.side_panels import SideController
from app.textual_bindings import with_keys
from core.analysis.analysis_thread import AnalysisThread
from core.analysis.statistics.analyzer import StatisticsIndex
from core.analysis.statistics.expressions import time_filter
from core.store.filtered_view import FilteredPackets
from core.store.snapshot import Snapshot
from core.wire.model.text import safe
from widgets.packets.packet_rows import PacketRows
from widgets.statistics.panel import TABS, StatisticsPanel
from widgets.statistics.plot import TimePlot
from widgets.statistics.rows import StatisticsTab
from widgets.statistics.table import StatisticsTable

CAUGHT_UP = 0.9
"""The part of the packets from which on the count is shown, and not how far it is."""

NO_RANGE = "no range is selected: shift+← and shift+→ select one, or drag the mouse"
NO_FILTER = "no filter is set: all packets are counted"
NO_NAME = "this row stands for many addresses: choose one of the others"


class CountedPackets:
    """The statistics of one selection of packets, which the analysis thread extends."""

    def __init__(self, thread: AnalysisThread) -> None:
        self.index = StatisticsIndex()
        self._thread = thread
        self._basis: object = None  # of the index: another store or filter needs another one
        self._offered: object = None

    def update(
        self, snapshot: Snapshot, basis: object, selected: FilteredPackets | None = None
    ) -> None:
        """Count packets up to the newest; all over again for another `basis`."""
        if basis != self._basis:
            self._thread.cancel(self.index)
            self.index = StatisticsIndex(selected)
            self._basis, self._offered = basis, None
        self.index.selected = selected
        through = None if selected is None else selected.through
        offered = snapshot.version, snapshot.first, through
        if offered != self._offered:
            self._offered = offered
            self._thread.offer(snapshot, self.index)

    def note(self, last: int) -> str:
        """Return a remark: the failure, or how far the count up to packet `last` is."""
        failure = self._thread.failure_of(self.index)
        if failure is not None:
            return f"counting failed: {type(failure).__name__}: {safe(str(failure))}"
        through = self.index.published.through
        is_behind = through < last * CAUGHT_UP
        if is_behind and not self._thread.is_idle(self.index):
            return f"counting: {through:,} of {last:,} packets"
        if self.index.missed:
            return f"{self.index.missed:,} packets left the memory before they were counted"
        return ""


class StatisticsController(SideController):
    """The statistics panel of one workspace."""

    def __init__(self, bridge: Bridge, packets: PacketRows, filter: FilterController) -> None:
        self.table = with_keys(
            StatisticsTable(id="statistics-table"), KeyContext.COUNTS, KeyContext.LIST
        )
        self.plot = with_keys(TimePlot(id="time-plot"), KeyContext.RATE)
        panel = StatisticsPanel(self.table, self.plot, self._press, id="statistics")
        self.panel = self.widget = with_keys(panel, KeyContext.STATISTICS)
        self._bridge, self._packets, self._filter = bridge, packets, filter
        self._all = CountedPackets(bridge.analysis_thread)
        self._passing = CountedPackets(bridge.analysis_thread)
        self._wants_passing = False
        self._scene: Scene | None = None

    # -- the scene ----------------------------------------------------------------------------

    def basis(self) -> object:
        """Return what `show` depends on besides the scene."""
        names = self._packets.shown_names
        return self.panel.display, self.panel.tab, self._wants_passing, names

    def show(self, scene: Scene) -> None:
        """Count the packets of a scene, and show what is known, if the panel is open."""
        self._scene = scene
        if not self.panel.display:
            return
        packets, generation = scene.packets, scene.store_generation
        filtered = self._bridge.analysis.latest.filtered
        is_filtered = filtered is not None and self._wants_passing
        counted, last = self._all, packets.count
        if is_filtered and filtered is not None:
            counted, last = self._passing, min(filtered.through, packets.count)
            counted.update(packets, (generation, filtered.predicate), filtered)
        else:
            counted.update(packets, generation)
        self.panel.show(
            counted.index.published,
            packets.first_timestamp_ns,
            is_filtered=is_filtered,
            has_filter=filtered is not None,
            note=counted.note(last),
            names=self._packets.shown_names,
        )

    def _show_again(self) -> None:
        if self._scene is not None:
            self.show(self._scene)

    def value_of(self, view: Widget) -> tuple[str, str, str] | None:
        """Return the value of the row under the cursor; None if filters have no name for it."""
        row = self.table.selected if view is self.table else None
        if row is None or row.expression is None:
            return None
        return row.name, row.cells[0].strip(), row.expression

    def close(self) -> bool:
        """Select no range. Return False without one."""
        return self.panel.display and self.plot.clear_selection()

    # -- keys ---------------------------------------------------------------------------------

    def tab(self, number: int) -> None:
        """Show a tab."""
        self.panel.tab = TABS[number]
        self._show_again()

    def step_tab(self, step: int) -> None:
        """Show the next tab, or the previous one."""
        self.tab((TABS.index(self.panel.tab) + step) % len(TABS))

    def toggle_scope(self) -> None:
        """Count all packets, or only those that pass the filter."""
        if self._bridge.analysis.latest.filtered is None:
            self.panel.notify(NO_FILTER)
            return
        self._wants_passing = not self._wants_passing
        self._show_again()

    def toggle_unit(self) -> None:
        """Plot bits per second, or packets per second."""
        self.tab(TABS.index(StatisticsTab.RATE))
        self.plot.in_bits = not self.plot.in_bits

    def combine(self, how: str) -> None:
        """Change the filter by the row under the cursor; `how` names a `Combination`."""
        row = self.table.selected
        if row is not None and row.expression is None:
            self.panel.notify(NO_NAME, severity="warning")
        elif row is not None and row.expression is not None:
            self._filter.combine_by(row.expression, how)

    def combine_range(self, how: str) -> None:
        """Change the filter by the range of time that is selected in the plot."""
        selected = self.plot.selection
        if selected is None:
            self.panel.notify(NO_RANGE, severity="warning")
        else:
            expression = time_filter(selected.start_ns, selected.stop_ns)
            self._filter.combine_by(expression, how)

    def _press(self, action: str) -> None:
        """Do what a click on the head, or twice on the plot, asks for."""
        _, method, arguments = parse(action)
        getattr(self, method)(*arguments)
