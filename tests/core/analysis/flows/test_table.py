"""Conversations are counted in any division of their packets, and up to a bound."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.flows.conversations import FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowQuestion, listing_of
from core.analysis.flows.table import FLOW_BYTES
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from tests.core.decode.frames import ethernet, ipv4, udp
from tests.core.decode.support import batch_of


def _chunk(count: int, kinds: int) -> Chunk:
    """Return datagrams between `kinds` pairs of addresses, in turn, every third one back."""
    frames = [
        ethernet(ipv4(udp(bytes(number % 7)), IpProtocol.UDP, back=number % 3 == 0))
        for number in range(count)
    ]
    made = []
    for number, frame in enumerate(frames):
        data = bytearray(frame)
        for at in (29, 33):  # the last byte of both addresses
            data[at] += number % kinds
        made.append(bytes(data))
    batch = batch_of(made, times_ns=[10**9 * number for number in range(1, count + 1)])
    return decode_batch(batch, np.array([LinkType.ETHERNET], np.int32), 1)


def _counted(chunk: Chunk, size: int, most: int = 1000) -> FlowCounter:
    counter, index = FlowCounter(most), FlowIndex()
    for start in range(0, len(chunk), size):
        part = chunk.rows(start, min(start + size, len(chunk)))
        counter.add(part, index.append(part))
    return counter


@pytest.mark.parametrize("size", [1, 7, 40, 100])
@pytest.mark.parametrize("level", [Level.ETHERNET, Level.IPV4, Level.UDP])
def test_any_division_into_parts(level: Level, size: int) -> None:
    chunk = _chunk(100, 5)
    whole, parts = (_counted(chunk, each).tables[level].columns for each in (100, size))
    assert whole.keys() == parts.keys()
    for name in whole.keys() - {"a_hash"}:  # whose key is random
        assert whole[name].tolist() == parts[name].tolist(), name
    assert whole["bytes"].sum() == chunk.original.sum()


def test_further_conversations_are_counted_as_others() -> None:
    chunk = _chunk(100, 10)
    counter = _counted(chunk, 7, most=4)
    table = counter.tables[Level.IPV4]
    assert len(table) == 4
    assert table.columns["packets"].tolist() == [[4, 6], [7, 3], [7, 3], [4, 6]]
    assert table.other_packets == 60
    assert table.other_bytes + table.columns["bytes"].sum() == chunk.original.sum()
    listing = listing_of(FlowQuestion(Level.IPV4), table, counter.scale)
    assert (listing.total, listing.other_packets) == (4, 60)


def test_packets_of_a_mask_are_counted() -> None:
    chunk = _chunk(30, 3)
    counter = FlowCounter()
    wanted = np.arange(30) % 3 == 1
    counter.add(chunk, FlowIndex().append(chunk), wanted)
    assert counter.packets == 10
    assert counter.tables[Level.UDP].columns["packets"].sum() == 10
    assert len(counter.tables[Level.UDP]) == 1


def test_memory_of_a_flow_is_stated() -> None:
    assert FLOW_BYTES < 250
