"""Views: random access to the packets that pass, growing and shrinking with the store."""

from __future__ import annotations

import random

import numpy as np
import pytest

from core.decode.chunk import Chunk
from core.store.packet_store import PacketStore
from core.store.view import View
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


def _even_lengths(chunk: Chunk) -> np.ndarray:
    return chunk.captured % 2 == 0


@pytest.mark.parametrize("predicate", [None, _even_lengths])
def test_a_view_follows_the_store(predicate):
    """Against a list kept by hand, over batches of all sizes, with eviction."""
    store = PacketStore(1 << 20)
    store.add_interface(ETHERNET_INTERFACE)
    view = View(predicate)
    generator = random.Random(3)
    passed: list[int] = []
    count = 0
    for _ in range(80):
        lengths = [generator.randint(60, 900) for _ in range(generator.choice([1, 7, 150]))]
        store.append(batch_of([bytes(length) for length in lengths]))
        for length in lengths:
            count += 1
            if predicate is None or length % 2 == 0:
                passed.append(count)
        if generator.random() < 0.5:
            continue  # a snapshot may skip versions
        snapshot = store.snapshot()
        view.extend(snapshot)
        view.extend(snapshot)  # the same again changes nothing
        held = [number for number in passed if number >= snapshot.first]
        assert len(view) == len(held)
        assert [view[row] for row in range(len(view))] == held
        rows = {number: row for row, number in enumerate(held)}
        for number in range(snapshot.first - 2, count + 2, 3):
            assert view.row_of(number) == rows.get(number)
    assert store.snapshot().evicted > 0


def test_the_predicate_sees_each_packet_once():
    """Growing costs what is new."""
    asked: list[int] = []

    def odd_numbers(chunk: Chunk) -> np.ndarray:
        numbers = np.arange(chunk.first, chunk.last + 1)
        asked.extend(numbers.tolist())
        return numbers % 2 == 1

    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    view = View(odd_numbers)
    for _ in range(10):
        store.append(batch_of([b"frame"] * 3))
        view.extend(store.snapshot())
    assert asked == list(range(1, 31))
    assert len(view) == 15
    assert view[-1] == 29


def test_rows_outside_raise_and_the_nearest_row_never_does():
    """Rows as in a list; a packet that is not in the view has a neighbor that is."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    view = View(lambda chunk: np.arange(chunk.first, chunk.last + 1) % 10 == 0)
    assert len(view) == 0
    assert view.nearest_row(5) is None
    with pytest.raises(IndexError):
        view[0]
    store.append(batch_of([b"frame"] * 35))
    view.extend(store.snapshot())
    assert [view.nearest_row(number) for number in (1, 10, 11, 30, 31, 99)] == [0, 0, 1, 2, 2, 2]
    assert [view[-3], view[-1]] == [10, 30]
    for row in (3, -4):
        with pytest.raises(IndexError):
            view[row]
