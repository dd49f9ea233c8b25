"""The search in the stream panel: text or bytes, in the sides that are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.bridge import Bridge
from core.analysis.follow.contents import StreamContents
from core.analysis.follow.pieces import SIDES
from core.store.snapshot import EMPTY_SNAPSHOT
from widgets.follow.panel import StreamPanel

if TYPE_CHECKING:
    from core.analysis.follow.search import StreamSearch
    from core.analysis.search.query import SearchQuery


class StreamPanelSearch:
    """Searches what the panel shows, from the row under its cursor on. UI thread only."""

    def __init__(self, panel: StreamPanel, bridge: Bridge) -> None:
        self._panel = panel
        self._thread, self._analysis = bridge.analysis_thread, bridge.analysis
        self._query: SearchQuery | None = None
        self._search: StreamSearch | None = None  # the one that runs
        self._found: tuple[int, int] | None = None
        self._step = 1
        self._is_shown = False

    def open(self) -> None:
        """Ask what to search for."""
        from app.screens.dialogs.search import SearchDialog
        from core.analysis.search.query import SearchKind

        def search(answer: tuple[SearchQuery, int] | None) -> None:
            if answer is not None:
                self._query, step = answer
                self._found = None
                self._start(step)

        kinds = (SearchKind.TEXT, SearchKind.HEX)
        side = self._panel.view.index.layout.side
        place = f"in the bytes of {'both sides' if side is None else f'the {SIDES[side]}'}"
        title = f"Search in {self._panel.title or 'the stream'}"
        dialog = SearchDialog(self._query, kinds, place=place, title=title)
        self._panel.app.push_screen(dialog, search)

    def next(self) -> None:
        """Find the next match; without a search, ask what to search for."""
        self._again(1)

    def previous(self) -> None:
        """Find the previous match; without a search, ask what to search for."""
        self._again(-1)

    def close(self) -> bool:
        """Cancel the search, or hide its result. Return False if nothing is shown."""
        was_shown = self._is_shown
        if self._search is not None:
            self._thread.cancel(self._search)
        self._search = self._found = None
        self._report("")
        self._panel.view.show_match(None)
        return was_shown

    def update(self) -> None:
        """Show how far the search is, or its result."""
        search = self._search
        if search is None:
            return
        if (error := self._thread.failure_of(search)) is not None:
            self._end(search)
            self._report(f"the search failed: {type(error).__name__}: {error}", missed=True)
        elif not search.state.is_done:
            self._report(f"searching for {self._title}: {int(100 * search.state.progress)}%")
        else:
            self._end(search)
            self._show_result(search)

    def _again(self, step: int) -> None:
        if self._query is None:
            self.open()
        else:
            self._start(step)

    def _start(self, step: int) -> None:
        from core.analysis.follow.search import Needle, StreamSearch

        view = self._panel.view
        contents, layout = view.index.contents, view.index.layout
        assert self._query is not None
        if self._search is not None:
            self._thread.cancel(self._search)
        start = view.place if self._found is None else self._found[0] + (step > 0)
        needle = Needle.of(self._query)
        self._step = step
        self._search = StreamSearch(contents, needle, layout.side, start, step, joins=layout.joins)
        self._thread.offer(EMPTY_SNAPSHOT, self._search)
        self._thread.wait(self._analysis.patience_s, self._search)
        self.update()

    def _end(self, search: StreamSearch) -> None:
        self._search = None
        self._thread.cancel(search)  # forget the failure

    def _show_result(self, search: StreamSearch) -> None:
        self._found = search.state.found
        view = self._panel.view
        if self._found is None:
            view.show_match(None)
            self._report(f"{self._title} is not in the stream", missed=True)
            return
        view.show_match(self._found)
        words = f"{self._title}: {_place(view.index.contents, self._found[0])}"
        if search.state.is_wrapped:
            words += f", wrapped to the {'start' if self._step > 0 else 'end'}"
        self._report(f"{words} · n next · N previous · esc close")

    @property
    def _title(self) -> str:
        return "" if self._query is None else self._query.title

    def _report(self, words: str, *, missed: bool = False) -> None:
        self._is_shown = bool(words)
        self._panel.report(words, missed=missed)


def _place(contents: StreamContents, offset: int) -> str:
    """Return the packet of a byte and its offset in its side."""
    piece = contents.piece_at(offset)
    at = int(contents.position[piece] + offset - contents.start[piece])
    side = "server" if contents.side[piece] else "client"
    return f"packet {int(contents.packet[piece]):,}, byte {at:,} of the {side}"
