"""The rows of the packet table without a screen: which packet is in which row, and its text.

A row is a packet number. `take` replaces the numbers by those of a newer snapshot, without evicted
packets. After `hold` the rows stay as they are while the store evicts packets: the row of an
evicted packet has a number and no text anymore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from core.analysis.names.name_table import NO_NAMES, NameTable
from core.analysis.packet_analysis import NOT_ANALYZED, AnalyzedPackets
from core.analysis.programs.program_table import ProgramTable
from core.analysis.reassembly.fragment_index import NO_FRAGMENTS, FragmentTable
from core.analysis.tcp.flow_table import NO_FLOWS, FlowTable
from core.store.filtered_view import AllPackets, PacketNumbers
from core.store.frame_detail import seconds_text
from core.store.snapshot import Snapshot
from core.wire.present.faults import Faults
from widgets.packets.row import PacketRow, RowReader
from widgets.packets.time_format import TimeFormat, clock_text, date_text

UNKNOWN = "–"  # the time since a packet that was evicted
REFERENCE = "*REF*"  # in place of the time of the packet that is time zero


@dataclass(frozen=True, slots=True)
class TimeReference:
    """The packet that the user made time zero; its time outlives its eviction."""

    number: int
    timestamp_ns: int


class SnapshotChange(Enum):
    """The difference between a snapshot and the one whose rows are shown."""

    NONE = auto()
    GROWN = auto()
    EVICTED = auto()  # and possibly grown
    FILTERED = auto()  # another filter selects the packets
    REPLACED = auto()  # the store is another one: its numbers mean other packets


class PacketRows:
    """A growing list of packets, all of them or those that pass a filter."""

    def __init__(self, faults: Faults) -> None:
        self.snapshot: Snapshot | None = None
        self._numbers: PacketNumbers = AllPackets()
        self.flows = NO_FLOWS
        self._fragments = NO_FRAGMENTS
        self._completed = 0  # datagrams, when fragments were last shown
        self._programs = 0  # the version of the programs that were last shown
        self.names = NO_NAMES
        self.has_names = False  # addresses are shown by their names
        self._fields: tuple[str, ...] = ()
        self.reference: TimeReference | None = None
        self.describe_with(faults)

    def describe_with(self, faults: Faults) -> None:
        """Count the packets that cannot be described in `faults`; read every row again."""
        self._faults = faults
        self._reader = RowReader(faults, self._fields)

    def show_fields(self, names: Sequence[str]) -> None:
        """Include these fields in rows; reread cached rows if a field is new."""
        if not set(names) <= set(self._fields):
            self._reader = RowReader(self._faults, names)
        self._fields = tuple(names)

    @property
    def has_begun(self) -> bool:
        """True once a packet of this capture has arrived, even if it passes no filter."""
        return self.snapshot is not None and self.snapshot.count > 0

    # -- which packets ----------------------------------------------------------------

    def compare(
        self, snapshot: Snapshot, analyzed: AnalyzedPackets = NOT_ANALYZED
    ) -> SnapshotChange:
        """Return how a snapshot, and its packets to show, differ from what was taken or held."""
        last, before, numbers = self.snapshot, self._numbers, _numbers_of(snapshot, analyzed)
        if last is None:
            return SnapshotChange.GROWN
        if snapshot.count < last.count:
            return SnapshotChange.REPLACED
        if numbers.predicate is not before.predicate:
            return SnapshotChange.FILTERED
        is_same = (numbers.first, numbers.through) == (before.first, before.through)
        if is_same and snapshot.version == last.version:
            return SnapshotChange.NONE
        return SnapshotChange.EVICTED if snapshot.first > before.first else SnapshotChange.GROWN

    def take(self, snapshot: Snapshot, analyzed: AnalyzedPackets = NOT_ANALYZED) -> None:
        """Show the packets of a snapshot that passed the filter, or all."""
        self.snapshot = snapshot
        self._numbers = _numbers_of(snapshot, analyzed)

    def take_analyses(self, analyzed: AnalyzedPackets, lines: range) -> bool:
        """Use newer analyses. Return True if the text of one of `lines` may change."""
        has_flows = self.take_flows(analyzed.flows, lines)
        others = self.take_names(analyzed.names), self.take_programs(analyzed.programs)
        return self.take_fragments(analyzed.fragments, lines) or has_flows or any(others)

    @property
    def shown_names(self) -> NameTable:
        """The names that are shown in place of addresses: none unless the user chose so."""
        return self.names if self.has_names else NO_NAMES

    def take_names(self, names: NameTable) -> bool:
        """Use what is known of names. Return True if the text of a row may change."""
        before, self.names = self.names, names
        return self.has_names and names.version != before.version

    def take_flows(self, flows: FlowTable, lines: range) -> bool:
        """Use a newer analysis of flows. Return True if the text of one of `lines` may change."""
        before, self.flows = self.flows, flows
        last = min(lines.stop, len(self)) - 1
        is_behind = last >= 0 and self[last] > before.through
        return is_behind and flows.through > before.through

    def take_fragments(self, fragments: FragmentTable, lines: range) -> bool:
        """Use what is known of fragments. Return True if the text of one of `lines` may change."""
        self._fragments = fragments
        if fragments.completed == self._completed:
            return False
        self._completed = fragments.completed
        shown = (self[line] for line in range(lines.start, min(lines.stop, len(self))))
        return any(fragments.piece(number) is not None for number in shown)

    @property
    def programs_version(self) -> int | None:
        """The version of the programs in the rows; None while no column shows programs."""
        return self._programs if any(map(is_of_program, self._fields)) else None

    def take_programs(self, programs: ProgramTable) -> bool:
        """Use what is known of programs. Return True if more is known of some packets."""
        before, self._programs = self._programs, programs.version
        if self._programs == before:
            return False
        if self.programs_version is not None:
            self._reader.forget()
        return True

    def completed_in(self, number: int) -> int:
        """Return the packet that completes the datagram of a fragment; 0 for all others."""
        piece = self._fragments.piece(number)
        return 0 if piece is None else piece.completed_in

    def is_analyzed(self, number: int) -> bool:
        """Return True if the flow of a packet is analyzed."""
        return number <= self.flows.through

    def hold(self, snapshot: Snapshot, analyzed: AnalyzedPackets = NOT_ANALYZED) -> bool:
        """Keep the rows, whose packets `snapshot` may lack. Return True if it lacks more.

        Add rows if the filter had not seen all packets of the snapshot before.
        """
        last, self.snapshot = self.snapshot, snapshot
        numbers = _numbers_of(snapshot, analyzed)
        if numbers.through > self._numbers.through:
            self._numbers = numbers
        return last is not None and snapshot.first > last.first

    def clear(self) -> None:
        """Forget all packets, and the time reference."""
        self.snapshot = None
        self.reference = None
        self._numbers = AllPackets()
        self.flows = NO_FLOWS
        self._fragments = NO_FRAGMENTS
        self._completed = 0
        self._reader = RowReader(self._faults, self._fields)

    @property
    def numbers(self) -> PacketNumbers:
        """The numbers of the packets; immutable."""
        return self._numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, row: int) -> int:
        """Return the packet number in a row; -1 is the last row."""
        return self._numbers[row]

    def row_of(self, number: int | None) -> int | None:
        """Return the row of a packet, or None if it has none."""
        return None if number is None else self._numbers.row_of(number)

    def nearest_row(self, number: int) -> int | None:
        """Return the row of the first packet from `number` on, else the last; None if empty."""
        return self._numbers.nearest_row(number)

    def is_evicted(self, number: int) -> bool:
        """Return True for a packet that has a row and is not in memory anymore."""
        return self.snapshot is not None and number < self.snapshot.first

    def is_commented(self, number: int) -> bool:
        """Return True for a packet in memory that has a comment."""
        return self.snapshot is not None and number in self.snapshot.comments

    @property
    def held_count(self) -> int:
        """Return the number of rows whose packets are in memory."""
        if self.snapshot is None or not len(self):
            return 0
        row = self._numbers.nearest_row(self.snapshot.first)
        return 0 if row is None or self.is_evicted(self[row]) else len(self) - row

    # -- their text -------------------------------------------------------------------

    def read(self, row: int) -> PacketRow:
        """Return the text of a row. `KeyError` if its packet was evicted."""
        assert self.snapshot is not None  # without a snapshot there are no rows
        found = self._reader.row(self.snapshot, self[row], self.flows, self._fragments)
        if self.has_names:
            source, destination = map(self.names.shown, (found.source, found.destination))
            found = replace(found, source=source, destination=destination)
        return found

    def duration_ns(self, row: int, time_format: TimeFormat) -> int | None:
        """Return the duration in the Time column; None for a time of day, or if it is unknown."""
        assert self.snapshot is not None
        timestamp_ns = self.read(row).timestamp_ns
        if time_format is TimeFormat.RELATIVE:
            return None if self.zero_ns is None else timestamp_ns - self.zero_ns
        if time_format is TimeFormat.DELTA:
            if row > 0 and not self.is_evicted(self[row - 1]):
                before_ns = self.snapshot.time_ns(self[row - 1])
                return None if before_ns is None else timestamp_ns - before_ns
            return 0 if self[row] == 1 else None
        return None

    def time_text(
        self, row: int, time_format: TimeFormat, decimals: int, *, with_date: bool
    ) -> str:
        """Return the text of the Time column."""
        packet = self.read(row)
        if not packet.timed:
            return UNKNOWN
        if time_format is TimeFormat.ABSOLUTE:
            return clock_text(packet.timestamp_ns, decimals, with_date=with_date)
        if time_format is TimeFormat.RELATIVE and self.is_reference(packet.number):
            return REFERENCE
        duration_ns = self.duration_ns(row, time_format)
        return UNKNOWN if duration_ns is None else seconds_text(duration_ns, decimals)

    @property
    def zero_ns(self) -> int | None:
        """The time from which relative times count; None without packets.

        It is that of the time reference, else of the first packet ever captured.
        """
        if self.reference is not None:
            return self.reference.timestamp_ns
        return None if self.snapshot is None else self.snapshot.first_timestamp_ns

    def is_reference(self, number: int) -> bool:
        """Return True if the user made this packet time zero."""
        return self.reference is not None and self.reference.number == number

    def toggle_reference(self, number: int) -> bool:
        """Make a packet time zero; if it is already, make the first packet time zero again.

        Return False if the packet was evicted, or if the capture lacks its time.
        """
        if self.is_reference(number):
            self.reference = None
            return True
        row = self.row_of(number)
        if row is None or self.is_evicted(number) or not self.read(row).timed:
            return False
        self.reference = TimeReference(number, self.read(row).timestamp_ns)
        return True

    @property
    def first_date(self) -> str:
        """Return the local date of the first packet; empty without packets."""
        if self.snapshot is None or self.snapshot.first_timestamp_ns is None:
            return ""
        return date_text(self.snapshot.first_timestamp_ns)

    def spans_days(self) -> bool:
        """Return True if the first and the newest packet have different local dates."""
        snapshot = self.snapshot
        if snapshot is None or not self.first_date or snapshot.count < snapshot.first:
            return False
        return self.first_date != date_text(snapshot.timestamp_ns(snapshot.count))


def is_of_program(name: str) -> bool:
    """Return True for a field of the programs that own flows."""
    return name.startswith("process.")


def _numbers_of(snapshot: Snapshot, analyzed: AnalyzedPackets) -> PacketNumbers:
    """Return the packets to show: those that passed the filter, or all in the snapshot."""
    if analyzed.filtered is not None:
        return analyzed.filtered
    return AllPackets(snapshot.first, snapshot.count)
