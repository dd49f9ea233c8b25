"""One search at a time on the analysis thread, as the UI thread drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.bridge import Bridge
from core.store.filtered_view import PacketNumbers
from core.store.snapshot import Snapshot

if TYPE_CHECKING:
    from core.analysis.search.criteria import Criterion
    from core.analysis.search.search import Search, SearchState


class SearchRun:
    """Starts, follows, and cancels a search. UI thread only.

    `state` is that of the last search; None before the first one and after `cancel`. `failure` is
    the error that ended it, if one did.
    """

    def __init__(self, bridge: Bridge) -> None:
        self.state: SearchState | None = None
        self.failure: Exception | None = None
        self._thread, self._analysis = bridge.analysis_thread, bridge.analysis
        self._search: Search | None = None  # the one that runs

    @property
    def is_running(self) -> bool:
        """True from `start` until the end of the search."""
        return self._search is not None

    def start(
        self,
        snapshot: Snapshot,
        criterion: Criterion,
        numbers: PacketNumbers,
        start: int,
        step: int = 1,
    ) -> bool:
        """Search `numbers` from packet `start` on; see `Search`. Return True if it ended at once.

        Most searches do.
        """
        from core.analysis.search.search import Search

        self.cancel()
        self._search = search = Search(criterion, numbers, start, step)
        self._thread.offer(snapshot, search)
        self._thread.wait(self._analysis.patience_s, search)
        return self.update(snapshot)

    def update(self, snapshot: Snapshot) -> bool:
        """Take what the search found up to now. Return True if it ended with this call.

        `snapshot` is the newest of the table, so that evicted packets leave the memory.
        """
        search = self._search
        if search is None:
            return False
        self.failure = self._thread.failure_of(search)
        self.state = search.state
        if self.state.is_done or self.failure is not None:
            self._search = None
            self._thread.cancel(search)  # forget the failure
            return True
        self._thread.offer(snapshot, search)
        return False

    def cancel(self) -> None:
        """End the search without a result."""
        if self._search is not None:
            self._thread.cancel(self._search)
        self._search = self.state = self.failure = None
