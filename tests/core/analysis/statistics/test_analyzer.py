"""Statistics of a growing store, of all packets and of those that pass a filter."""

from __future__ import annotations

from core.analysis.statistics import analyzer
from core.analysis.statistics.analyzer import StatisticsIndex
from core.store.budget import UNLIMITED, Budget
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


def _store(limit: int = 1 << 30) -> PacketStore:
    store = PacketStore(limit)
    store.add_interface(ETHERNET_INTERFACE)
    return store


def _udp(chunk, *_):
    return chunk.transport == 17


def test_the_analyzer_counts_each_packet_once(monkeypatch) -> None:
    monkeypatch.setattr(analyzer, "PART", 7)
    store, index = _store(), StatisticsIndex()
    steps = 0
    for _ in range(5):
        store.append(batch_of([tcp_frame(), udp_frame(), udp_frame(b"x")] * 4))
        while index.extend(store.snapshot(), Budget(0)):
            steps += 1
    assert index.published.packets == index.published.through == 60
    assert steps >= 5
    assert not index.extend(store.snapshot(), UNLIMITED)


def test_packets_that_pass_are_counted_as_far_as_the_filter_has_seen() -> None:
    store, view = _store(), View(_udp)
    index = StatisticsIndex(view.packets)
    store.append(batch_of([tcp_frame(), udp_frame()] * 10))
    assert not index.extend(store.snapshot(), UNLIMITED)
    assert index.published.packets == 0
    view.extend(store.snapshot(), UNLIMITED)
    store.append(batch_of([udp_frame()] * 5))
    index.selected = view.packets
    assert not index.extend(store.snapshot(), UNLIMITED)
    assert (index.published.packets, index.published.through) == (10, 20)
    view.extend(store.snapshot(), UNLIMITED)
    index.selected = view.packets
    index.extend(store.snapshot(), UNLIMITED)
    assert (index.published.packets, index.published.through) == (15, 25)
    assert {node.path[-1] for node in index.published.hierarchy.nodes()} == {"eth", "ip", "udp"}


def test_evicted_packets_stay_counted_and_missed_ones_are_known() -> None:
    """The store evicts some packets that were counted, and some that were not reached."""
    store, index = _store(limit=1 << 20), StatisticsIndex()
    frames = [tcp_frame(bytes(1000))] * 100
    store.append(batch_of(frames))
    index.extend(store.snapshot(), UNLIMITED)
    while store.snapshot().first < 400:
        store.append(batch_of(frames))
    snapshot = store.snapshot()
    index.forget(snapshot.first)
    index.extend(snapshot, UNLIMITED)
    found = index.published
    assert index.missed == snapshot.first - 101
    assert found.packets == snapshot.count - index.missed
