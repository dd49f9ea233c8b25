"""Conversations are counted in any division of their packets, and up to a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
from core.wire.model.dissection import PacketFlag
from tests.core.decode.frames import ethernet, ipv4, udp
from tests.core.decode.support import batch_of


def _chunk(count: int, kinds: int, pairs: Sequence[int] = ()) -> Chunk:
    """Return datagrams between `kinds` pairs of addresses, in turn, every third one back.

    Or between those of the numbers `pairs` (count,).
    """
    frames = [
        ethernet(ipv4(udp(bytes(number % 7)), IpProtocol.UDP, back=number % 3 == 0))
        for number in range(count)
    ]
    made = []
    for number, frame in enumerate(frames):
        data = bytearray(frame)
        for at in (29, 33):  # the last byte of both addresses
            data[at] += pairs[number] if pairs else number % kinds
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


@pytest.mark.parametrize("level", [Level.IPV4, Level.UDP])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_new_conversation_takes_the_row_of_the_longest_idle_one(level: Level, size: int) -> None:
    chunk = _chunk(100, 10)
    counter = _counted(chunk, size, most=4)
    table = counter.tables[level]
    assert len(table) == 4
    columns = table.columns
    assert table.other_packets + columns["packets"].sum() == 100
    assert table.other_bytes + columns["bytes"].sum() == chunk.original.sum()
    if size <= 4:  # else one part has more conversations than there are rows
        assert sorted(columns["last_packet"].tolist()) == [97, 98, 99, 100]
        assert table.evicted > 0
    for end in "ab":
        assert (columns[f"{end}_low"] > 0).all()
    listing = listing_of(FlowQuestion(level), table, counter.scale)
    assert (listing.total, listing.evicted) == (4, table.evicted)
    assert listing.other_packets == table.other_packets


def test_the_longest_idle_are_evicted_in_order_though_some_come_again() -> None:
    """Several are looked up at once; those that have a packet before their turn stay."""
    pairs = np.random.default_rng(7).integers(0, 40, 300).tolist()
    counter = _counted(_chunk(300, 40, pairs), 1, most=24)
    flows = [(pair, number % 3 == 0) for number, pair in enumerate(pairs)]  # of both directions
    last: dict[tuple[int, bool], int] = {}
    evicted = 0
    for packet, pair in enumerate(flows, start=1):
        last.pop(pair, None)
        if len(last) == 24:
            del last[next(iter(last))]
            evicted += 1
        last[pair] = packet
    table = counter.tables[Level.UDP]
    assert sorted(table.columns["last_packet"].tolist()) == list(last.values())
    assert table.evicted == evicted > 24


def test_evicted_rows_are_as_new() -> None:
    """The table has of the last conversations the same as a table of only their packets."""
    chunk = _chunk(100, 50)
    counter = _counted(chunk, 1, most=4)
    last = _counted(chunk.rows(96, 100), 1)
    found = listing_of(FlowQuestion(Level.UDP, sort="start"), counter.tables[Level.UDP], last.scale)
    alone = listing_of(FlowQuestion(Level.UDP, sort="start"), last.tables[Level.UDP], last.scale)
    assert len(alone) == len(found) == 4
    for name in alone.columns.keys() - {"a_hash", "rates"}:
        assert found.columns[name].tolist() == alone.columns[name].tolist(), name
    assert np.allclose(found.columns["rates"].sum(axis=1), alone.columns["rates"].sum(axis=1))


def test_packets_without_a_time_count_but_have_no_place_in_time() -> None:
    untimed = _chunk(6, 1)
    flags = untimed.flags | np.array(PacketFlag.TIME_INVALID, untimed.flags.dtype)
    untimed = replace(untimed, timestamp_ns=np.zeros(6, np.int64), flags=flags)
    timed = _chunk(6, 1)
    both = _counted(timed, 6)
    both.add(untimed, FlowIndex().append(untimed))
    alone = _counted(timed, 6)
    for level in (Level.ETHERNET, Level.IPV4, Level.UDP):
        found, expected = both.tables[level].columns, alone.tables[level].columns
        assert found["packets"].sum() == 12
        for name in ("rates", "start_ns", "stop_ns"):
            assert found[name].tolist() == expected[name].tolist(), name
    assert both.scale.used == alone.scale.used


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
