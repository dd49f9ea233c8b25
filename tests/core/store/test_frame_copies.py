"""Copy frames of every length, in any order and in ascending order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store import frame_copies
from core.store.frame_copies import (
    LONG,
    SHORT,
    assigns_in_order,
    copy_frames,
    copy_frames_in_order,
    items_of,
)

EDGES = [0, 1, SHORT - 1, SHORT, SHORT + 1, 2 * SHORT, LONG - 1, LONG, LONG + 1]


def test_copies_every_length_between_canaries():
    """Each length from 0 past every class boundary arrives whole, and nothing beside it changes."""
    frames = [bytes([1 + n % 255]) * n for n in [*range(140), 2047, 2048, 2049, 4096, 70_000]]
    lengths = np.array([len(frame) for frame in frames], dtype=np.int64)
    source = np.frombuffer(b"\x00".join(frames), dtype=np.uint8)
    starts = np.cumsum(lengths + 1) - lengths - 1
    target = np.full(lengths.sum() + 5 * len(frames), 0xEE, dtype=np.uint8)
    places = np.cumsum(lengths + 5) - lengths - 2
    copy_frames(source, starts, lengths, target, places)
    expected = b"".join(b"\xee" * 3 + frame + b"\xee" * 2 for frame in frames)
    assert target.tobytes() == expected


@given(
    lengths=st.lists(st.integers(0, 2 * SHORT) | st.sampled_from(EDGES), max_size=30),
    gap=st.sampled_from([0, 1, 16, 48, 300]),
    before=st.sampled_from([0, 1, 500]),
    seed=st.integers(0, 1 << 30),
)
def test_ascending_places_get_every_byte(
    lengths: list[int], gap: int, before: int, seed: int
) -> None:
    """Also for frames in any order in the source, and next to its ends and those of the target."""
    random = np.random.default_rng(seed)
    length = np.array(lengths, np.int64)
    order = random.permutation(len(length))
    starts = np.zeros(len(length), np.int64)
    starts[order] = np.cumsum(length[order]) - length[order]
    source = random.integers(0, 256, int(length.sum()), np.uint8)
    places = np.cumsum(length + gap) - length - gap + before
    size = before + int((length + gap).sum())
    target = np.full(size, 0xEE, np.uint8)
    copy_frames_in_order(source, starts, length, target, places)
    for start, count, place in zip(starts, lengths, places, strict=True):
        assert np.array_equal(target[place : place + count], source[start : start + count])
    changed = np.ones(size, np.bool_)
    for place, count in zip(places, lengths, strict=True):
        changed[place : place + max(count, SHORT)] = False
    assert (target[changed] == 0xEE).all()


@pytest.mark.parametrize("count", [2, 100, 10_000])
def test_numpy_assigns_overlapping_items_in_order(count: int) -> None:
    """`copy_frames_in_order` depends on it: each item wins over those before it."""
    places = np.arange(count) * 3
    values = np.arange(count * SHORT).astype(np.uint8)
    target = np.zeros(3 * count + SHORT, np.uint8)
    items = np.ndarray((3 * count + 1,), f"V{SHORT}", target.data, 0, (1,))
    items[places] = values.view(items.dtype)
    expected = np.zeros_like(target)
    for place, item in zip(places.tolist(), values.reshape(count, SHORT), strict=True):
        expected[place : place + SHORT] = item
    assert np.array_equal(target, expected)


class Reversing(np.ndarray):
    """Items that are assigned from the last to the first."""

    def __setitem__(self, places, values) -> None:
        super().__setitem__(places[::-1], values[::-1])


def reversed_items(data: np.ndarray, width: int) -> np.ndarray:
    """Return the items of `data`, as of a numpy that assigns in another order."""
    return items_of(data, width).view(Reversing)


def test_the_check_of_the_order_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert frame_copies.IS_IN_ORDER
    assert assigns_in_order(2)
    monkeypatch.setattr(frame_copies, "items_of", reversed_items)
    assert not assigns_in_order()
    assert not assigns_in_order(2)


@pytest.mark.parametrize("is_in_order", [False, True])
def test_every_byte_arrives_also_without_the_order(
    is_in_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the check, a numpy of another order would damage frames."""
    lengths = np.array([60, 61, 128, 5, 70, 130, 1500] * 50, np.int64)
    starts = np.cumsum(lengths) - lengths
    source = np.random.default_rng(1).integers(0, 256, int(lengths.sum()), np.uint8)
    places = starts + 16 * np.arange(len(lengths))
    target = np.zeros(int(places[-1] + lengths[-1]) + SHORT, np.uint8)
    monkeypatch.setattr(frame_copies, "items_of", reversed_items)
    monkeypatch.setattr(frame_copies, "IS_IN_ORDER", is_in_order)
    copy_frames_in_order(source, starts, lengths, target, places)
    arrived = np.concatenate(
        [target[place : place + count] for place, count in zip(places, lengths, strict=True)]
    )
    assert np.array_equal(arrived, source) is not is_in_order
