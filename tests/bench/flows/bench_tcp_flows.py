"""The speed of the analysis of TCP flows, next to tshark's pass over the same packets.

1.5 million segments of many connections (`tests.bench.traffic.transfers`): handshakes, data with
timestamps, acknowledgments, and one loss in a thousand segments. Processor time; tshark reads the
same packets, and writes the numbers of those with analysis flags.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from core.analysis.tcp.flow_index import FlowIndex
from core.files.chunks import iter_chunks
from core.files.reader import open_capture
from core.store.budget import Budget
from core.store.packet_store import PacketStore
from tests.bench.bench_store import Figure
from tests.bench.flows.peer_time import tshark_s
from tests.bench.traffic import transfers

PACKETS = 1_500_000
MOST_S = 2.0
LEAST_FACTOR = 10.0


def ours(path: Path) -> tuple[float, int]:
    """Return the processor time of the analysis of a file's packets, and their number."""
    store = PacketStore(1 << 32)
    with open_capture(str(path)) as reader:
        for chunk in iter_chunks(reader):
            if not store.snapshot().interfaces:
                store.add_interface(reader.interfaces[0])
            store.append_chunk(chunk)
        snapshot = store.snapshot()
        index = FlowIndex()
        before = time.process_time()
        while index.extend(snapshot, Budget(0.02)):
            pass
        return time.process_time() - before, snapshot.count


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "all.pcap")
        transfers.write_pcap(path, PACKETS)
        seconds, count = ours(path)
        figures = [Figure(f"TCP analysis of {count:,} packets", seconds, "s", MOST_S)]
        factor = (
            tshark_s(path, "-Y", "tcp.analysis.flags", "-T", "fields", "-e", "frame.number")
            / seconds
        )
        figures.append(
            Figure("faster than tshark's pass", factor, "times", LEAST_FACTOR, most=False)
        )
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
