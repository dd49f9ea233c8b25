"""Memory of packets: zero, aligned, and returned to the system with the last view of it."""

from __future__ import annotations

import mmap
import weakref
from pathlib import Path

import numpy as np
import pytest

from core.decode.chunk import COLUMN_TYPES, VERDICT_UNKNOWN, Chunk
from core.decode.memory import allocate_bytes, allocate_columns
from core.store.packet_store import KEPT_IN_PLACE, PacketStore
from core.store.snapshot import Snapshot
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.support import combinations

PAGE = mmap.PAGESIZE


def mapping_of(array: np.ndarray) -> weakref.ref[mmap.mmap]:
    """Return the mapping below an array: while it lives, its pages are this process's."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    while isinstance(owner, memoryview):
        owner = owner.obj
        while isinstance(owner, np.ndarray):
            owner = owner.base
    assert isinstance(owner, mmap.mmap)
    return weakref.ref(owner)


def mappings_of(snapshot: Snapshot) -> set[weakref.ref[mmap.mmap]]:
    """Return all mappings that contain the chunks of a snapshot."""
    found = {mapping_of(chunk.offset) for chunk in snapshot.chunks}
    return found | {mapping_of(chunk.data) for chunk in snapshot.chunks}


def alive(mappings: set[weakref.ref[mmap.mmap]]) -> int:
    return sum(mapping() is not None for mapping in mappings)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@pytest.mark.parametrize("size", [0, 1, PAGE, PAGE + 1, 1 << 22])
def test_bytes_are_zero_writable_and_of_the_requested_number(size):
    array = allocate_bytes(size)
    assert (array.shape, array.dtype, array.any()) == ((size,), np.uint8, False)
    array[:] = 0xA5
    assert (array == 0xA5).all()


@pytest.mark.parametrize("length", [0, 1, 7, 1000, 65_536])
def test_columns_do_not_overlap(length):
    columns = allocate_columns(COLUMN_TYPES, length)
    assert list(columns) == list(COLUMN_TYPES)
    for number, (name, column) in enumerate(columns.items(), start=1):
        assert (column.shape, column.dtype) == ((length,), COLUMN_TYPES[name])
        assert not column.any()
        column[:] = number
    assert all((column == number).all() for number, column in enumerate(columns.values(), start=1))


def test_the_last_view_unmaps():
    columns = allocate_columns(COLUMN_TYPES, 1000)
    mapping = mapping_of(columns["state"])
    part = columns["state"][10:20]
    del columns
    assert mapping() is not None
    del part
    assert mapping() is None


def test_freed_memory_is_the_systems_again():
    size = 64 << 20
    before = resident()
    array = allocate_bytes(size)
    assert resident() < before + size // 2  # unwritten pages take no memory
    array[:] = 1
    assert resident() > before + size // 2
    del array
    assert resident() < before + size // 2


def test_an_arena_takes_what_is_written_to_it():
    """The unused room of an arena with a single packet costs pages, not megabytes."""
    before = resident()
    stores = [PacketStore() for _ in range(32)]
    for store in stores:
        store.add_interface(ETHERNET_INTERFACE)
        store.append(batch_of([b"one"]))
    room = sum(len(store.snapshot().chunks[0].data) for store in stores)
    assert resident() - before < room // 4


@pytest.mark.parametrize(("packets", "size"), combinations([1, 300, KEPT_IN_PLACE], [1500, 64]))
def test_evicted_chunks_are_unmapped(packets, size):
    """By batches of each kind: all mappings are unmapped except those still referenced."""
    store = PacketStore(1 << 18)
    store.add_interface(ETHERNET_INTERFACE)
    seen: set[weakref.ref[mmap.mmap]] = set()
    batch = batch_of([b"x" * size] * packets)
    while len(seen) < 24 or store.snapshot().count < 2 * packets:
        store.append(batch)
        seen |= mappings_of(store.snapshot())
    assert alive(seen) == len(mappings_of(store.snapshot())) < len(seen)


def test_columns_of_evicted_chunks_over_foreign_bytes_are_unmapped():
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    batch = batch_of([b"x" * 64] * KEPT_IN_PLACE, stable=True)
    seen = set()
    for _ in range(20):
        store.append(batch)
        seen |= {mapping_of(chunk.offset) for chunk in store.snapshot().chunks}
    assert alive(seen) == len(store.snapshot().chunks) < len(seen)


def test_verdicts_of_new_packets_are_unknown():
    """Memory is zero, and zero is a verdict."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    for stable in (False, True):
        store.append(batch_of([b"x" * 60] * KEPT_IN_PLACE, stable=stable))
    for chunk in store.snapshot().chunks:
        assert (chunk.verdict == VERDICT_UNKNOWN).all()


def test_a_held_snapshot_lets_go_of_what_was_evicted():
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    batch = batch_of([b"x" * 1000] * 100)

    while not store.snapshot().evicted:
        store.append(batch)
    held = store.snapshot()
    count, seen = held.count, mappings_of(held)
    assert held.without_evicted(store.snapshot()) is held
    firsts = []
    while held.chunks:
        store.append(batch)
        newer = store.snapshot()
        seen |= mappings_of(newer)
        held = held.without_evicted(newer)
        firsts.append(held.first)
        assert held.count == count
        assert held.first == min(newer.first, count + 1)
        assert sum(map(len, held.chunks)) + held.evicted == count
        assert alive(seen) <= len(mappings_of(newer)) + 2  # the arena before it was closed
    assert len(set(firsts)) > 3
    with pytest.raises(KeyError):
        held.packet(count)
    del held
    assert alive(seen) == len(mappings_of(store.snapshot()))


def test_a_chunk_holds_no_memory_beside_its_mappings():
    """Every array of a chunk is a view of a mapping, so that none stays in a heap."""
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    for frames in ([b"x" * 64] * 10, [b"y" * 1400] * 2000):
        store.append(batch_of(frames))
    for chunk in store.snapshot().chunks:
        for name in Chunk.__slots__:
            array = getattr(chunk, name)
            if isinstance(array, np.ndarray) and name != "link_types":  # that is the store's
                assert mapping_of(array)() is not None
