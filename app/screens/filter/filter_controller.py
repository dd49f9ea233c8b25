"""The display filter of the packet table: the bar, the keys, and the analysis that runs it.

The text in the bar is compiled at every key, which takes less than a millisecond, and applied with
enter. The analysis thread runs it; see `core.analysis.packet_analysis`. The language is imported
after the first rows are painted (`prepare`), because that takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.widget import Widget

from app.config.filter_history import FilterHistory
from app.keymap import KeyContext
from app.screens.filter.filter_error import filter_error
from app.screens.filter.one_line import in_one_line
from app.screens.filter.saved_filters import SavedFilters
from app.textual_bindings import add_keys
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.packet_analysis import PacketAnalysis
from core.store.snapshot import Snapshot
from core.wire.model.text import safe
from widgets.filter.bar import FilterBar, FilterState
from widgets.filter.hints import FilterHints
from widgets.packets.packet_table import PacketTable

if TYPE_CHECKING:
    from core.analysis.filter.combination import Combination
    from core.analysis.filter.completion import Completions

ALL_PACKETS = "all packets"
ALL_CLIENTS = "all packets; move to a client to see only its packets"


class FilterController:
    """The filter of one table. `bar` and `hints` are its widgets.

    `text` is the filter, empty if there is no filter; `is_on` is False while all packets are shown
    nevertheless. `is_offered` is True while the echo panel is shown: then the bar is shown, too, so
    that a click on a client moves no row away from under the pointer. `shown` returns the snapshot
    in the table, `show_table` shows what the analysis has found, and `label_keys` labels the keys
    again when the user begins or ends an edit. Filters may use `macros`.
    """

    def __init__(
        self,
        table: PacketTable,
        analysis: PacketAnalysis,
        history: FilterHistory,
        saved: SavedFilters,
        shown: Callable[[], Snapshot],
        show_table: Callable[[], None],
        label_keys: Callable[[], None],
        macros: Macros = NO_MACROS,
    ) -> None:
        self.macros = macros
        self.text = ""
        self.is_on = True
        self.is_offered = False
        self._table, self._analysis = table, analysis
        self._history, self._shown, self._show_table = history, shown, show_table
        self._saved, self._label_keys = saved, label_keys
        self._cleared = ""  # the filter that the user cleared last
        self._offered: list[tuple[str, str]] = []  # saved filters among the completions
        self._before: Widget | None = None  # had the focus before the edit
        self._recalled = ""  # the text of the history that the bar shows
        self._completions: Completions | None = None  # of the text in the bar
        self.hints = FilterHints(self._insert, id="filter-hints")
        self.bar = FilterBar(
            self._describe, self._begin, self.leave, self.toggle, self.clear, id="filter"
        )
        add_keys(self.bar.input, KeyContext.FILTER)

    def prepare(self) -> None:
        """Import the language, so that the first key does not wait for it."""
        import core.analysis.filter.completion
        import core.analysis.filter.packet_filter  # noqa: F401

    def begin_with(self, text: str) -> None:
        """Filter the first packets by a valid text, before the screen is shown."""
        from core.analysis.filter.packet_filter import PacketFilter

        self.text = in_one_line(text)
        self._analysis.keep_only(PacketFilter.compile(self.text, macros=self.macros))

    def basis(self) -> object:
        """Return everything besides the scene that `show` depends on."""
        return self.text, self.is_on, self.is_offered, self.bar.is_editing

    def show(self) -> None:
        """Show the filter, and the count of packets that pass."""
        if self.is_on and self.text and not self._analysis.is_filtering:  # it failed
            self.is_on = False
        held = self._shown()
        state = FilterState(
            self.text,
            self.is_on,
            self._table.rows.held_count,
            held.count - held.evicted,
            self._analysis.latest.progress,
        )
        offered = self.is_offered and self._table.display
        self.bar.display = bool(self.text) or self.bar.is_editing or offered
        self.bar.show(state, ALL_CLIENTS if self.is_offered else ALL_PACKETS)
        if self.hints.display:
            self._show_hints()

    def why_empty(self) -> str:
        """Return the text for a table that the filter leaves empty; empty if it does not."""
        if self._table.line_count or not self.text or not self.is_on:
            return ""
        if self._analysis.latest.progress is not None:
            return "no packet has passed the filter yet"
        return "no packet passes the filter; esc clears it"

    # -- the filter ------------------------------------------------------------------------------

    def apply(self, text: str) -> bool:
        """Filter the packets; an empty text shows all. Return False if the text is wrong.

        References such as ``${ip.src}`` mean the values of the packet that is selected now.
        """
        from core.analysis.filter.language.errors import FilterError
        from core.analysis.filter.packet_filter import PacketFilter, values_of_packet

        text, number = in_one_line(text), self._table.selected
        try:
            selected = None if number is None else values_of_packet(self._shown(), number)
        except KeyError:  # evicted
            selected = None
        try:
            predicate = PacketFilter.compile(text, selected, self.macros) if text else None
        except FilterError:
            return False
        if self.text and not text:
            self._cleared = self.text
        self.text, self.is_on = text, True
        self._analysis.keep_only(predicate)
        self._show_table()
        self.show()
        return True

    def apply_again(self, field: str) -> None:
        """Filter again if the filter names this field, whose values have changed."""
        if self.is_on and field in self.text and "${" not in self.text:
            self.apply(self.text)

    def combine(self, expression: str, how: Combination) -> bool:
        """Change the filter by an expression, and remember it.

        For `how`, see `core.analysis.filter.combination`. A filter that is off counts as none.
        Return False if the result is not a filter.
        """
        from core.analysis.filter.combination import combined
        from core.analysis.filter.language.errors import FilterError

        try:
            text = combined(self.text if self.is_on else "", expression, how, self.macros)
        except FilterError:
            return False
        if not self.apply(text):
            return False
        self._remember()
        return True

    def combine_by(self, expression: str, how: str) -> None:
        """Do what `combine` does, or report a failure; `how` is the name of a `Combination`."""
        from core.analysis.filter.combination import Combination

        if not self.combine(expression, Combination[how]):
            words = f"not a valid filter: {safe(expression)}"
            self._table.notify(words, severity="warning", markup=False)

    def toggle(self) -> None:
        """Show all packets, or filter them again by the same text, or by the one cleared last."""
        if self.text and self.is_on:
            self.is_on = False
            self._analysis.keep_only(None)
            self._show_table()
            self.show()
        elif self.text or self._cleared:
            self.apply(self.text or self._cleared)

    def clear(self) -> bool:
        """Show all packets, and forget the filter. Return False if there is no filter."""
        if not self.text:
            return False
        return self.apply("")

    # -- the edit --------------------------------------------------------------------------------

    def edit(self) -> None:
        """Put the cursor into the bar."""
        self._before = self.bar.screen.focused
        self.bar.display = True
        self.bar.edit()

    def submit(self) -> None:
        """Apply the text in the bar, and go to the table; stay in the bar if it is wrong.

        With a chosen completion, insert that instead.
        """
        if self.hints.chosen is not None:
            self._insert(self.hints.chosen)
        else:
            self.accept(self.bar.input.value)

    def accept(self, text: str) -> None:
        """Apply a text, go to the table, and remember it; do nothing if it is wrong."""
        if self.apply(text):
            self._end(self._table)
            self._remember()

    def _remember(self) -> None:
        """Add the filter to the history; warn if it cannot be saved."""
        if self.text and (problem := self._history.add(self.text)):
            self.bar.notify(problem, severity="warning", markup=False)

    def complete(self) -> None:
        """Insert the chosen completion, or the first one."""
        if self.hints.items:
            self._insert(self.hints.chosen or 0)

    def move(self, step: int) -> None:
        """Choose the next (1) or previous (-1) completion.

        Above the first one, and without any, show the earlier filter, and back to the newest.
        """
        history, hints = self._history, self.hints
        if history.is_rewound and (step > 0 or hints.chosen is not None):
            hints.move(step)
        else:
            step_on = history.older if step < 0 else history.newer
            text = step_on()
            if text and text == self.bar.input.value:  # the filter that is applied
                text = step_on()
            if text is not None:
                self._recalled = text
                self.bar.replace(text)

    def _insert(self, index: int) -> None:
        if index < len(self._offered):
            self.bar.replace(self._offered[index][1])
        elif self._completions is not None:
            at = index - len(self._offered)
            self.bar.replace(*self._completions.inserted(self.bar.input.value, at))

    def leave(self) -> bool:
        """End the edit; the filter stays as it was. Return False if the user does not edit."""
        if not self.bar.is_editing:
            return False
        self._end(self._before)
        return True

    def _begin(self) -> None:
        self._history.rewind()
        self._label_keys()
        self.bar.call_after_refresh(self._show_hints)  # when the bar has its place

    def _show_hints(self) -> None:
        """Show the hints below the bar while the user edits."""
        if self.bar.is_editing:
            self.hints.styles.margin = (self.bar.region.bottom, 0, 0, 0)
            self.hints.display = True

    def _end(self, focus: Widget | None) -> None:
        """Leave the bar. Focus a widget if the bar still has the focus."""
        bar = self.bar
        bar.is_editing = False
        self.hints.display = False
        bar.mark(0, 0, "")
        if bar.screen.focused is bar.input:
            (focus if focus is not None and focus.display else self._table).focus()
        self.show()
        self._label_keys()

    def _describe(self, text: str, cursor: int) -> None:
        """Say whether the text is a filter, and if not, why not, and where; offer completions."""
        from core.analysis.filter.completion import complete

        error = filter_error(text, self.macros)
        self.hints.text, self.hints.error = text, error
        if text != self._recalled:
            self._history.rewind()
        is_typed = self._history.is_rewound
        self._offered = self._saved.matching(text) if is_typed else []
        self._completions = complete(text, cursor, self.macros) if is_typed else None
        items = self._completions.items if self._completions else ()
        self.hints.chosen = None
        self.hints.items = (*self._offered, *((each.text, each.meaning) for each in items))
        if error is None:
            self.bar.mark(0, 0, "")
        else:
            self.bar.mark(*error.place, "incomplete" if error.is_incomplete else "wrong")
