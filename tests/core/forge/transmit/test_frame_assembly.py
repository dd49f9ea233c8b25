"""New headers before packets, which lie anywhere in an array."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.forge.transmit.frame_assembly import copy_frames, joined, repeated, selected, with_frames
from tests.core.decode.support import batch_of
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
    batch = batch_of([b"one", b"two", b"three"], times_ns=[1, 2, 3])
    some = selected(batch, np.array([True, False, True]))
    assert frames_of(some) == [b"one", b"three"]
    assert some.timestamp_ns.tolist() == [1, 3]
    assert some.data is batch.data


@given(
    st.lists(st.tuples(st.integers(0, 1999), st.integers(1, 700)), min_size=1, max_size=20),
    st.integers(0, 600),
)
def test_copied_frames_begin_their_slots(places: list[tuple[int, int]], room: int) -> None:
    """Frames of any length, up to the last byte; no byte beyond the longest frame changes."""
    data = np.random.default_rng(1).integers(0, 256, 2000, dtype=np.uint8)
    offset = np.array([at for at, _ in places], np.int64)
    length = np.minimum([size for _, size in places], 2000 - offset)
    slots = np.full((len(places), int(length.max()) + room), 0x55, np.uint8)
    copy_frames(slots, data, offset, length)
    for slot, at, size in zip(slots, offset, length, strict=True):
        assert (slot[:size] == data[at : at + size]).all()
        assert (slot[length.max() :] == 0x55).all()


@given(st.integers(1, 300), st.integers(0, 40), st.integers(2, 9), st.integers(0, 300))
def test_evenly_spaced_frames_up_to_the_end(size: int, gap: int, count: int, rest: int) -> None:
    offset = np.arange(count) * (size + gap)
    data = np.random.default_rng(2).integers(0, 256, int(offset[-1]) + size, dtype=np.uint8)
    length = np.full(count, size)
    length[-1] = max(1, size - rest)
    data = data[: offset[-1] + length[-1]]
    slots = np.zeros((count, size), np.uint8)
    copy_frames(slots, data, offset, length)
    for slot, at, each in zip(slots, offset, length, strict=True):
        assert (slot[:each] == data[at : at + each]).all()


def test_new_frames_lack_the_bytes_that_their_capture_had_cut() -> None:
    whole = batch_of([b"one", b"three"], times_ns=[1, 2])
    batch = replace(whole, original=np.array([3, 9], np.uint32))
    longer = with_frames(batch, DATA, np.array([5, 7]), np.array([4, 8]))
    assert frames_of(longer) == [DATA[5:9].tobytes(), DATA[7:15].tobytes()]
    assert longer.original.tolist() == [4, 12]
    assert longer.timestamp_ns.tolist() == [1, 2]


def test_repeated_packets_share_the_bytes() -> None:
    batch = batch_of([b"one", b"three"], times_ns=[1, 2])
    again = repeated(batch, 3)
    assert frames_of(again) == [b"one", b"three"] * 3
    assert again.timestamp_ns.tolist() == [1, 2] * 3
    assert again.data is batch.data
