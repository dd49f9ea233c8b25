"""The fragments of a store: an `Analyzer`, and what it has found for any reader.

A store has one `FragmentIndex`, `fragment_index_of` its snapshots. The analysis thread extends it
all the time; a reader that needs packets which it has not reached extends it as far as that. Only
chunks with fragments cost more than a mask of one column.

A fragment takes at most `ENTRY_COST` bytes of memory as long as its packet is held, and the newest
`MOST_ENTRIES` are known. Completed datagrams keep their bytes as long as their packets are known,
at most `MOST_KEPT_BYTES` of all together, `KEPT_COST` for each beside them: after that, the oldest
ones give up their bytes, and the packets that complete them are shown as fragments.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import NamedTuple, Protocol

from core.analysis.reassembly.datagrams import Arrival, Datagram, Reassembler
from core.analysis.reassembly.fragments import fragment_rows, fragments_of
from core.analysis.store_index import StoreIndex
from core.decode.chunk import Chunk
from core.store.snapshot import Snapshot
from core.wire.model.reassembly import Piece

PART = 1 << 10  # fragments put together in a step, which take about 15 ms
MOST_KEPT_BYTES = 256 << 20
MOST_ENTRIES = 1 << 19
ENTRY_COST = 720
KEPT_COST = 48


class _Entry(NamedTuple):
    """A fragment of a datagram: the bytes ``at:stop`` of its frame."""

    datagram: Datagram
    owner: str
    at: int
    stop: int
    is_taken: bool


class FragmentTable:
    """The pieces of a store's fragments, by packet. Any thread reads it; one thread adds to it.

    `through` is the last packet that was analyzed, and `completed` the number of datagrams that
    were completed.
    """

    def __init__(self) -> None:
        self.through = 0
        self.completed = 0
        self._entries: dict[int, _Entry] = {}  # by packet
        self._numbers: deque[int] = deque()  # of these packets, ascending

    def __len__(self) -> int:
        return len(self._entries)

    def reaching(self, through: int) -> FragmentTable:
        """Return the table, whether or not it reaches packet `through`."""
        return self

    def piece(self, number: int) -> Piece | None:
        """Return what is known of a packet's fragment, or None."""
        entry = self._entries.get(number)
        if entry is None:
            return None
        datagram = entry.datagram
        if not entry.is_taken:
            return Piece(entry.owner, entry.at, entry.stop, is_refused=True)
        completed_in = datagram.completed_in
        if completed_in != number:
            return Piece(entry.owner, entry.at, entry.stop, completed_in)
        return Piece(
            entry.owner, entry.at, entry.stop, completed_in,
            datagram.parts, datagram.payload, datagram.length,
        )  # fmt: skip

    @property
    def first(self) -> int:
        """The first packet with a known fragment, or 0."""
        return self._numbers[0] if self._numbers else 0

    def add(self, number: int, entry: _Entry) -> None:
        """Add the fragment of a packet. Forget the oldest one if there are too many."""
        self._entries[number] = entry
        self._numbers.append(number)
        if len(self._numbers) > MOST_ENTRIES:
            del self._entries[self._numbers.popleft()]

    def forget(self, first: int) -> None:
        """Drop the packets below `first`."""
        while self._numbers and self._numbers[0] < first:
            del self._entries[self._numbers.popleft()]


NO_FRAGMENTS = FragmentTable()
"""The table of no packets."""


class FragmentSource(Protocol):
    """Gives what is known of fragments up to a packet."""

    def reaching(self, through: int) -> FragmentTable:
        """Return a table that reaches packet `through`, or all packets that there will be."""
        ...


class FragmentIndex(StoreIndex[FragmentTable]):
    """Reassembles the fragments of one store. Any thread may read `published`."""

    def __init__(self) -> None:
        super().__init__(FragmentTable())
        self._reassembler = Reassembler()
        self._kept: deque[Datagram] = deque()  # with their bytes, the oldest first
        self._kept_bytes = 0

    @property
    def kept_bytes(self) -> int:
        """The memory of the bytes of completed datagrams."""
        return self._kept_bytes

    def forget(self, first: int) -> None:
        """Drop what is known of evicted packets. Incomplete datagrams stay."""
        with self.lock:
            self.published.forget(first)
            self._give_up_before(first)

    def append(self, chunk: Chunk) -> FragmentTable:
        """Return a table with the packets of the next chunk, and forget earlier ones.

        For packets that no store keeps: the chunks must have ascending numbers.
        """
        self.forget(chunk.first)
        with self.lock:
            self._add(chunk)
            return self.published

    def _extend_once(self, snapshot: Snapshot) -> bool:
        with self.lock:
            through = self.published.through
            for chunk in snapshot.chunks_after(through):
                start = max(0, through + 1 - chunk.first)
                part = chunk.rows(start, len(chunk))
                rows = fragment_rows(part)
                if len(rows) > PART:
                    part = part.rows(0, int(rows[PART]))
                if len(part):
                    self._add(part)
                    return True
            self.published.through = max(through, snapshot.count)
            return False

    def _add(self, part: Chunk) -> None:
        table = self.published
        for fragment in fragments_of(part):
            number, row = part.first + fragment.row, fragment.row
            frame = int(part.offset[row])
            data = part.data[frame + fragment.at : frame + fragment.stop].tobytes()
            arrival = Arrival(number, fragment.start, data, fragment.has_more)
            datagram, is_taken = self._reassembler.add(
                fragment.key, arrival, int(part.timestamp_ns[row])
            )
            entry = _Entry(datagram, fragment.owner, fragment.at, fragment.stop, is_taken)
            table.add(number, entry)
            if datagram.completed_in == number:
                self._keep(datagram)
                table.completed += 1
        self._give_up_before(table.first)
        if len(part):
            table.through = part.last

    def _keep(self, datagram: Datagram) -> None:
        assert datagram.payload is not None
        self._kept.append(datagram)
        self._kept_bytes += KEPT_COST + len(datagram.payload)
        while self._kept_bytes > MOST_KEPT_BYTES and len(self._kept) > 1:
            self._give_up_oldest()

    def _give_up_before(self, first: int) -> None:
        """Give up the bytes of datagrams that packets before `first` completed."""
        while self._kept and self._kept[0].completed_in < first:
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        datagram = self._kept.popleft()
        assert datagram.payload is not None
        self._kept_bytes -= KEPT_COST + len(datagram.payload)
        datagram.payload = None


class SnapshotFragments:
    """The fragments of a snapshot; a `FragmentSource` that analyzes what is missing.

    An internal error, which the analysis thread reports, leaves fragments as captured.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def reaching(self, through: int) -> FragmentTable:
        """Return a table that reaches packet `through`."""
        index = fragment_index_of(self._snapshot)
        with suppress(Exception):
            return index.reaching(self._snapshot, through)
        return index.published


def fragment_index_of(snapshot: Snapshot) -> FragmentIndex:
    """Return the index of the store of a snapshot."""
    return snapshot.annotations.of(FragmentIndex)
