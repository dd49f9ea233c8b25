"""The thread on which analyzers run, so that the UI thread never inspects many packets.

The thread runs one analyzer for about `SLICE_S`, then the one that has had the least processor time
of those that have something to do, and so on; thus a long analysis delays no other, and one with
longer slices gets no more time. It pauses while keys or captured frames have the right
of way (`core.store.right_of_way`), which end a slice early. It holds a snapshot only while it has
packets to analyze: a snapshot keeps evicted chunks in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.analysis.analyzer import Analyzer
from core.store.budget import Budget
from core.store.right_of_way import RightOfWay
from core.store.snapshot import Snapshot

SLICE_S = 0.02
JOIN_S = 2.0


class AnalysisThread:
    """Runs each analyzer over the newest snapshot that it was offered. Methods are for any thread.

    The thread starts with the first work, and calls `when_idle` each time it has finished all.
    `slices` counts the steps that ended, so a change means that an analyzer may have published
    something.
    """

    def __init__(
        self,
        name: str = "rawscope analysis",
        slice_s: float = SLICE_S,
        right_of_way: RightOfWay | None = None,
        when_idle: Callable[[], None] | None = None,
    ) -> None:
        self.slices = 0
        self.right_of_way = right_of_way or RightOfWay()
        self._name = name
        self._slice_s = slice_s
        self._when_idle = when_idle
        self._changed = threading.Condition()
        self._waiting: dict[Analyzer, Snapshot] = {}
        self._used_s: dict[Analyzer, float] = {}  # the processor time of those that wait
        self._least_s = 0.0  # the time of the one that ran last; others begin with it
        self._failures: dict[Analyzer, Exception] = {}
        self._running: Analyzer | None = None
        self._budget = Budget()  # of the step that runs
        self._is_step_void = False  # because its analyzer was canceled
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def offer(self, snapshot: Snapshot, *analyzers: Analyzer) -> None:
        """Let analyzers continue with this snapshot, which replaces an earlier one of each.

        Ignore those that failed. After `close`, do nothing: nobody would run them, so `wait` would
        never see them end.
        """
        with self._changed:
            if self._is_closed:
                return
            for analyzer in analyzers:
                if analyzer not in self._failures:
                    self._waiting[analyzer] = snapshot
                    self._used_s.setdefault(analyzer, self._least_s)
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def cancel(self, *analyzers: Analyzer) -> None:
        """End the steps of analyzers with the current chunk, and do not run them again.

        Forget their failures. They must not be offered anything after this.
        """
        with self._changed:
            for analyzer in analyzers:
                self._waiting.pop(analyzer, None)
                self._used_s.pop(analyzer, None)
                self._failures.pop(analyzer, None)
                if self._running is analyzer:
                    self._budget.cancel()
                    self._is_step_void = True
            self._changed.notify_all()

    def is_idle(self, *analyzers: Analyzer) -> bool:
        """Return True if these analyzers have finished their newest snapshot.

        Without arguments, return True if all have.
        """
        if not analyzers:
            return not self._waiting and self._running is None
        return not any(one in self._waiting or one is self._running for one in analyzers)

    def failure_of(self, analyzer: Analyzer) -> Exception | None:
        """Return the internal error that ended an analyzer, if one did."""
        return self._failures.get(analyzer)

    def wait(self, seconds: float, *analyzers: Analyzer) -> bool:
        """Wait until `is_idle(*analyzers)`. Return False if that takes longer."""
        with self.right_of_way.lent(), self._changed:
            return self._changed.wait_for(lambda: self.is_idle(*analyzers), seconds)

    def close(self) -> None:
        """End the thread after the current chunk."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._budget.cancel()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while self._step():
            if self._when_idle is not None and self.is_idle():
                self._when_idle()
            time.sleep(0)
            self.right_of_way.pause()

    def _step(self) -> bool:
        """Run the next analyzer for one slice. Return False after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if self._is_closed:
                return False
            analyzer = min(self._waiting, key=self._used_s.__getitem__)
            self._least_s = self._used_s[analyzer]
            snapshot = self._waiting.pop(analyzer)
            self._running = analyzer
            self._budget = Budget(self._slice_s, right_of_way=self.right_of_way)
            self._is_step_void = False
        failure: Exception | None = None
        has_more = False
        began_s = time.thread_time()
        try:
            analyzer.forget(snapshot.first)
            has_more = analyzer.extend(snapshot, self._budget)
        except Exception as error:  # internal: the others continue
            failure = error
        with self._changed:
            self._running = None
            self.slices += 1
            if self._is_step_void or self._is_closed:
                self._waiting.pop(analyzer, None)
            elif failure is not None:
                self._failures[analyzer] = failure
                self._waiting.pop(analyzer, None)
            elif has_more:
                self._waiting.setdefault(analyzer, snapshot)
            if analyzer in self._waiting:
                self._used_s[analyzer] = self._least_s + time.thread_time() - began_s
            else:
                self._used_s.pop(analyzer, None)
            self._changed.notify_all()
        return True
