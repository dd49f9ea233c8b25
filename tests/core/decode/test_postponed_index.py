"""The index of a burst is computed by its first reader, and is the same."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.decode import postponed_index
from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import COLUMN_TYPES, INDEX_COLUMNS, Chunk
from core.decode.postponed_index import NOT_INDEXED
from core.decode.verdicts import BLOCK, fill
from core.store.gathered_packets import gather
from core.store.packet_store import ARENA_BYTES, POSTPONED_FROM, PacketStore
from core.wire.link.link_types import LinkType
from core.wire.model.batch import Network
from tests.bench.traffic.mixed import frames

BURST = [*frames(), *frames(2)]


def burst() -> Batch:
    """Return frames as a ring has them: with bytes between them, in memory that changes."""
    length = np.array(list(map(len, BURST)), np.int64)
    count = len(BURST)
    return Batch(
        data=np.frombuffer(b"".join(frame + bytes(20) for frame in BURST), np.uint8),
        offset=np.cumsum(length + 20) - length - 20,
        captured=length.astype(np.uint32),
        original=length.astype(np.uint32),
        timestamp_ns=np.arange(count, dtype=np.int64),
        interface=np.zeros(count, np.uint16),
        flags=np.zeros(count, np.uint16),
    )


def store_of(*batches: Batch) -> PacketStore:
    store = PacketStore()
    store.add_interface(CaptureInterface("eth9", LinkType.ETHERNET))
    for batch in batches:
        store.append(batch)
    return store


def pieces(batch: Batch, size: int) -> list[Batch]:
    return [
        batch.part(start, min(start + size, len(batch))) for start in range(0, len(batch), size)
    ]


def columns(chunk: Chunk) -> dict[str, NDArray[Any]]:
    return {name: getattr(chunk, name) for name in COLUMN_TYPES}


def assert_same(found: Chunk, expected: Chunk) -> None:
    fill(found)
    fill(expected)
    for name, column in columns(expected).items():
        if name == "offset":  # copies may have other places
            continue
        assert np.array_equal(columns(found)[name], column), name


@pytest.fixture
def expected() -> Chunk:
    """The same packets, in batches that are too small to be a burst."""
    (chunk,) = store_of(*pieces(burst(), POSTPONED_FROM - 1)).snapshot().chunks
    assert not (chunk.index.network == NOT_INDEXED).any()
    return chunk


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of packets that readers have computed the index of."""
    counts: list[int] = []
    compute = postponed_index.index_headers

    def counted(data: Any, offset: Any, *rest: Any) -> Any:
        counts.append(len(offset))
        return compute(data, offset, *rest)

    monkeypatch.setattr(postponed_index, "index_headers", counted)
    return counts


def test_a_burst_is_stored_without_its_index(expected: Chunk) -> None:
    (chunk,) = store_of(burst()).snapshot().chunks
    assert (chunk.index.network == NOT_INDEXED).all()
    assert_same(chunk, expected)


def test_every_snapshot_and_part_is_whole(expected: Chunk) -> None:
    """Snapshots of a chunk that grows by bursts and by single packets, read late or not at all."""
    store, snapshots = store_of(), []
    first, last = burst().part(0, POSTPONED_FROM), burst().part(POSTPONED_FROM, len(BURST))
    for batch in (first, *pieces(last, 100)):
        store.append(batch)
        snapshots.append(store.snapshot())
    for snapshot in reversed(snapshots):
        (chunk,) = snapshot.chunks
        assert_same(chunk.rows(3, 900).copied(np.array([5, 7, 800])), expected.copied([8, 10, 803]))
        assert_same(chunk, expected.rows(0, len(chunk)))


def test_readers_of_a_few_packets_compute_no_more_than_these(
    indexed: list[int], expected: Chunk
) -> None:
    """The screen reads one packet, and the rows that it shows."""
    snapshot = store_of(burst()).snapshot()
    assert_same(gather(snapshot, range(501, 541)), expected.rows(500, 540))
    snapshot.packet(1500)  # with the verdicts of a block
    assert 0 < sum(indexed) <= 40 + BLOCK + 1
    assert (snapshot.chunks[0].index.network == NOT_INDEXED).sum() == BLOCK


def test_the_index_is_computed_once(indexed: list[int]) -> None:
    store = store_of(burst())
    for _ in range(2):
        (chunk,) = store.snapshot().chunks
        for name in INDEX_COLUMNS:
            getattr(chunk, name)
            getattr(chunk.rows(9, 99), name)
    assert indexed == [len(BURST)]


def test_a_sealed_chunk_is_completed_later(expected: Chunk) -> None:
    """Also one whose columns move to smaller memory."""
    store = store_of(burst())
    large = bytes(ARENA_BYTES - 1000)
    store.append(
        Batch(
            data=np.frombuffer(large, np.uint8),
            offset=np.zeros(1, np.int64),
            captured=np.array([len(large)], np.uint32),
            original=np.array([len(large)], np.uint32),
            timestamp_ns=np.zeros(1, np.int64),
            interface=np.zeros(1, np.uint16),
            flags=np.zeros(1, np.uint16),
        )
    )
    sealed, _ = store.snapshot().chunks
    assert sealed.data.nbytes < ARENA_BYTES
    assert (sealed.index.network == NOT_INDEXED).all()
    assert_same(sealed, expected)


def test_threads_that_read_at_once_get_the_same(expected: Chunk) -> None:
    snapshot = store_of(burst()).snapshot()
    start = threading.Barrier(4)
    failures: list[str] = []

    def read(chunk: Chunk) -> None:
        start.wait()
        copy = chunk.copied()
        failures.extend(
            name
            for name in INDEX_COLUMNS
            for one in (copy, chunk)
            if not np.array_equal(getattr(one, name), getattr(expected, name))
        )

    threads = [
        threading.Thread(target=read, args=(snapshot.chunks[0].rows(0, len(BURST)),))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_no_network_has_the_number_of_the_mark() -> None:
    assert NOT_INDEXED not in list(Network)
