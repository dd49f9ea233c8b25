"""Follows one stream at a time on the analysis thread, as the UI thread drives it."""

from __future__ import annotations

from app.bridge import Bridge
from core.analysis.follow.follower import FollowedStream, StreamChoice, StreamFollower
from core.analysis.follow.line_index import LineCounter, LineIndex
from core.analysis.follow.rows import LineForm, StreamLayout
from core.store.snapshot import EMPTY_SNAPSHOT, Snapshot


class StreamRun:
    """The stream that is shown, and the one that replaces it once it is found. UI thread only.

    The stream keeps its bytes, at most 128 MiB, until another one replaces it.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._thread, self._analysis = bridge.analysis_thread, bridge.analysis
        self._shown: StreamFollower | None = None
        self._next: StreamFollower | None = None
        self._counter: LineCounter | None = None
        self._offered: tuple[object, ...] = ()

    @property
    def stream(self) -> FollowedStream | None:
        """The stream that is shown, as far as it was read, or None."""
        shown = self._shown or self._next
        return None if shown is None else shown.stream

    @property
    def index(self) -> LineIndex | None:
        """The rows of the stream that were counted up to now, or None."""
        return None if self._counter is None else self._counter.index

    @property
    def failure(self) -> Exception | None:
        """The internal error that ended the work, if one did."""
        for one in (self._next, self._shown, self._counter):
            if one is not None and (error := self._thread.failure_of(one)) is not None:
                return error
        return None

    def follow(self, choice: StreamChoice) -> None:
        """Follow another stream, as soon as `update` finds it."""
        if self._next is not None:
            self._thread.cancel(self._next)
        self._next = StreamFollower(choice)
        self._offered = ()

    def lay_out(self, form: LineForm, width: int, side: int | None) -> None:
        """Count rows of another layout."""
        joins = self.stream is None or self.stream.protocol == "tcp"
        layout = StreamLayout(form, width, side, joins)
        if self._shown is None or (self._counter is not None and self._counter.layout == layout):
            return
        self._cancel_counter()
        self._counter = LineCounter(self._shown.contents, layout)
        self._count_rows()

    def update(self, snapshot: Snapshot) -> bool:
        """Read what is new in a snapshot. Return True if no stream was found for the choice."""
        offered = snapshot.version, snapshot.first
        if offered != self._offered:
            self._offered = offered
            followers = [one for one in (self._next, self._shown) if one is not None]
            self._thread.offer(snapshot, *followers)
            self._thread.wait(self._analysis.patience_s, *followers)
        is_absent = False
        if self._next is not None:
            found = self._next.stream
            if found.is_absent:
                self._thread.cancel(self._next)
                self._next, is_absent = None, True
            elif found.number is not None:
                self._cancel_shown()
                self._shown, self._next = self._next, None
        self._count_rows()
        return is_absent

    def _count_rows(self) -> None:
        """Count new rows. The counter reads the stream only, so it needs no packets."""
        counter, shown = self._counter, self._shown
        if counter is None or shown is None:
            return
        is_done = counter.index.pieces[-1] == len(shown.stream.contents)
        if not is_done and self._thread.is_idle(counter):
            self._thread.offer(EMPTY_SNAPSHOT, counter)
            self._thread.wait(self._analysis.patience_s, counter)

    def stop(self) -> None:
        """Forget the stream: another store has other packets."""
        if self._next is not None:
            self._thread.cancel(self._next)
        self._cancel_shown()
        self._next, self._offered = None, ()

    def _cancel_shown(self) -> None:
        self._cancel_counter()
        if self._shown is not None:
            self._thread.cancel(self._shown)
        self._shown = None

    def _cancel_counter(self) -> None:
        if self._counter is not None:
            self._thread.cancel(self._counter)
        self._counter = None
