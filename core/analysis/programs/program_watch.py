"""The thread that finds the programs of captured packets while they arrive.

Every `TICK_S` it scans the packets that came since, asks about new flows, and publishes what is
known in the `ProgramIndex` of the store. After a new flow it scans more often for a while: short
connections rarely come alone, and the sooner it asks, the more of them still exist. While nothing
is captured it sleeps. It never delays a packet: under a flood it scans the newest ones, and finds a
flow that it missed at a later packet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event

from core.analysis.programs.echo_scan import EchoScan
from core.analysis.programs.flow_scan import FlowScan
from core.analysis.programs.program_finder import ProgramFinder
from core.analysis.programs.program_recorder import ProgramRecorder
from core.analysis.programs.program_table import programs_of
from core.analysis.tcp.flow_index import index_of
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

TICK_S = 0.05
SEARCHING_TICK_S = 0.01  # while an answer is near
EAGER_TICK_S = 0.015
EAGER_S = 1.0  # after a step with new flows, but not more than
MOST_EAGER = 64  # since a flood of new flows costs enough without it
BUDGET_S = 0.008
LAST_STEPS = 25
JOIN_S = 2.0


def _no_pause() -> None:
    """Do nothing, for a watch that nobody asks to pause."""


class ProgramSearch:
    """Finds the programs of one store's packets, a step at a time. One thread uses it."""

    def __init__(self, finder: ProgramFinder, snapshot: Snapshot) -> None:
        self.index = programs_of(snapshot)
        self._finder = finder
        self._scan, self._echo_scan = FlowScan(), EchoScan()
        self._recorder = ProgramRecorder()
        self._version = -1
        self._eager_until_s = float("-inf")

    def step(self, snapshot: Snapshot, now_s: float) -> None:
        """Scan new packets, and publish what is known of their flows."""
        if snapshot.version == self._version and not self._is_busy(snapshot):
            return
        self._version = snapshot.version
        asked = self._scan.new_flows(snapshot, now_s)
        if 0 < sum(not each.since for each in asked) <= MOST_EAGER:
            self._eager_until_s = now_s + EAGER_S
        self._finder.ask([*asked, *self._echo_scan.new_flows(snapshot, now_s)])
        answers = self._finder.step(BUDGET_S)
        settled = min(self._scan.all_through, (self._finder.first_unanswered or 1 << 62) - 1)
        flows, echoes = index_of(snapshot).published, self._echo_scan.packets
        self._recorder.add(answers, flows, settled, echoes)
        self.index.published = self._recorder.table  # also after `give_up`

    def finish(self, snapshot: Snapshot, clock: Callable[[], float], ended: Event) -> None:
        """Answer for the last packets of a capture that has stopped."""
        for _ in range(LAST_STEPS):
            self.step(snapshot, clock())
            if not self._is_busy(snapshot) or ended.wait(TICK_S):
                break
        self.give_up()

    def give_up(self) -> None:
        """Publish that nobody searches programs anymore."""
        self.index.published = replace(self.index.published, settled=None)

    def tick_s(self, now_s: float) -> float:
        """Return the seconds until the next step."""
        if self._finder.is_searching:
            return SEARCHING_TICK_S
        return EAGER_TICK_S if now_s < self._eager_until_s else TICK_S

    def _is_busy(self, snapshot: Snapshot) -> bool:
        is_behind = self._scan.all_through < snapshot.count
        return is_behind or self._finder.is_waiting or self._recorder.first_unplaced is not None


class ProgramWatch:
    """Finds the programs of captured packets. Methods are for any thread.

    `captured` returns the packets, and True while a capture runs.
    """

    def __init__(
        self,
        captured: Callable[[], tuple[Snapshot, bool]],
        make_finder: Callable[[], ProgramFinder] = ProgramFinder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble = ""
        self.pause: Callable[[], None] = _no_pause  # called before each step
        self._captured, self._make_finder, self._clock = captured, make_finder, clock
        self._woken, self._ended = Event(), Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Say that a capture runs."""
        if self._thread is None and not self._ended.is_set():
            self._thread = threading.Thread(target=self._run, name="rawscope programs", daemon=True)
            self._thread.start()
        if not self._woken.is_set():
            self._woken.set()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # internal: the capture continues
            self.trouble = f"programs are not known: {type(error).__name__}: {safe(str(error))}"

    def _watch(self) -> None:
        finder = self._make_finder()
        finder.prepare()
        search: ProgramSearch | None = None
        while True:
            self._woken.clear()  # before asking, so that no call of `wake` is lost
            if self._ended.is_set():
                return
            snapshot, is_running = self._captured()
            if not is_running:
                if search is not None and search.index is programs_of(snapshot):
                    search.finish(snapshot, self._clock, self._ended)
                else:
                    search = None
                del snapshot
                self._woken.wait()
                continue
            if search is None or search.index is not programs_of(snapshot):
                search = ProgramSearch(finder, snapshot)
            self.pause()
            search.step(snapshot, self._clock())
            self.trouble = finder.trouble
            if finder.trouble:
                search.give_up()
                return
            del snapshot  # it keeps evicted packets in memory
            self._ended.wait(search.tick_s(self._clock()))
