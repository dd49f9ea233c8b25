"""All statistics of some packets together."""

from __future__ import annotations

from core.analysis.statistics.statistics import StatisticsCounter
from core.wire.model.dissection import PacketFlag
from tests.core.analysis.statistics.packets import chunk_of
from tests.core.decode.frames import tcp_frame, udp_frame


def test_totals_of_several_chunks() -> None:
    counter = StatisticsCounter()
    counter.add(chunk_of([tcp_frame(), udp_frame()], original=[100, 3_000], times_ns=[50, 20]))
    counter.add(chunk_of([]))
    counter.add(chunk_of([tcp_frame()], original=[200], times_ns=[1_000_000_020]))
    found = counter.result(through=3)
    assert (found.packets, found.bytes, found.through) == (3, 3_300, 3)
    assert (found.first_ns, found.last_ns, found.duration_s) == (20, 1_000_000_020, 1.0)
    assert sum(each.packets for each in found.lengths) == 3
    assert int(found.rate.bytes.sum()) == 3_300
    assert found.addresses == len(found.talkers) == 2


def test_packets_without_a_time_are_in_no_bin() -> None:
    counter = StatisticsCounter()
    frames = [tcp_frame(), tcp_frame()]
    flags = [PacketFlag.TIME_INVALID, 0]
    chunk = chunk_of(frames, flags=[int(flag) for flag in flags])
    chunk.timestamp_ns[0] = 0
    counter.add(chunk)
    found = counter.result()
    assert (found.packets, found.untimed, int(found.rate.packets.sum())) == (2, 1, 1)


def test_no_packets() -> None:
    found = StatisticsCounter().result()
    assert (found.packets, found.duration_s, list(found.hierarchy.nodes())) == (0, 0.0, [])
