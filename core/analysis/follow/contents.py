"""The pieces of a stream in a few growing columns, and immutable views of them.

A stream takes its payload and 58 bytes for each piece. Not more than `MOST_BYTES` of payload and
`MOST_PIECES` pieces are kept: a last mark says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.follow.pieces import Piece, PieceKind, TurnClock

MOST_BYTES = 1 << 27
MOST_PIECES = 1 << 21
_SMALL = 1 << 20

_COLUMNS = {
    "start": np.int64,
    "length": np.int64,
    "position": np.int64,
    "packet": np.int64,
    "amount": np.int64,
    "elapsed_ns": np.int64,
    "wait_ns": np.int64,
    "side": np.uint8,
    "kind": np.uint8,
}

Rows = NDArray[np.int64]

NO_WAIT = int(np.iinfo(np.int64).min)
"""The `wait_ns` of a piece that begins no turn."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamContents:
    """The pieces of a stream up to now: immutable, for any thread.

    ``data``        uint8  (n,)  the bytes of both sides, in the order of the pieces
    ``start``       int64  (k,)  where each piece begins in `data`
    ``length``      int64  (k,)  its bytes; 0 for a mark
    ``position``    int64  (k,)  the bytes of its side before it
    ``packet``      int64  (k,)  the packet that it comes from, or that led to a mark
    ``amount``      int64  (k,)  the bytes that a mark is about
    ``elapsed_ns``  int64  (k,)  the time of the packet since the first one of the stream
    ``wait_ns``     int64  (k,)  how long a turn was waited for (`TurnClock`), or `NO_WAIT`
    ``side``        uint8  (k,)  0 for the client, 1 for the server
    ``kind``        uint8  (k,)  a `PieceKind`

    `totals` are the bytes of each side. `token` is the same object in all contents of one stream.
    """

    data: NDArray[np.uint8]
    start: Rows
    length: Rows
    position: Rows
    packet: Rows
    amount: Rows
    elapsed_ns: Rows
    wait_ns: Rows
    side: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    totals: tuple[int, int]
    token: object

    def __len__(self) -> int:
        return len(self.start)

    @property
    def is_full(self) -> bool:
        """True if there is no room for the rest of the stream."""
        return bool(len(self)) and int(self.kind[-1]) == PieceKind.FULL

    def piece_at(self, offset: int) -> int:
        """Return the index of the piece with bytes that has the one at an offset of `data`."""
        return int(np.searchsorted(self.start, offset, "right")) - 1

    def bytes_of(self, side: int | None, first: int = 0, last: int | None = None) -> bytes:
        """Return the bytes of one side, or of both, in the pieces `first` to before `last`."""
        stop = len(self) if last is None else last
        if first >= stop:
            return b""
        starts, stops = self.start[first:stop], (self.start + self.length)[first:stop]
        if side is None:
            return self.data[starts[0] : stops[-1]].tobytes()
        chosen = self.side[first:stop] == side
        ends = zip(starts[chosen].tolist(), stops[chosen].tolist(), strict=True)
        return b"".join([self.data.data[low:high] for low, high in ends])

    def pieces(self, side: int | None = None) -> Iterator[Piece]:
        """Yield the pieces of one side, or of both."""
        for at in range(len(self)):
            if side is None or self.side[at] == side:
                start = int(self.start[at])
                data = self.data[start : start + int(self.length[at])].tobytes()
                kind = PieceKind(self.kind[at])
                numbers = (int(self.amount[at]), int(self.elapsed_ns[at]))
                yield Piece(int(self.side[at]), int(self.packet[at]), kind, data, *numbers)


class _Column:
    """An array that grows at its end, to at most `most` values; views of it stay as they are.

    It doubles at first. From `_SMALL` bytes on it has all of its room at once: the kernel gives
    memory to pages that are written, and nothing is copied anymore.
    """

    def __init__(self, kind: Any, most: int) -> None:
        self._array: NDArray[Any] = np.empty(256, kind)
        self._most = most
        self.size = 0

    def append(self, values: NDArray[Any]) -> None:
        """Add values at the end."""
        size = self.size + len(values)
        if size > len(self._array):
            room = max(size, 2 * len(self._array))
            if room * self._array.itemsize > _SMALL:
                room = max(size, self._most)
            larger = np.empty(room, self._array.dtype)
            larger[: self.size] = self._array[: self.size]
            self._array = larger
        self._array[self.size : size] = values
        self.size = size

    @property
    def view(self) -> NDArray[Any]:
        """The values up to now."""
        found = self._array[: self.size]
        found.flags.writeable = False
        return found


class StreamBuffer:
    """Collects pieces, as many as there is room for."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_pieces: int = MOST_PIECES) -> None:
        self.is_full = False
        self._most_bytes, self._most_pieces = most_bytes, most_pieces
        self._data = _Column(np.uint8, most_bytes)
        self._columns = {name: _Column(kind, most_pieces + 1) for name, kind in _COLUMNS.items()}
        self._totals = [0, 0]
        self._clock = TurnClock()

    def append(self, pieces: Sequence[Piece]) -> None:
        """Add pieces; once there is no more room for one, a mark instead of the rest."""
        if self.is_full or not pieces:
            return
        rows: list[tuple[int, ...]] = []
        kept: list[bytes] = []
        at, count = self._data.size, self._columns["start"].size
        for piece in pieces:
            side, packet, kind, data, amount, elapsed_ns = piece
            if at + len(data) > self._most_bytes or count + len(rows) >= self._most_pieces:
                self.is_full = True
                total = sum(self._totals)
                full = (total, elapsed_ns, NO_WAIT, side, PieceKind.FULL)
                rows.append((at, 0, self._totals[side], packet, *full))
                break
            wait_ns = self._clock.wait_before(piece)
            times = (elapsed_ns, NO_WAIT if wait_ns is None else wait_ns)
            rows.append((at, len(data), self._totals[side], packet, amount, *times, side, kind))
            kept.append(data)
            at += len(data)
            self._totals[side] += len(data)
        self._data.append(np.frombuffer(b"".join(kept), np.uint8))
        table = np.array(rows, np.int64)
        for column, values in zip(self._columns.values(), table.T, strict=True):
            column.append(values)

    @property
    def contents(self) -> StreamContents:
        """The pieces up to now."""
        columns = {name: column.view for name, column in self._columns.items()}
        return StreamContents(
            data=self._data.view,
            totals=(self._totals[0], self._totals[1]),
            token=self._data,
            **columns,
        )


NO_CONTENTS = StreamBuffer().contents
"""The contents of a stream without a packet."""
