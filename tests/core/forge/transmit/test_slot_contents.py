"""Frames that need not be copied into a ring again."""

from __future__ import annotations

import numpy as np

from core.forge.transmit.slot_contents import _MOST_SOURCES, SlotContents

DATA = np.arange(100, dtype=np.uint8)
FRAMES = DATA, np.array([0, 10, 20]), np.array([10, 10, 5])


def test_frames_are_known_in_the_slots_that_they_were_copied_into() -> None:
    contents = SlotContents(8)
    assert not contents.are(slice(2, 5), *FRAMES)
    contents.note(slice(2, 5), *FRAMES)
    assert contents.are(slice(2, 5), *FRAMES)
    assert contents.are(slice(3, 4), DATA, FRAMES[1][1:2], FRAMES[2][1:2])
    assert not contents.are(slice(1, 4), *FRAMES)
    assert not contents.are(slice(2, 5), DATA, FRAMES[1], np.array([10, 10, 6]))
    assert not contents.are(slice(2, 5), DATA, FRAMES[1][::-1], FRAMES[2])


def test_equal_bytes_in_another_array_are_not_known() -> None:
    """They may change."""
    contents = SlotContents(8)
    contents.note(slice(0, 3), *FRAMES)
    assert not contents.are(slice(0, 3), DATA.copy(), *FRAMES[1:])


def test_slots_with_something_else_are_not_known() -> None:
    contents = SlotContents(8)
    contents.note(slice(0, 3), *FRAMES)
    contents.forget(slice(1, 2))
    assert not contents.are(slice(0, 3), *FRAMES)
    assert contents.are(slice(0, 1), DATA, FRAMES[1][:1], FRAMES[2][:1])


def test_few_arrays_stay_in_memory() -> None:
    contents = SlotContents(8)
    contents.note(slice(0, 3), *FRAMES)
    others = [DATA.copy() for _ in range(_MOST_SOURCES)]
    for other in others:
        contents.note(slice(4, 7), other, *FRAMES[1:])
    assert contents.are(slice(4, 7), others[-1], *FRAMES[1:])
    assert not contents.are(slice(0, 3), *FRAMES)
    assert len(contents._sources) <= _MOST_SOURCES
