"""The rows of the packet table without a screen: which packet is in which row, and its text.

A row is a packet number of a `View`. `take` extends the view by a newer snapshot and drops the
rows of evicted packets. After `hold` the rows stay as they are while the store evicts packets: the
row of an evicted packet has a number and no text anymore.
"""

from __future__ import annotations

from enum import Enum, auto

from core.store.frame_detail import seconds_text
from core.store.snapshot import Snapshot
from core.store.view import Predicate, View
from core.wire.present.faults import Faults
from widgets.packets.row import PacketRow, RowReader
from widgets.packets.time_format import TimeFormat, clock_text, date_text

UNKNOWN = "–"  # the time since a packet that was evicted


class SnapshotChange(Enum):
    """How a snapshot differs from the one whose rows are shown."""

    NONE = auto()
    GROWN = auto()
    EVICTED = auto()  # and possibly grown
    REPLACED = auto()  # the store is another one: its numbers mean other packets


class PacketRows:
    """A growing list of packets, all of them or those that pass a predicate."""

    def __init__(self, faults: Faults) -> None:
        self.snapshot: Snapshot | None = None
        self._predicate: Predicate | None = None
        self._view = View()
        self.describe_with(faults)

    def describe_with(self, faults: Faults) -> None:
        """Count the packets that cannot be described in `faults`; read every row again."""
        self._faults = faults
        self._reader = RowReader(faults)

    # -- which packets ----------------------------------------------------------------

    def compare(self, snapshot: Snapshot) -> SnapshotChange:
        """Return how `snapshot` differs from the last one that was taken or held."""
        last = self.snapshot
        if last is None:
            return SnapshotChange.GROWN
        if (snapshot.version, snapshot.count) == (last.version, last.count):
            return SnapshotChange.NONE
        if snapshot.count < last.count:
            return SnapshotChange.REPLACED
        evicted = snapshot.first > self._view.first
        return SnapshotChange.EVICTED if evicted else SnapshotChange.GROWN

    def take(self, snapshot: Snapshot) -> None:
        """Extend the rows by the packets that are new in `snapshot`; drop evicted ones."""
        self.snapshot = snapshot
        self._view.extend(snapshot)

    def hold(self, snapshot: Snapshot) -> bool:
        """Keep the rows, whose packets `snapshot` may lack. Return True if it lacks more."""
        last, self.snapshot = self.snapshot, snapshot
        return last is not None and snapshot.first > last.first

    def keep_only(self, predicate: Predicate | None) -> None:
        """Restrict the rows to packets that pass, of this and of any other capture."""
        self._predicate = predicate
        self._view = View(predicate)
        if self.snapshot is not None:
            self._view.extend(self.snapshot)

    def clear(self) -> None:
        """Forget all packets; the predicate stays."""
        self.snapshot = None
        self._view = View(self._predicate)
        self._reader = RowReader(self._faults)

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, row: int) -> int:
        """Return the packet number in a row; -1 is the last row."""
        return self._view[row]

    def row_of(self, number: int | None) -> int | None:
        """Return the row of a packet, or None if it has none."""
        return None if number is None else self._view.row_of(number)

    def nearest_row(self, number: int) -> int | None:
        """Return the row of the first packet from `number` on, else the last; None if empty."""
        return self._view.nearest_row(number)

    def is_evicted(self, number: int) -> bool:
        """Return True for a packet that has a row and is not in memory anymore."""
        return self.snapshot is not None and number < self.snapshot.first

    @property
    def held_count(self) -> int:
        """Return the number of rows whose packets are in memory."""
        if self.snapshot is None or not len(self):
            return 0
        row = self._view.nearest_row(self.snapshot.first)
        return 0 if row is None or self.is_evicted(self[row]) else len(self) - row

    # -- their text -------------------------------------------------------------------

    def read(self, row: int) -> PacketRow:
        """Return the text of a row. `KeyError` if its packet was evicted."""
        assert self.snapshot is not None  # without a snapshot there are no rows
        return self._reader.row(self.snapshot, self[row])

    def duration_ns(self, row: int, time_format: TimeFormat) -> int | None:
        """Return the duration in the Time column; None for a time of day, or if it is unknown."""
        assert self.snapshot is not None
        timestamp_ns = self.read(row).timestamp_ns
        if time_format is TimeFormat.RELATIVE:
            first_ns = self.snapshot.first_timestamp_ns
            return None if first_ns is None else timestamp_ns - first_ns
        if time_format is TimeFormat.DELTA:
            if row > 0 and not self.is_evicted(self[row - 1]):
                return timestamp_ns - self.snapshot.timestamp_ns(self[row - 1])
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
        duration_ns = self.duration_ns(row, time_format)
        return UNKNOWN if duration_ns is None else seconds_text(duration_ns, decimals)

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
