"""Go to a packet that the user names: by its number, a number of rows, or a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.bridge import Bridge
from app.screens.search_run import SearchRun
from core.store.snapshot import Snapshot
from core.wire.model.text import safe
from widgets.packets.packet_table import PacketTable
from widgets.packets.time_format import TimeFormat

if TYPE_CHECKING:
    from app.screens.go_to_target import Moment, Target, TargetContext


class GoToController:
    """Selects the packets of one table. `shown` returns the snapshot in it.

    A time is searched for on the analysis thread: times need not ascend, so all may be compared.
    """

    def __init__(self, table: PacketTable, bridge: Bridge, shown: Callable[[], Snapshot]) -> None:
        self._table, self._shown = table, shown
        self._run = SearchRun(bridge)
        self._moment: Moment | None = None  # that is searched for
        self._store_generation = 0

    def open(self) -> None:
        """Ask for a packet. Do nothing without one."""
        from app.screens.dialogs.go_to import GoTo

        context = self._context()
        if context is not None:
            self._table.app.push_screen(GoTo(context), self._go)

    def basis(self) -> object:
        """Return everything besides the scene that `show` depends on."""
        return self._run.is_running

    def show(self, store_generation: int) -> None:
        """Select the packet of a time, if it was found by now. In another store, forget it."""
        if store_generation != self._store_generation:
            self._store_generation = store_generation
            self._run.cancel()
        if self._run.is_running and self._run.update(self._shown()):
            self._select_found()

    def _context(self) -> TargetContext | None:
        from app.screens.go_to_target import TargetContext

        shown, rows = self._shown(), self._table.rows
        if shown.count < shown.first or not len(rows):
            return None
        zero_ns, words = rows.zero_ns or 0, "since the first packet"
        if rows.reference is not None:
            words = f"since packet {rows.reference.number:,}"
        selected = self._table.selected
        if (
            self._table.time_format is TimeFormat.DELTA
            and selected is not None
            and selected >= shown.first
        ):
            zero_ns, words = shown.timestamp_ns(selected), "since the selected packet"
        return TargetContext(
            shown.first,
            shown.count,
            zero_ns,
            words,
            shown.timestamp_ns(shown.first),
            shown.timestamp_ns(shown.count),
        )

    def _go(self, target: Target | None) -> None:
        from app.screens.go_to_target import PacketNumber, RowOffset
        from core.analysis.search.criteria import TimeCriterion

        rows, line = self._table.rows, self._table.cursor_line or 0
        if target is None or not len(rows):
            return
        if isinstance(target, PacketNumber):
            self._select_number(target.number)
        elif isinstance(target, RowOffset):
            self._table.move_to_line(max(0, min(line + target.rows, len(rows) - 1)))
        else:
            self._moment = target
            criterion = TimeCriterion(target.timestamp_ns)
            if self._run.start(self._shown(), criterion, rows.numbers, 0):
                self._select_found()

    def _select_number(self, number: int) -> None:
        """Select a packet; if it has no row, the nearest one that has."""
        row = self._table.rows.nearest_row(number)
        if row is None:
            return
        self._table.move_to_line(row)
        if self._table.selected != number:
            self._warn(f"packet {number:,} does not pass the filter")

    def _select_found(self) -> None:
        assert self._moment is not None
        state = self._run.state
        if state is None or state.found is None:
            self._warn(f"no packet at {safe(self._moment.text)} or later")
        else:
            self._table.select(state.found)

    def _warn(self, words: str) -> None:
        self._table.notify(words, severity="warning", markup=False)
