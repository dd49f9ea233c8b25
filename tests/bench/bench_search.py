"""The speed of a search over 1.5 million packets that finds nothing, and so reads all of them.

Processor time of the analysis thread; the screen runs it in slices of 20 ms.
"""

from __future__ import annotations

import sys
import time

from core.analysis.search.criteria import Criterion, TimeCriterion
from core.analysis.search.jumps import Jump, criterion_of
from core.analysis.search.query import SearchKind, SearchQuery
from core.analysis.search.search import Search
from core.analysis.sequences import SequenceIndex
from core.store.budget import Budget
from core.store.filtered_view import AllPackets
from core.store.snapshot import Snapshot
from tests.bench.bench_store import Figure, capture, store_of

PACKETS = 1_500_000
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
    index = SequenceIndex()
    index.extend(snapshot, Budget())
    absent = "no packet has this text"
    searches = (
        ("bytes", SearchQuery(absent.encode().hex(), SearchKind.HEX).criterion(), 1),
        ("text", SearchQuery(absent).criterion(index.published), 15),
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
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
