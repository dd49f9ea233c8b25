"""The number of slots of a ring."""

from __future__ import annotations

import mmap

from hypothesis import given
from hypothesis import strategies as st

from core.forge.transmit.tx_slots import _MOST_CYCLE_BYTES, slot_count

SIZES = st.sampled_from([1 << power for power in range(7, 18)])


@given(SIZES, st.integers(0, 1 << 20))
def test_slots_fill_whole_pages_and_a_bounded_memory(size: int, cycle: int) -> None:
    count = slot_count(size, cycle)
    assert count > 0
    assert count * size % mmap.PAGESIZE == 0
    assert count * size <= _MOST_CYCLE_BYTES


def test_a_ring_has_whole_cycles_as_far_as_memory_allows() -> None:
    assert slot_count(2048, 0) == 4096
    assert slot_count(2048, 5) == 4090
    assert slot_count(2048, 10_000) == 10_000
    assert slot_count(2048, 9_999) == slot_count(2048, 20_000) == 4096
    assert slot_count(128, 3) == 4032
