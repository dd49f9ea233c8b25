"""Views: the packets that pass, growing and shrinking with the store."""

from __future__ import annotations

import random

import numpy as np
import pytest

from core.decode.chunk import CHUNK_PACKETS, Chunk
from core.store.budget import Budget
from core.store.filtered_view import LEAST, AllPackets, PacketNumbers, View
from core.store.packet_store import PacketStore
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


def _store(*batches: list[bytes], limit: int = 1 << 30) -> PacketStore:
    store = PacketStore(limit)
    store.add_interface(ETHERNET_INTERFACE)
    for batch in batches:
        store.append(batch_of(batch))
    return store


def _even_lengths(chunk: Chunk, *_: object) -> np.ndarray:
    return chunk.captured % 2 == 0


def _tens(chunk: Chunk, *_: object) -> np.ndarray:
    return np.arange(chunk.first, chunk.last + 1) % 10 == 0


def _check_rows(rows: PacketNumbers, held: list[int], numbers: range) -> None:
    """Compare rows with a list of packet numbers."""
    assert len(rows) == len(held)
    assert list(rows) == held
    places = {number: row for row, number in enumerate(held)}
    for number in numbers:
        assert rows.row_of(number) == places.get(number)
        between = rows.between(number, number + 7).tolist()
        assert between == [each for each in held if number <= each <= number + 7]


def test_a_view_follows_the_store():
    """Rows agree with a list kept by hand, over batches of all sizes, with eviction."""
    store = _store(limit=1 << 20)
    view = View(_even_lengths)
    generator = random.Random(3)
    passed: list[int] = []
    count = 0
    for _ in range(80):
        lengths = [generator.randint(60, 900) for _ in range(generator.choice([1, 7, 150]))]
        store.append(batch_of([bytes(length) for length in lengths]))
        passed += [count + at for at, length in enumerate(lengths, 1) if length % 2 == 0]
        count += len(lengths)
        if generator.random() < 0.5:
            continue  # a snapshot may skip versions
        snapshot = store.snapshot()
        before = view.packets
        for _ in range(2):  # the same snapshot again changes nothing
            view.forget(snapshot.first)
            assert not view.extend(snapshot, Budget())
        held = [number for number in passed if number >= snapshot.first]
        numbers = range(snapshot.first - 2, count + 2, 3)
        _check_rows(view.packets, held, numbers)
        assert (view.packets.first, view.packets.through) == (snapshot.first, count)
        old = [number for number in held if number <= before.through]
        _check_rows(before.without_evicted(snapshot.first), old, numbers)
        all_held = list(range(snapshot.first, count + 1))
        _check_rows(AllPackets(snapshot.first, count), all_held, numbers)
    assert store.snapshot().evicted > 0


def test_the_predicate_checks_each_packet_once():
    """Growing costs what is new."""
    asked: list[int] = []

    def odd_numbers(chunk: Chunk, *_: object) -> np.ndarray:
        numbers = np.arange(chunk.first, chunk.last + 1)
        asked.extend(numbers.tolist())
        return numbers % 2 == 1

    store = _store()
    view = View(odd_numbers)
    for _ in range(10):
        store.append(batch_of([b"frame"] * 3))
        view.extend(store.snapshot(), Budget())
    assert asked == list(range(1, 31))
    assert len(view.packets) == 15
    assert view.packets[-1] == 29


def test_a_spent_budget_ends_each_step_after_one_piece():
    """Steps come to an end, and their results agree with one long step."""
    store = _store([b"frame"] * (CHUNK_PACKETS + 5))
    snapshot = store.snapshot()
    view = View(_tens)
    through = []
    while view.extend(snapshot, Budget(0)):
        through.append(view.packets.through)
    assert through == list(range(LEAST, snapshot.count, LEAST))
    assert list(view.packets) == list(range(10, snapshot.count + 1, 10))


def test_published_packets_do_not_change():
    """A reader on another thread keeps what it took."""
    store = _store([b"frame"] * 35)
    view = View(_tens)
    view.extend(store.snapshot(), Budget())
    taken = view.packets
    store.append(batch_of([b"frame"] * 35))
    view.extend(store.snapshot(), Budget())
    assert list(taken) == [10, 20, 30]
    assert list(view.packets) == [10, 20, 30, 40, 50, 60, 70]


def test_rows_outside_raise_and_the_nearest_row_never_does():
    """Rows behave as in a list; a packet that is not in the view has a neighbor that is."""
    view = View(_tens)
    assert len(view.packets) == 0
    assert view.packets.nearest_row(5) is None
    with pytest.raises(IndexError):
        view.packets[0]
    view.extend(_store([b"frame"] * 35).snapshot(), Budget())
    rows = view.packets
    assert [rows.nearest_row(number) for number in (1, 10, 11, 30, 31, 99)] == [0, 0, 1, 2, 2, 2]
    assert [rows[-3], rows[-1]] == [10, 30]
    for row in (3, -4):
        with pytest.raises(IndexError):
            rows[row]
