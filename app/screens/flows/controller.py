"""The flows panel: which flows are counted, in which order, and the filters that they become.

Counting begins when the panel is opened first, on the analysis thread, and continues while it is
hidden. With *filtered*, another count begins, of the packets that the display filter passes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from textual.actions import parse
from textual.widget import Widget

from app.bridge import Bridge, Scene
from app.keymap import KeyContext
from app.screens.filter.filter_controller import FilterController
from app.screens.side_panels import SideController
from app.screens.workspace import Workspace
from app.textual_bindings import with_keys
from core.analysis.flows.analyzer import FlowAnalyzer
from core.analysis.flows.conversations import conversation_id
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion
from core.analysis.programs.program_table import programs_of
from core.store.filtered_view import View
from core.store.selected_packet import SelectedPacket
from core.store.snapshot import Snapshot
from core.wire.model.text import safe
from widgets.flows.columns import BYTES, columns_of
from widgets.flows.flow_list import FlowList
from widgets.flows.head_text import FlowsState
from widgets.flows.panel import FlowsPanel
from widgets.sorted.column import Sort

NO_FLOW = "no conversation is selected"
NO_FILTER = "no filter is set: all packets are counted"


class FlowsController(SideController):
    """The flows panel of one workspace. `list` is the list in it."""

    lists_streams = True

    def __init__(self, bridge: Bridge, workspace: Workspace, filter: FilterController) -> None:
        self._bridge, self._workspace, self._filter = bridge, workspace, filter
        self._question = FlowQuestion()
        self._only_shown = False
        self._analyzer: FlowAnalyzer | None = None  # since the panel was opened first
        self._view: View | None = None  # whose packets are counted
        self._store_generation = 0
        self._snapshot: Snapshot | None = None  # of the last scene
        self._answer = FlowListing(self._question)  # the last one
        self.list = with_keys(
            FlowList(self._question, id="flow-list"), KeyContext.FLOWS, KeyContext.LIST
        )
        self.panel = self.widget = FlowsPanel(
            self.list, self._press, self._select, self._sort, id="flows"
        )

    # -- the scene ----------------------------------------------------------------------------

    def basis(self) -> object:
        """Return whether the panel is shown, its question, and the view of the filter."""
        names = self._workspace.table.rows.shown_names
        view = self._bridge.analysis.view
        return self.panel.display, self._question, self._only_shown, view, names

    def show(self, scene: Scene) -> None:
        """Count the new packets, and show the newest listing if the panel is open."""
        self._snapshot = scene.packets
        has_programs = bool(programs_of(scene.packets).published.owners)
        if has_programs != self._question.programs:
            self._ask(replace(self._question, programs=has_programs))
        if self.panel.display or self._analyzer is not None:
            self._count(scene.packets, scene.store_generation)
        if self.panel.display and self._analyzer is not None:
            self.list.show_names(self._workspace.table.rows.shown_names)
            self.panel.show(self._state(scene.packets, self._analyzer))

    def value_of(self, view: Widget) -> tuple[str, str, str] | None:
        """Return the flow under the cursor, and its filter; None without one."""
        row = self.list.row
        if view is not self.list or row is None:
            return None
        listing = self.list.listing
        name = "Endpoint" if listing.question.endpoints else "Conversation"
        return name, _ends(listing, row), self._expression(row)

    def copy_choices(self) -> list[tuple[str, str]] | None:
        """Return the ends, the filter, and the object of the flow under the cursor."""
        row = self.list.row
        if row is None:
            return []
        from json import dumps

        from core.analysis.flows.record import flow_record

        listing = self.list.listing
        choices = [("Ends", _ends(listing, row)), ("Filter", self._expression(row))]
        return [*choices, ("JSON", dumps(flow_record(listing, row), ensure_ascii=False))]

    def close(self) -> bool:
        """Show all flows again, if a text selects some. Return False if not."""
        return self.panel.display and self.panel.clear_text()

    def select(self, selected: SelectedPacket) -> None:
        """Move the cursor to the conversation of a packet, unless the user moves it."""
        question = self.list.listing.question
        if not self.panel.display or self.list.has_focus or question.endpoints:
            return
        number, flows = selected.packet.number, self._bridge.analysis.latest.flows
        if self._snapshot is None:
            return
        with suppress(KeyError), self._bridge.faults.guard(number):  # KeyError: evicted
            chunk, row = self._snapshot.find(number)
            id = conversation_id(question.level, chunk.rows(row, row + 1), flows)
            if id is not None and self.list.listing.row_of(id) is not None:
                self.list.select(id)

    def offered_stream(self) -> tuple[str, int] | None:
        """Return ``("tcp", stream number)`` of the conversation under the cursor; None for others.

        A conversation of UDP has the number that its first packet has, if this is still known.
        """
        row, listing = self.list.row, self.list.listing
        level = listing.question.level
        if row is None or listing.question.endpoints or not level.has_ports:
            return None
        if level is Level.TCP:
            return level.value, listing.number("stream", row)
        flows = self._bridge.analysis.latest.flows
        found = flows.values(listing.number("first_packet", row), level.value)["stream"]
        return (level.value, int(found[0])) if len(found) else None

    def _count(self, snapshot: Snapshot, store_generation: int) -> None:
        """Have the analysis thread count what is new, and answer the question."""
        thread = self._bridge.analysis_thread
        view = self._bridge.analysis.view if self._only_shown else None
        is_other = store_generation != self._store_generation or view is not self._view
        if self._analyzer is None or is_other:
            if self._analyzer is not None:
                thread.cancel(self._analyzer)
            if store_generation != self._store_generation:
                self._answer = FlowListing(self._question)
            self._store_generation, self._view = store_generation, view
            self._analyzer = FlowAnalyzer(self._question, view)
        analyzer = self._analyzer
        analyzer.question = self._question
        if analyzer.is_due(snapshot) and thread.is_idle(analyzer):
            thread.offer(snapshot, analyzer)

    def _state(self, snapshot: Snapshot, analyzer: FlowAnalyzer) -> FlowsState:
        held = snapshot.count - analyzer.first + 1
        listed = analyzer.listed_through
        done = max(0, listed - analyzer.first + 1)
        progress = done / held if snapshot.count and listed < snapshot.count else None
        failure = self._bridge.analysis_thread.failure_of(analyzer)
        if analyzer.has_answer:  # until then, the last count is shown
            self._answer = analyzer.published
        return FlowsState(
            self._answer,
            self._question,
            self._only_shown,
            None if self._answer.packets and self._bridge.live else progress,
            analyzer.first,
            "" if failure is None else f"{type(failure).__name__}: {safe(str(failure))}",
        )

    # -- questions ------------------------------------------------------------------------------

    def _ask(self, question: FlowQuestion) -> None:
        """Ask another question; the next scene shows its answer."""
        columns = columns_of(question)
        column = next((each for each in columns if each.sort == question.sort), BYTES)
        self._question = replace(question, sort=column.sort)
        self.list.sort_by(Sort(column, question.descending))
        if self._snapshot is not None and self._analyzer is not None:
            self._count(self._snapshot, self._store_generation)

    def _press(self, action: str) -> None:
        """Run the action of a choice that the user clicked."""
        _, method, arguments = parse(action)
        getattr(self, method)(*arguments)

    def _sort(self) -> None:
        sort = self.list.sort
        self._ask(replace(self._question, sort=sort.column.sort, descending=sort.descending))

    def _select(self, text: str) -> None:
        self._ask(replace(self._question, text=text))

    def choose_level(self, name: str) -> None:
        """List the flows of a level, by its name."""
        self._ask(replace(self._question, level=Level[name]))

    def step_level(self, step: int) -> None:
        """List the flows of the next level (1), or of the previous one (-1)."""
        levels = list(Level)
        at = (levels.index(self._question.level) + step) % len(levels)
        self._ask(replace(self._question, level=levels[at]))

    def choose_kind(self, endpoints: bool) -> None:
        """List endpoints, or conversations."""
        self._ask(replace(self._question, endpoints=endpoints))

    def toggle_kind(self) -> None:
        """List endpoints instead of conversations, or the other way around."""
        self.choose_kind(not self._question.endpoints)

    def choose_scope(self, only_shown: bool) -> None:
        """Count only packets that the display filter passes, or all."""
        self._only_shown = only_shown
        if only_shown and self._bridge.analysis.view is None:
            self._report(NO_FILTER)
        self._ask(self._question)

    def toggle_scope(self) -> None:
        """Count only packets that the display filter passes, or all again."""
        self.choose_scope(not self._only_shown)

    # -- the selected flow ------------------------------------------------------------------------

    def show_only(self) -> None:
        """Show only the packets of the selected flow; show all if that is so already."""
        row = self.list.row
        if row is None:
            self._report(NO_FLOW)
            return
        text = self._expression(row)
        if text == self._filter.text and self._filter.is_on:
            self._filter.clear()
        else:
            self._filter.combine_by(text, "REPLACE")

    def hide(self) -> None:
        """Hide the packets of the selected flow."""
        row = self.list.row
        if row is None:
            self._report(NO_FLOW)
        else:
            self._filter.combine_by(self._expression(row), "AND_NOT")

    def _expression(self, row: int) -> str:
        from core.analysis.flows.expression import flow_expression

        return flow_expression(self.list.listing, row)

    def _report(self, words: str) -> None:
        self._workspace.notify(words, severity="warning")


def _ends(listing: FlowListing, row: int) -> str:
    ends = listing.end_text(row)
    return ends if listing.question.endpoints else f"{ends} ⇄ {listing.end_text(row, 'b')}"
