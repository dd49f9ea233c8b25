"""Packets by length."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.statistics.lengths import EDGES, LengthCounter


@pytest.mark.parametrize("largest", [5119, 5120, 1 << 20, (1 << 32) - 1])
def test_ranges(largest) -> None:
    """Compared with a count by hand, over lengths at and around the edges."""
    lengths = [size for edge in EDGES for size in (edge, edge + 1, edge + 1)] + [19, 39, largest]
    counter = LengthCounter()
    for part in (lengths[:7], [], lengths[7:]):
        counter.add(np.array(part, np.uint32))
    for found in counter.result():
        last = found.last if found.last is not None else max(lengths)
        inside = [size for size in lengths if found.first <= size <= last]
        expected = (len(inside), sum(inside), min(inside), max(inside))
        assert (found.packets, found.bytes, found.shortest, found.longest) == expected
        assert found.average == sum(inside) / len(inside)


def test_ranges_without_packets() -> None:
    first, *_, last = LengthCounter().result()
    assert (first.packets, first.shortest, first.longest, first.average) == (0, 0, 0, 0.0)
    assert (first.text, last.text) == ("0-19", "5120 and greater")
