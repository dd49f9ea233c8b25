"""The index pauses within a part, and its parts get smaller while they take long."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.tcp import flow_index
from core.analysis.tcp.evaluation import PART
from core.analysis.tcp.flow_index import FlowIndex
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from tests.core.analysis.tcp.conversations import Sent
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

STREAMS = 50


def _snapshot(packets: int) -> Snapshot:
    """Return packets that repeat bytes, in several streams: each is evaluated alone."""
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    frames = [Sent(sequence=9, length=5, ports=(1_000 + port, 80)).frame for port in range(STREAMS)]
    store.append(batch_of((frames * (packets // STREAMS + 1))[:packets]))
    return store.snapshot()


def test_the_analysis_pauses_before_each_stream_that_it_evaluates_segment_by_segment():
    index, pauses = FlowIndex(), []
    index.pause = lambda: pauses.append(True)
    assert not index.extend(_snapshot(500), Budget())
    assert len(pauses) > STREAMS


@pytest.mark.parametrize(("part_s", "least"), [(0.0, 1 << 10), (float("inf"), PART)])
def test_parts_get_smaller_while_they_take_long_and_larger_again(monkeypatch, part_s, least):
    monkeypatch.setattr(flow_index, "PART_S", part_s)
    snapshot, index = _snapshot(12_000), FlowIndex()
    index._most = 1 << 12
    sizes, before = [], 0
    while index.extend(snapshot, Budget(0)):
        sizes.append(index.published.through - before)
        before = index.published.through
    steps = np.diff(sizes)
    assert sizes[0] == 1 << 12
    assert (steps <= 0).all() if part_s == 0 else (steps >= 0).all()
    assert index._most == least
