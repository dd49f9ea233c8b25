"""The statistics and the names of 1.5 million mixed packets, on the analysis thread.

Processor time of all steps, and the longest one: a step delays the others, such as a filter.
"""

from __future__ import annotations

import time

from core.analysis.analyzer import Analyzer
from core.analysis.names.name_index import NameIndex
from core.analysis.statistics.analyzer import StatisticsIndex
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from tests.bench.bench_store import Figure, capture, store_of

PACKETS = 1_500_000
SLICE_S = 0.02


def seconds(snapshot: Snapshot, analyzer: Analyzer) -> tuple[float, float]:
    """Return the processor time of an analyzer for all packets, and that of its longest step."""
    total = longest = 0.0
    has_more = True
    while has_more:
        before = time.thread_time()
        has_more = analyzer.extend(snapshot, Budget(SLICE_S))
        step = time.thread_time() - before
        total, longest = total + step, max(longest, step)
    return total, longest


def main() -> int:
    snapshot = store_of(capture(PACKETS)).snapshot()
    statistics, names = StatisticsIndex(), NameIndex()
    counting, counting_step = seconds(snapshot, statistics)
    reading, reading_step = seconds(snapshot, names)
    assert statistics.published.packets == PACKETS
    figures = [
        Figure("statistics", counting, "s", 1),
        Figure("names", reading, "s", 0.5),
        Figure("the longest step of statistics", counting_step, "s", 0.05),
        Figure("the longest step of names", reading_step, "s", 0.05),
    ]
    for figure in figures:
        print(figure, flush=True)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
