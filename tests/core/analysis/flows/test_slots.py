"""Keys get slots in the order in which they come, up to a bound, and keep them."""

from __future__ import annotations

import numpy as np

from core.analysis.flows.slots import NO_SLOT, SlotIndex


def _keys(*keys: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(keys, np.uint64)


def test_slots_are_kept_and_bounded() -> None:
    index = SlotIndex(4)
    assert index.known(_keys(5)).tolist() == [NO_SLOT]
    assert index.add(_keys(30, 10)).tolist() == [0, 1]
    assert index.add(_keys(20, 5, 40)).tolist() == [2, 3, NO_SLOT]
    assert index.known(_keys(5, 10, 20, 30, 40, 2**64 - 1)).tolist() == [3, 1, 2, 0, -1, -1]
    assert len(index) == 4
    assert index.add(_keys(50)).tolist() == [NO_SLOT]


def test_slots_of_removed_keys_are_given_again() -> None:
    index = SlotIndex(4)
    index.add(_keys(30, 10, 20))
    index.remove(np.array([1, 2]))
    assert index.known(_keys(10, 20, 30)).tolist() == [NO_SLOT, NO_SLOT, 0]
    assert index.add(_keys(7, 8, 9, 11)).tolist() == [1, 2, 3, NO_SLOT]
    index.remove(np.array([0]))
    assert len(index) == 3
    assert index.add(_keys(30)).tolist() == [0]
    assert index.known(_keys(7, 8, 9, 30)).tolist() == [1, 2, 3, 0]
