"""The speed of a search over 1.5 million packets that finds nothing, and so reads all of them.

Processor time of the analysis thread; the screen runs it in slices of 20 ms. While a text is
searched for, keys move the cursor in the monitor; their bound is that of `bench_filter_keys`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from core.analysis.search.criteria import Criterion, TimeCriterion
from core.analysis.search.jumps import Jump, criterion_of
from core.analysis.search.query import SearchKind, SearchQuery
from core.analysis.search.search import Search
from core.analysis.tcp.flow_index import FlowIndex
from core.store.budget import Budget
from core.store.filtered_view import AllPackets
from core.store.snapshot import Snapshot
from tests.bench.bench_filter_keys import SIZE, Keyboard, report
from tests.bench.bench_monitor import ROOT
from tests.bench.bench_store import Figure, capture, store_of
from tests.bench.terminal import Terminal
from tests.bench.traffic.mixed import write_pcap

PACKETS = 1_500_000
KEYS = 100  # while a search runs
ABSENT = "no packet has this text"
SLICE_S = 0.02


def seconds(snapshot: Snapshot, criterion: Criterion) -> float:
    """Return the processor time of a search through all packets."""
    search = Search(criterion, AllPackets(snapshot.first, snapshot.count), 5)
    before = time.process_time()
    while search.extend(snapshot, Budget(SLICE_S)):
        pass
    assert search.state.found is None, search.state
    return time.process_time() - before


def main() -> int:
    snapshot = store_of(capture(PACKETS)).snapshot()
    index = FlowIndex()
    index.extend(snapshot, Budget())
    searches = (
        ("bytes", SearchQuery(ABSENT.encode().hex(), SearchKind.HEX).criterion(), 1),
        ("text", SearchQuery(ABSENT).criterion(index.published), 3),
        ("filter", SearchQuery("tcp.port == 3", SearchKind.FILTER).criterion(), 0.5),
        ("malformed", criterion_of(Jump.MALFORMED), 0.5),
        ("time", TimeCriterion(1 << 62), 0.1),
    )
    figures = [
        Figure(name, seconds(snapshot, criterion), "s", bound)
        for name, criterion, bound in searches
    ]
    for figure in figures:
        print(figure, flush=True)
    held = keys_while_searching()
    return 0 if held and all(figure.held for figure in figures) else 1


def keys_while_searching() -> bool:
    """Move the cursor while the monitor searches for a text, again and again."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "rows.pcap")
        write_pcap(path, PACKETS)
        terminal = Terminal([sys.executable, "-m", "app", "-r", str(path)], *SIZE, ROOT)
        keyboard, times = Keyboard(terminal), []
        try:
            keyboard.open(PACKETS)
            while len(times) < KEYS:
                keyboard.search(ABSENT)
                while keyboard.is_searching and len(times) < KEYS:
                    times.append(keyboard.move())
        finally:
            terminal.close()
    return report("while a text is searched for", times)


if __name__ == "__main__":
    sys.exit(main())
