"""The costs of the packet store: decoding, copying, checking, finding.

1.5 million mixed packets (`tests.bench.traffic.mixed`) are in memory, laid out as in a mapped file.
The figures are processor time of this one thread, the best of a few runs, since the host may have
other work; each is printed next to its bound.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.tcp.flow_index import FlowIndex
from core.decode import verdicts
from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import COLUMN_BYTES, VERDICT_UNKNOWN
from core.decode.columns import SLOTS, read
from core.decode.header_index import index_batch
from core.store.budget import Budget
from core.store.filtered_view import View
from core.store.packet_store import PacketStore
from core.store.snapshot import Snapshot
from core.wire.checksum.batch_checksums import header_sums, ones_sums
from tests.bench.traffic.mixed import frames

PACKETS = 1_500_000
RECORD_HEADER = 16  # bytes between frames, as in a pcap file
SCREEN = 50
COLUMNS = (
    "tcp.srcport",
    "udp.dstport",
    "eth.type",
    "eth.src",
    "eth.dst",
    "vlan.id",
    "arp.opcode",
    "arp.src.proto_ipv4",
)


@dataclass
class Figure:
    """A measured value and the worst accepted one; `most` is false for a rate."""

    what: str
    value: float
    unit: str
    bound: float
    most: bool = True

    @property
    def held(self) -> bool:
        return self.value <= self.bound if self.most else self.value >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.most else "≥"
        state = "" if self.held else "   WORSE"
        return f"{self.what:<58}{self.value:>9.2f} {self.unit:<10} {sign} {self.bound:g}{state}"


def best(work: Callable[[], object], runs: int = 3) -> float:
    """Return the processor time of the fastest run, in seconds."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def capture(packets: int = PACKETS, made: list[bytes] | None = None) -> Batch:
    """Return packets, repeated from `made` (mixed ones if None), as one stable batch."""
    made = frames() if made is None else made
    block = b"".join(bytes(RECORD_HEADER) + frame for frame in made)
    repeats = -(-packets // len(made))
    lengths = np.tile(np.array([len(frame) for frame in made]), repeats)[:packets]
    return Batch(
        data=np.frombuffer(block * repeats, dtype=np.uint8),
        offset=np.cumsum(lengths + RECORD_HEADER) - lengths,
        captured=lengths.astype(np.uint32),
        original=lengths.astype(np.uint32),
        timestamp_ns=np.arange(packets, dtype=np.int64),
        interface=np.zeros(packets, dtype=np.uint16),
        flags=np.zeros(packets, dtype=np.uint16),
        stable=True,
    )


def store_of(batch: Batch, step: int | None = None, limit: int = 1 << 32) -> PacketStore:
    """Return a store of the batch: in place, or copied in pieces of `step` packets."""
    store = PacketStore(limit)
    store.add_interface(CaptureInterface("bench", 1))
    if step is None:
        store.append(batch)
        return store
    for at in range(0, len(batch), step):
        part = slice(at, at + step)
        columns = {
            name: getattr(batch, name)[part]
            for name in Batch.__slots__
            if name not in ("data", "stable", "comments")
        }
        store.append(Batch(data=batch.data, stable=False, **columns))
    return store


def sums() -> list[Figure]:
    """Measure the batch checksum alone."""
    figures = []
    for size, bound in ((60, 0.4), (1_500, 3.0), (9_000, 3.0)):
        count = min(400_000, 60_000_000 // size)
        data = np.random.default_rng(1).integers(0, 256, count * (size + 16), dtype=np.uint8)
        starts = np.arange(count) * (size + 16) + 16
        lengths = np.full(count, size)
        seconds = best(lambda d=data, s=starts, n=lengths: ones_sums(d, s, n))
        rate = count * size / seconds / 1e9
        figures.append(Figure(f"sum of {size}-byte ranges", rate, "GB/s", bound, most=False))
    rows = 8_192
    starts, words = np.arange(rows) * 76 + 30, np.full(rows, 5)
    seconds = best(lambda: [header_sums(data, starts, words) for _ in range(20)]) / 20
    figures.append(Figure("sum of an IPv4 header", seconds / rows * 1e9, "ns/packet", 60))
    return figures


def decoding(batch: Batch) -> list[Figure]:
    """Measure decoding, and decoding with keeping or copying."""
    count = len(batch)
    link_type = np.ones(count, dtype=np.int32)
    scale = 1e9 / count
    return [
        Figure(
            "layout decode", best(lambda: index_batch(batch, link_type)) * scale, "ns/packet", 350
        ),
        Figure("append, kept in place", best(lambda: store_of(batch)) * scale, "ns/packet", 400),
        Figure(
            "append, copied, batches of 8,192",
            best(lambda: store_of(batch, 8_192), 2) * scale,
            "ns/packet",
            800,
        ),
        Figure(
            "append, copied, batches of 500, evicting over 32 MiB",
            best(lambda: store_of(batch, 500, 32 << 20), 1) * scale,
            "ns/packet",
            3_000,
        ),
        Figure("columns of a packet", COLUMN_BYTES, "bytes", 40),
    ]


def querying(snapshot: Snapshot) -> list[Figure]:
    """Measure the queries of a screen, a filter, and a table color."""
    chunks, count = snapshot.chunks, snapshot.count

    def check() -> None:
        for chunk in chunks:
            chunk.verdict.fill(VERDICT_UNKNOWN)
            verdicts.fill(chunk)

    def column(name: str) -> None:
        for chunk in chunks:
            read(chunk, SLOTS[name])

    def block() -> None:
        chunks[3].verdict.fill(VERDICT_UNKNOWN)
        snapshot.packet(chunks[3].first + 5_000)

    def screen() -> None:
        for number in range(count - SCREEN, count):
            index.published.base(number)

    checked = best(check, 2)
    warm = count // 2
    snapshot.packet(warm)
    index = FlowIndex()
    first = best(lambda: index.extend(snapshot, Budget()), 1)
    ends = PacketFilter.compile("tcp.port == 443 and ip.addr == 10.0.0.17")  # many have the port
    filtered = best(lambda: View(ends).extend(snapshot, Budget()))
    return [
        Figure("verdicts of all packets", checked / count * 1e9, "ns/packet", 600),
        Figure("one packet, its block not checked yet", best(block) * 1e3, "ms", 5),
        Figure(
            "one packet", best(lambda: [snapshot.packet(warm) for _ in range(200)]) * 5e3, "µs", 20
        ),
        *(
            Figure(
                f"{name} as a column of all packets",
                best(lambda name=name: column(name)) * 1e3,
                "ms",
                100,
            )
            for name in COLUMNS
        ),
        Figure("handshakes of all packets", first * 1e3, "ms", 100),
        Figure("connection filter of all packets", filtered * 1e3, "ms", 300),
        Figure(f"relative numbers of {SCREEN} rows", best(screen, 1) * 1e3, "ms", 8),
    ]


def main() -> int:
    batch = capture()
    print(f"{len(batch):,} packets, {len(batch.data) / 1e6:.0f} MB")
    figures = [*sums(), *decoding(batch), *querying(store_of(batch).snapshot())]
    for figure in figures:
        print(figure)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
