"""All statistics of some packets together."""

from __future__ import annotations

import struct
import tracemalloc
from dataclasses import replace

import numpy as np

from core.analysis.statistics import hierarchy
from core.analysis.statistics.hierarchy import MOST_PATHS
from core.analysis.statistics.statistics import MOST_BYTES, StatisticsCounter
from core.analysis.statistics.talkers import MOST_ADDRESSES
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


def test_a_full_counter_holds_no_more_than_its_bound(monkeypatch) -> None:
    """Fill every table with more than it keeps, and measure what the counter holds."""
    kept = MOST_ADDRESSES
    chunks = []
    for kind in range(3):
        chunk = chunk_of([_frame(kind, number) for number in range(kept // 2 + 9)])
        times = (np.arange(len(chunk)) + kind * len(chunk)) * 10**9
        chunks.append(replace(chunk, timestamp_ns=times))
    paths = [f"{number:04}:" + "ip:" * 90 for number in range(2 * MOST_PATHS)]
    index = np.arange(len(chunks[0])) % len(paths)
    monkeypatch.setattr(hierarchy, "paths_of", lambda chunk: (paths, index))
    tracemalloc.start()
    try:
        counter = StatisticsCounter()
        for chunk in chunks:
            counter.add(chunk)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counter.result().addresses == 3 * kept
    assert 0.9 * MOST_BYTES < held <= MOST_BYTES


def _frame(kind: int, number: int) -> bytes:
    """Return a frame between two addresses of its own: of Ethernet, IPv4, or IPv6."""
    first, second = (struct.pack(">I", 2 * number + end) for end in (1, 2))
    if kind == 0:
        return b"\2\0" + first + b"\2\0" + second + b"\x88\xb5"
    link = bytes(12)
    if kind == 1:
        return link + b"\x08\0" + b"E\0\0\x14" + bytes(4) + b"@\xfd\0\0" + first + second
    prefix = b"\x20\x01\x0d\xb8" + bytes(8)
    return link + b"\x86\xdd" + b"`\0\0\0\0\0\x3b@" + prefix + first + prefix + second
