"""New headers before packets, which lie anywhere in an array."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.forge.transmit.frame_assembly import joined, selected
from tests.core.forge.review.test_capture_review import batch_of
from tests.core.forge.transmit.rewriting import frames_of

DATA = np.arange(200, dtype=np.uint8)
RANGES = st.lists(st.tuples(st.integers(0, 150), st.integers(0, 50), st.booleans()), max_size=12)


def check(ranges: list[tuple[int, int, bool]]) -> None:
    at, size = (np.array([one[part] for one in ranges], np.int64) for part in (0, 1))
    has_head = np.array([one[2] for one in ranges], bool)
    heads = np.arange(3 * int(has_head.sum()), dtype=np.uint8).reshape(-1, 3) + np.uint8(200)
    found, offset, length = joined(DATA, at, size, heads, has_head)
    left = iter(heads)
    for row, (start, count, has) in enumerate(ranges):
        head = next(left).tobytes() if has else b""
        frame = found[offset[row] : offset[row] + length[row]].tobytes()
        assert frame == head + DATA[start : start + count].tobytes()


@given(RANGES)
def test_packets_in_any_order_that_may_overlap(ranges: list[tuple[int, int, bool]]) -> None:
    check(ranges)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=10))
def test_packets_in_order_with_and_without_gaps(parts: list[tuple[int, int, bool]]) -> None:
    ranges, at = [], 0
    for gap, size, has_head in parts:
        ranges.append((at + gap, size, has_head))
        at += gap + size
    check(ranges)


def test_selected_packets_share_the_bytes() -> None:
    batch = batch_of([b"one", b"two", b"three"], [1, 2, 3])
    some = selected(batch, np.array([True, False, True]))
    assert frames_of(some) == [b"one", b"three"]
    assert some.timestamp_ns.tolist() == [1, 3]
    assert some.data is batch.data
