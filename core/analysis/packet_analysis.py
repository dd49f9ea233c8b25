"""The results of analyses for a table: the packets to show, and the flows they belong to.

`PacketAnalysis` is the UI thread's side of the analysis thread. It hands over each snapshot and
returns what is known of it, at once or after at most `PATIENCE_S`: the packets of one poll take
about a millisecond, so the newest rows normally appear with their final text. When the thread is
behind, as after a large file was opened, nothing waits; the next poll brings more.

A new filter replaces the rows in the table when it has reached the newest packet of that moment.
If that takes longer than `KEPT_UPDATES`, it replaces them with what it has found until then, which
grows. `progress` grows, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.analysis_thread import AnalysisThread
from core.analysis.analyzer import (
    AnalysisEndedError,
    Analyzer,
    SlowPackets,
    awaits_programs,
    slow_note,
    slow_packets_of,
)
from core.analysis.names.name_index import NameIndex, names_of
from core.analysis.names.name_table import NO_NAMES, NameTable
from core.analysis.programs.file_programs import FilePrograms, file_programs_of
from core.analysis.programs.program_table import NO_PROGRAMS, ProgramTable, programs_of
from core.analysis.reassembly.fragment_index import (
    NO_FRAGMENTS,
    FragmentIndex,
    FragmentTable,
    fragment_index_of,
)
from core.analysis.tcp.flow_index import FlowIndex, index_of
from core.analysis.tcp.flow_table import NO_FLOWS, FlowTable
from core.store.filtered_view import FilteredPackets, Predicate, View
from core.store.snapshot import Snapshot
from core.wire.model.text import safe

PATIENCE_S = 0.005
KEPT_UPDATES = 2
"""Updates after which the table shows a new filter that has not reached the newest packet."""


@dataclass(frozen=True, slots=True, eq=False)
class AnalyzedPackets:
    """The results for the packets of a snapshot; immutable.

    `filtered` are those to show, None for all. `fragments` grows in place. `progress` is the part
    of the packets that a new filter has seen, 0 to 1; None if it has seen all that there were when
    it was set.
    """

    filtered: FilteredPackets | None = None
    flows: FlowTable = NO_FLOWS
    fragments: FragmentTable = NO_FRAGMENTS
    progress: float | None = None
    programs: ProgramTable = NO_PROGRAMS
    names: NameTable = NO_NAMES


NOT_ANALYZED = AnalyzedPackets()


class PacketAnalysis:
    """Filters packets and analyzes their flows, on the analysis thread. UI thread only."""

    def __init__(self, thread: AnalysisThread, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self.latest = NOT_ANALYZED  # returned by the last `update`
        self._thread = thread
        self._store_generation = 0
        self._offered: tuple[int, int, int | None] | None = None  # version, first packet, settled
        self._flows = FlowIndex()  # of no packets
        self._fragments = FragmentIndex()
        self._names = NameIndex()
        self._file_programs: FilePrograms | None = None
        self._view: View | None = None  # of the filter
        self._shown: View | None = None  # whose packets are shown: an earlier one for a while
        self._target = 0  # the newest packet when the filter was set
        self._updates = 0  # since then
        self._filter_failure: Exception | None = None

    @property
    def version(self) -> int:
        """A number that changes before `update` returns something new for the same snapshot."""
        return self._thread.slices

    def behind(self, snapshot: Snapshot) -> int:
        """Return how many packets of `snapshot` the analysis of flows has not reached yet."""
        return max(0, snapshot.count - max(self._flows.published.through, snapshot.first - 1))

    @property
    def is_filtering(self) -> bool:
        """True while a filter is set: not after `keep_only(None)`, nor after it failed."""
        return self._view is not None

    @property
    def view(self) -> View | None:
        """The view that selects the packets that pass the filter; None while no filter is set."""
        return self._view

    @property
    def trouble(self) -> str:
        """One line about an internal error that ended an analysis; empty without an error."""
        if (error := self._thread.failure_of(self._flows)) is not None:
            return f"TCP analysis failed ({_describe(error)}): TCP numbers are as captured"
        if (error := self._thread.failure_of(self._fragments)) is not None:
            return f"reassembly failed ({_describe(error)}): fragments stay as captured"
        programs = self._file_programs
        if programs is not None and (error := self._thread.failure_of(programs)) is not None:
            return f"reading programs failed ({_describe(error)}): no packet has any"
        if (error := self._thread.failure_of(self._names)) is not None:
            return f"reading names failed ({_describe(error)}): addresses stay as captured"
        if (error := self._filter_failure) is not None:
            return f"the filter failed ({_describe(error)}): all packets are shown"
        if self._view is not None:
            note = slow_note(slow_packets_of(self._view.packets.predicate))
            return f"the filter: {note}" if note else ""
        return ""

    def keep_only(self, predicate: Predicate | None) -> None:
        """Filter the packets, or cancel the filter with None. `update` returns the result."""
        self._filter_failure = None
        self._cancel_pending()
        if predicate is None:
            self._show(None)
        else:
            self._view = View(predicate)
            self._updates = 0
            self._offered = None

    def update(
        self, snapshot: Snapshot, store_generation: int = 0, *, from_file: bool = False
    ) -> AnalyzedPackets:
        """Analyze what is new in `snapshot`, and return what is known of its packets.

        With another `store_generation`, packet numbers start again; the filter stays. Comments on
        packets `from_file` name their programs.
        """
        if store_generation != self._store_generation:
            self._store_generation = store_generation
            self._restart()
        self._analyze(index_of(snapshot), fragment_index_of(snapshot), names_of(snapshot))
        self._file_programs = file_programs_of(snapshot) if from_file else None
        self._offer(snapshot)
        if self._view is not None:
            failure = self._thread.failure_of(self._view)
            if failure is not None:
                self.keep_only(None)
                self._filter_failure = failure
            else:
                self._updates += 1
                if self._progress(snapshot) is None or self._updates > KEPT_UPDATES:
                    self._show(self._view)
        filtered = None
        if self._shown is not None:
            filtered = self._shown.packets.without_evicted(snapshot.first)
        progress = self._progress(snapshot)
        self.latest = AnalyzedPackets(
            filtered,
            self._flows.published,
            self._fragments.published,
            progress,
            programs_of(snapshot).published,
            self._names.published,
        )
        return self.latest

    @property
    def _analyzers(self) -> tuple[Analyzer, ...]:
        views = dict.fromkeys(view for view in (self._view, self._shown) if view is not None)
        programs = () if self._file_programs is None else (self._file_programs,)
        return (self._fragments, self._flows, *programs, *views, self._names)

    def _restart(self) -> None:
        """Analyze another store; the packets that pass the filter are shown as they are found."""
        for analyzer in self._analyzers:
            self._thread.cancel(analyzer)
        if self._view is not None:
            predicate = self._view.packets.predicate
            if isinstance(predicate, SlowPackets):
                predicate.forget_slow_packets()
            self._view = View(predicate)
        self._shown = self._view
        self._offered = None

    def _analyze(self, flows: FlowIndex, fragments: FragmentIndex, names: NameIndex) -> None:
        """Analyze the store of these from now on."""
        if flows is not self._flows:
            self._thread.cancel(self._flows, self._fragments, self._names)
            self._flows, self._fragments, self._names = flows, fragments, names
            flows.pause = self._thread.right_of_way.pause

    def _offer(self, snapshot: Snapshot) -> None:
        settled = snapshot
        known = None
        if _waits(self._view) or _waits(self._shown):
            # A packet passes a filter once, so a filter of programs waits until these are known.
            of_file = self._file_programs
            known = programs_of(snapshot).published.settled if of_file is None else of_file.through
            settled = snapshot if known is None else snapshot.until(known)
        offered = snapshot.version, snapshot.first, known
        if offered == self._offered:
            self._offer_file_programs(snapshot)
            return
        if self._offered is None:
            is_partial = _waits(self._view) and self._file_programs is None
            self._target = (settled if is_partial else snapshot).count
        self._offered = offered
        analyzers = self._analyzers
        was_idle = self._thread.is_idle(*analyzers)
        for each in analyzers:
            self._thread.offer(settled if _waits(each) else snapshot, each)
        if was_idle:
            self._thread.wait(self.patience_s, *analyzers)

    def _offer_file_programs(self, snapshot: Snapshot) -> None:
        """Let the programs of a file continue that waited for the analysis of flows."""
        programs = self._file_programs
        reached = min(self._flows.published.through, snapshot.count)
        if programs is not None and programs.through < reached and self._thread.is_idle(programs):
            self._thread.offer(snapshot, programs)

    def _cancel_pending(self) -> None:
        if self._view is not None and self._view is not self._shown:
            self._thread.cancel(self._view)

    def _show(self, view: View | None) -> None:
        """Show the packets of this view from now on, and end an earlier one."""
        if self._shown is not None and self._shown is not view:
            self._thread.cancel(self._shown)
        self._view = self._shown = view

    def _progress(self, snapshot: Snapshot) -> float | None:
        """Return the part of the packets that a view has seen; None if it reached the target."""
        if self._view is None:
            return None
        if self._view.packets.through >= min(self._target, snapshot.count):
            return None
        done = self._view.packets.through + 1 - snapshot.first
        held = snapshot.count + 1 - snapshot.first
        return min(1.0, max(0.0, done / held)) if held else 1.0


def _waits(analyzer: object) -> bool:
    """Return True for the view of a filter that names programs."""
    return isinstance(analyzer, View) and awaits_programs(analyzer.packets.predicate)


def _describe(error: Exception) -> str:
    if isinstance(error, AnalysisEndedError):
        return safe(str(error))
    return f"{type(error).__name__}: {safe(str(error))}"
