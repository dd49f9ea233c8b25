"""Find packets from the main screen: by a text, bytes, or a filter, and by the kinds of jumps.

A search runs on the analysis thread. It begins at the selected packet and searches the packets that
the table shows, around its end; the line above the key bar says what it found. The next and the
previous match are those of the last search, whatever began it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widgets import Input

from app.bridge import Bridge
from app.screens.search_line import SearchLine
from app.screens.search_run import SearchRun
from app.screens.workspace import Workspace
from core.analysis.analyzer import AnalysisEndedError, slow_note
from core.analysis.filter.language.macros import Macros
from core.analysis.tcp.flow_table import FlowTable
from core.store.snapshot import Snapshot

if TYPE_CHECKING:
    from core.analysis.search.criteria import Criterion
    from core.analysis.search.query import SearchQuery
    from core.analysis.search.search import SearchState

MARK = "mark"


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a search. `title` names it; `absent` follows "no packet" if none is found.

    `make` returns the criterion, with what a `FlowTable` tells of TCP.
    """

    title: str
    absent: str
    make: Callable[[FlowTable], Criterion]


class SearchController:
    """The search of one main screen. `shown` returns the snapshot in the table.

    Filters may use `macros`.
    """

    def __init__(
        self,
        workspace: Workspace,
        line: SearchLine,
        bridge: Bridge,
        shown: Callable[[], Snapshot],
        macros: Macros,
    ) -> None:
        self._workspace, self._line, self._shown = workspace, line, shown
        self._macros = macros
        self._run = SearchRun(bridge)
        self._query: SearchQuery | None = None  # what the user typed last
        self._subject: Subject | None = None  # of the last search
        self._criterion: Criterion | None = None
        self._step = 1
        self._start = 0  # the packet at which the last search began
        self._store_generation = 0

    # -- keys ---------------------------------------------------------------------------

    def open(self) -> None:
        """Ask what to search for. In an input, the key deletes a word, as Textual documents it."""
        from app.screens.dialogs.search import SearchDialog

        focused = self._workspace.screen.focused
        if isinstance(focused, Input):
            focused.action_delete_right_word()
            return

        def search(answer: tuple[SearchQuery, int] | None) -> None:
            if answer is not None:
                self._query, step = answer
                self._search(self._of_query(self._query), step)

        self._workspace.app.push_screen(SearchDialog(self._query, macros=self._macros), search)

    def next(self) -> None:
        """Find the next match of the last search; without one, ask what to search for."""
        self._again(1)

    def previous(self) -> None:
        """Find the previous match of the last search; without one, ask what to search for."""
        self._again(-1)

    def _again(self, step: int) -> None:
        if self._subject is None:
            self.open()
        else:
            self._search(self._subject, step)

    def next_of(self, kind: str) -> None:
        """Find the next packet of a kind: `MARK`, or the name of a `Jump` in lower case."""
        self._search(self._of_kind(kind), 1)

    def previous_of(self, kind: str) -> None:
        """Find the previous packet of a kind; see `next_of`."""
        self._search(self._of_kind(kind), -1)

    def close(self) -> bool:
        """Cancel the search, or hide its result. Return False if nothing is shown."""
        self._run.cancel()
        was_shown = self._line.display
        self._line.show("")
        return was_shown

    # -- the search ---------------------------------------------------------------------

    def basis(self) -> object:
        """Return everything besides the scene that `show` depends on."""
        return self._run.is_running

    def show(self, store_generation: int) -> None:
        """Show how far the search is. In another store, forget it."""
        if store_generation != self._store_generation:
            self._store_generation = store_generation
            self.close()
        if self._run.is_running:
            self._report(is_done=self._run.update(self._shown()))

    def _search(self, subject: Subject, step: int) -> None:
        table = self._workspace.table
        self._subject, self._step, self._start = subject, step, table.selected or 0
        self._criterion = subject.make(table.rows.flows)
        is_done = self._run.start(
            self._shown(), self._criterion, table.rows.numbers, self._start, step
        )
        self._report(is_done=is_done)

    def _report(self, *, is_done: bool) -> None:
        state, subject = self._run.state, self._subject
        assert state is not None  # a search was started
        assert subject is not None
        if not is_done:
            part = int(state.progress * 100)
            self._line.show(f"searching for {subject.title}: {part}%", running=True)
        elif self._run.failure is not None:
            self._line.show(f"the search failed: {_describe(self._run.failure)}", missed=True)
        elif state.found is None:
            is_filtered = self._workspace.table.rows.numbers.predicate is not None
            packet = "packet that passes the filter" if is_filtered else "packet"
            self._line.show(f"no {packet} {subject.absent}{_note(state)}", missed=True)
        else:
            self._select(subject, state)

    def _select(self, subject: Subject, state: SearchState) -> None:
        """Select the packet found, highlight the bytes that match, and say which one it is."""
        found = state.found
        assert found is not None
        if not self._workspace.table.select(found):
            self._line.show(f"packet {found:,} was removed from memory", missed=True)
            return
        words = f"{subject.title}: packet {found:,}"
        if found == self._start and state.is_wrapped:
            words += ", the only one"
        elif state.is_wrapped:
            words += f", wrapped to the {'first' if self._step > 0 else 'last'} packet"
        self._line.show(words + _note(state))
        selected = self._workspace.panels.selected
        if selected is not None and self._criterion is not None:
            span = self._criterion.span_in(selected.packet.data)
            if span is not None:
                self._workspace.panels.show_frame()
                self._workspace.panels.hex.highlight(span)

    def _of_query(self, query: SearchQuery) -> Subject:
        """Return the subject of a query. References in it mean the packet selected now."""
        from core.analysis.filter.packet_filter import values_of_packet

        selected, number = None, self._workspace.table.selected
        if number is not None:
            with suppress(KeyError):  # evicted
                selected = values_of_packet(self._shown(), number)
        return Subject(
            query.title,
            query.phrase,
            lambda flows: query.criterion(flows, selected, self._macros),
        )

    def _of_kind(self, kind: str) -> Subject:
        from core.analysis.search.criteria import NumberCriterion
        from core.analysis.search.jumps import Jump, criterion_of

        if kind != MARK:
            jump = Jump[kind.upper()]
            return Subject(jump.value, jump.absent, lambda _: criterion_of(jump))
        table = self._workspace.table
        return Subject(MARK, "is marked", lambda _: NumberCriterion(table.marks))


def _describe(failure: Exception) -> str:
    """Return the reason why a search ended; an internal error has its type before it."""
    is_internal = not isinstance(failure, AnalysisEndedError)
    return f"{type(failure).__name__}: {failure}" if is_internal else str(failure)


def _note(state: SearchState) -> str:
    """Return what to add to a result about packets that took too long to search."""
    note = slow_note(state.slow_packets)
    return f"; {note}" if note else ""
