"""Following and reassembling hold at most their bounds of memory, whatever the traffic is.

Each case feeds traffic that makes objects without bytes, or with few, and compares the memory that
Python allocated with the bound that the module states. The bounds are smaller than the real ones,
and those of the objects around the bytes are as they are. Where segments have two holders, each is
measured with a bound many times larger than that of the other one (`LITTLE`), so that it cannot use
the room of that.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from core.analysis.follow import assembly, history
from core.analysis.follow.assembly import Segment, TcpAssembly
from core.analysis.follow.contents import StreamBuffer
from core.analysis.follow.pieces import Piece, PieceKind
from core.analysis.reassembly import datagrams, fragment_index
from core.analysis.reassembly.datagrams import Arrival, Reassembler
from core.analysis.reassembly.fragment_index import FragmentIndex
from core.store.budget import Budget
from tests.core.analysis.reassembly.fragmented import piece, pieces, store_of

BOUND = 1 << 18
LITTLE = 1 << 14
BESIDE = 1 << 14  # the holder itself, and the room of its tables
FIRST_PACKET, SECOND_NS = 1 << 20, 10**15  # numbers as large as in real captures


def held_by(feed: Callable[[], Iterator[object]]) -> int:
    """Return the most memory that was held between the steps of `feed`, which yields its holder."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        return max(tracemalloc.get_traced_memory()[0] - before for _ in feed())
    finally:
        tracemalloc.stop()


def _segment(number: int, at: int, data: bytes, length: int) -> Segment:
    return Segment(0, FIRST_PACKET + number, at % (1 << 32), None, False, data, length)


SEGMENTS: dict[str, Callable[[int], Segment]] = {
    "headers only, each behind a gap": lambda n: _segment(n, 2000 * n, b"", 1460),
    "headers only, all behind one gap": lambda n: _segment(n, n and 5000 + n, b"", 1),
    "one byte, each behind a gap": lambda n: _segment(n, 3 * n, bytes([n % 251]), 1),
    "the same byte again and again": lambda n: _segment(n, 9 * (n > 0), bytes([n % 251]), 1),
    "each before the others": lambda n: _segment(n, 1 << 30 if n else 0, bytes([n % 251]), 1 + n),
    "in order, one byte at a time": lambda n: _segment(n, n, bytes([n % 251]), 1),
    "in order, each cut after a byte": lambda n: _segment(n, 8 * n, bytes([n % 251]), 8),
    "in order, large": lambda n: _segment(n, 1460 * n, bytes(1460), 1460),
    "overlapping": lambda n: _segment(n, 90 * (n // 2) + 100 * (n % 2), bytes(200), 200),
}


@pytest.mark.parametrize(("waiting", "sent"), [(BOUND, LITTLE), (LITTLE, BOUND)])
@pytest.mark.parametrize("name", SEGMENTS)
def test_segments_of_a_stream(
    name: str, waiting: int, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "MOST_WAITING", waiting)
    monkeypatch.setattr(history, "HISTORY", sent)
    make = SEGMENTS[name]

    def feed() -> Iterator[object]:
        stream = TcpAssembly(lambda _: None)
        for number in range(5_000):
            stream.add(make(number))
            yield stream

    assert held_by(feed) < waiting + sent + BESIDE


def test_pieces_of_a_stream() -> None:
    count = BOUND // 64

    def feed() -> Iterator[object]:
        buffer = StreamBuffer(BOUND, count)
        for _ in range(2 * count // 64):
            buffer.append([Piece(0, FIRST_PACKET, PieceKind.DATA, b"")] * 64)
            yield buffer

    assert held_by(feed) < BOUND + 58 * 2 * count + BESIDE


def _key(number: int) -> datagrams.Key:
    return "ip", number.to_bytes(8, "big"), (1 << 30) + number


def _arrival(number: int, start: int, size: int) -> Arrival:
    return Arrival(FIRST_PACKET + number, start, bytes([number % 251]) * size, True)


FRAGMENTS: dict[str, Callable[[int], tuple[datagrams.Key, Arrival]]] = {
    "one tiny fragment of each datagram": lambda n: (_key(n), _arrival(n, 8, 8)),
    "fragments that do not touch": lambda n: (_key(n >> 12), _arrival(n, n % 4096 * 16, 8)),
    "the same fragment again and again": lambda n: (_key(n >> 13), _arrival(n, 8, 8)),
    "overlaps": lambda n: (_key(n >> 12), _arrival(n, n % 1000 * 8, 24)),
    "large fragments": lambda n: (_key(n), _arrival(n, 1480, 1480)),
    "refused fragments": lambda n: (_key(n), _arrival(n, 65_528, 1480)),
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_incomplete_datagrams(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "MOST_WAITING_BYTES", 4 * BOUND)
    make = FRAGMENTS[name]

    def feed() -> Iterator[object]:
        reassembler = Reassembler()
        for number in range(5_000):
            reassembler.add(*make(number), SECOND_NS + number)
            yield reassembler

    assert held_by(feed) < 4 * BOUND + BESIDE


FRAMES: dict[str, Callable[[int], list[bytes]]] = {
    "never completed": lambda n: [piece(bytes(1400), 8, more=True, ident=n)],
    "never completed, tiny": lambda n: [piece(bytes(8), 8, more=True, ident=n)],
    "one datagram of which one fragment is missing": lambda n: [
        piece(bytes(8), 8 + 8 * (n % 8000), more=True, ident=n >> 13)
    ],
    "completed": lambda n: pieces(ident=n),
    "completed, tiny": lambda n: pieces(bytes(16), (0, 8, 16), ident=n),
    "completed, with many copies of a fragment": lambda n: [
        *[piece(bytes(8), 0, more=True, ident=n)] * 30, piece(bytes(8), 8, ident=n),
    ],
    "refused": lambda n: [piece(bytes(1480), 65_528, ident=n)],
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_the_fragments_of_a_store(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = 2 * BOUND // fragment_index.ENTRY_COST
    monkeypatch.setattr(datagrams, "MOST_WAITING_BYTES", BOUND)
    monkeypatch.setattr(fragment_index, "MOST_KEPT_BYTES", BOUND)
    monkeypatch.setattr(fragment_index, "MOST_ENTRIES", entries)
    make = FRAMES[name]
    batches: list[list[bytes]] = []
    while len(batches) * 256 < 3 * entries:
        batches.append([])
        while len(batches[-1]) < 256:
            batches[-1] += make(sum(map(len, batches)) % (1 << 16))
    snapshot = store_of(batches).snapshot()

    def feed() -> Iterator[object]:
        index = FragmentIndex()
        while index.extend(snapshot, Budget(0)):
            yield index
        yield index

    assert held_by(feed) < BOUND + BOUND + entries * fragment_index.ENTRY_COST + BESIDE
