"""The speed of counting conversations, next to ``tshark -q -z conv,tcp`` over the same packets.

1.5 million segments of many connections (`tests.bench.traffic.transfers`), all levels at once, and
the same number of packets of which each has other addresses, the worst case. The processor time of
the thread that counts; that of the analysis of TCP, which the conversations read, is measured by
`bench_tcp_flows`. tshark reads the same packets.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.analysis.flows.analyzer import FlowAnalyzer
from core.analysis.flows.listing import FlowQuestion
from core.analysis.flows.table import FLOW_BYTES
from core.analysis.tcp.flow_index import index_of
from core.files.chunks import iter_chunks
from core.files.reader import open_capture
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.link.ethernet import ETHERNET
from tests.bench.bench_store import Figure, capture, store_of
from tests.bench.flows.peer_time import tshark_s
from tests.bench.traffic import transfers
from tests.core.decode.frames import udp_frame

PACKETS = 1_500_000
MOST_S = 1.0
LEAST_FACTOR = 5.0
MOST_FLOW_BYTES = 300


def snapshot_of(path: Path) -> Snapshot:
    """Return the packets of a file in a store, their flows analyzed."""
    store = PacketStore(1 << 32)
    with open_capture(str(path)) as reader:
        for chunk in iter_chunks(reader):
            if not store.snapshot().interfaces:
                store.add_interface(reader.interfaces[0])
            store.append_chunk(chunk)
        return analyzed(store.snapshot())


def analyzed(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot after the analysis of its flows."""
    index_of(snapshot).reaching(snapshot, snapshot.count)
    return snapshot


def scan() -> Snapshot:
    """Return UDP packets in a store, each with other addresses."""
    batch = capture(PACKETS, [udp_frame(b"probe")])
    data = batch.data.copy()
    addresses = np.random.default_rng(1).integers(0, 256, (PACKETS, 8), np.uint8)
    data[batch.offset[:, None] + ETHERNET.size + 12 + np.arange(8)] = addresses
    return analyzed(store_of(replace(batch, data=data)).snapshot())


def ours(snapshot: Snapshot) -> float:
    """Return the processor time of counting, all packets, in steps of the analysis thread."""
    analyzer = FlowAnalyzer(FlowQuestion())
    before = time.thread_time()
    while analyzer.extend(snapshot, Budget(0.02)):
        pass
    assert analyzer.through == snapshot.count
    return time.thread_time() - before


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "all.pcap")
        transfers.write_pcap(path, PACKETS)
        snapshot = snapshot_of(path)
        seconds = ours(snapshot)
        figures = [Figure(f"conversations of {snapshot.count:,} segments", seconds, "s", MOST_S)]
        factor = tshark_s(path, "-q", "-z", "conv,tcp") / seconds
        figures.append(Figure("faster than tshark", factor, "times", LEAST_FACTOR, most=False))
        del snapshot
    mixed = analyzed(store_of(capture(PACKETS)).snapshot())
    figures.append(Figure(f"conversations of {PACKETS:,} mixed packets", ours(mixed), "s", MOST_S))
    del mixed
    figures.append(Figure(f"{PACKETS:,} different conversations", ours(scan()), "s", 2 * MOST_S))
    figures.append(Figure("memory of a conversation", FLOW_BYTES, "bytes", MOST_FLOW_BYTES))
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
