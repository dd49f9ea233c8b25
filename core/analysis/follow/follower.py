"""Follows one stream of a growing store, on the analysis thread."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.follow.contents import MOST_BYTES, NO_CONTENTS, StreamBuffer, StreamContents
from core.analysis.follow.payloads import End
from core.analysis.follow.pieces import PROTOCOLS, Piece
from core.analysis.follow.stream import UNKNOWN_ENDS, StreamReader
from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import SnapshotFragments
from core.analysis.tcp.flow_index import index_of
from core.analysis.tcp.flow_table import FlowTable
from core.store.budget import Budget
from core.store.snapshot import Snapshot

_PACKETS = 1024  # in a step


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """The stream to follow: that of a `packet`, or one by its number.

    With a `step` of 1 or -1, it is the nearest one above or below that number.
    """

    protocol: str = ""
    number: int = 0
    step: int = 0
    packet: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FollowedStream:
    """A stream up to packet `through` of the store; immutable.

    `number` is None until the analysis of flows reaches the stream. `is_absent` is True if no
    stream fits the choice. `ends` are the client's and the server's; `waiting` are the bytes of
    each that wait behind a gap.
    """

    protocol: str = "tcp"
    number: int | None = None
    is_absent: bool = False
    ends: tuple[End, End] = UNKNOWN_ENDS
    packets: int = 0
    waiting: tuple[int, int] = (0, 0)
    contents: StreamContents = NO_CONTENTS
    through: int = 0

    @property
    def expression(self) -> str:
        """The display filter for the packets of the stream."""
        return f"{self.protocol}.stream == {self.number}"


NO_STREAM = FollowedStream()
"""The stream of nothing that was chosen."""


class StreamFollower:
    """Collects the bytes of one stream. An `Analyzer`; any thread reads `stream`.

    The bytes are copies: those of evicted packets stay.
    """

    def __init__(self, choice: StreamChoice, most_bytes: int = MOST_BYTES) -> None:
        self.stream = NO_STREAM
        self._choice = choice
        self._pieces: list[Piece] = []
        self._buffer = StreamBuffer(most_bytes)
        self._reader: StreamReader | None = None
        self._number = 0
        self._through = 0

    def contents(self) -> StreamContents:
        """Return the bytes up to now."""
        return self.stream.contents

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Read more packets. Return True if the budget was spent before the last one."""
        index = index_of(snapshot)
        more = index.extend(snapshot, budget)
        table = index.published
        if self._reader is None:
            self._choose(table, is_all=not more)
            if self._reader is None:
                return more
        return self._read(snapshot, table, budget) or more

    def forget(self, first: int) -> None:
        """Do nothing: the stream has copies of its bytes."""

    def _choose(self, table: FlowTable, *, is_all: bool) -> None:
        """Find the number of the stream, if the table has it by now."""
        choice, found = self._choice, None
        protocol = choice.protocol
        if choice.packet:
            for protocol in PROTOCOLS:
                streams = table.values(choice.packet, protocol)["stream"]
                if len(streams):
                    found = int(streams[0])
                    break
            is_all = is_all or table.through >= choice.packet
        elif not choice.step:
            found = choice.number
        elif choice.step < 0 or is_all:
            found = table.nearest_stream(protocol, choice.number, choice.step)
        if found is not None:
            self._number = found
            self._reader = StreamReader(protocol, self._pieces.append)
            self.stream = FollowedStream(protocol, found)
        elif is_all:
            self.stream = FollowedStream(is_absent=True)

    def _read(self, snapshot: Snapshot, table: FlowTable, budget: Budget) -> bool:
        reader = self._reader
        assert reader is not None
        through = min(table.through, snapshot.count)
        numbers = table.packets_of(reader.protocol, self._number, self._through)
        for chunk in snapshot.chunks_after(self._through):
            rows = numbers[(numbers >= chunk.first) & (numbers <= min(chunk.last, through))]
            rows = rows - chunk.first
            for start in range(0, len(rows), _PACKETS):
                if self._buffer.is_full:
                    return False
                step = rows[start : start + _PACKETS]
                part = chunk.rows(int(step[0]), int(step[-1]) + 1)
                reader.read(with_pieces(part, SnapshotFragments(snapshot)), step - step[0])
                self._buffer.append(self._pieces)
                self._pieces.clear()
                self._publish(chunk.first + int(step[-1]))
                if budget.is_spent:
                    return True
        self._through = max(self._through, through)
        return False

    def _publish(self, through: int) -> None:
        reader = self._reader
        assert reader is not None
        self._through = through
        self.stream = FollowedStream(
            reader.protocol,
            self._number,
            False,
            reader.ends,
            reader.packets,
            reader.waiting,
            self._buffer.contents,
            through,
        )
