"""A few packets of a store as one chunk: the same packets, wherever they were."""

from __future__ import annotations

import pytest

from core.decode.chunk import COLUMN_TYPES
from core.store.gathered_packets import gather
from core.store.packet_store import PacketStore
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of
from tests.helpers.scripted import scripted_store


def _same(snapshot, numbers):
    chunk = gather(snapshot, numbers)
    assert len(chunk) == len(numbers)
    for row, number in enumerate(numbers):
        held, at = snapshot.find(number)
        assert chunk.frame(row) == held.frame(at)
        assert chunk.dissect(row) == held.dissect(at)
        for name in COLUMN_TYPES.keys() - {"offset"}:
            assert getattr(chunk, name)[row] == getattr(held, name)[at]
    return chunk


def test_gathered_packets_are_the_packets_of_the_store() -> None:
    snapshot = scripted_store().snapshot()
    assert _same(snapshot, [3, 4, 5]).first == 3
    _same(snapshot, [1, 9, 26, 28])


def test_packets_of_several_chunks_become_one() -> None:
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    for size in (60, 70, 80):
        store.append(batch_of([bytes([size]) * size] * 70_000))
    snapshot = store.snapshot()
    assert len(snapshot.chunks) > 2
    _same(snapshot, [1, 70_000, 70_001, 140_002, 210_000])


def test_a_missing_packet_is_an_error() -> None:
    snapshot = scripted_store().snapshot()
    with pytest.raises(KeyError):
        gather(snapshot, [1, snapshot.count + 1])
