"""Values that were used lately are kept, others are freed at once, without a collection."""

from __future__ import annotations

import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st

from widgets.lines.recent_values import RecentValues

LEAST = 4


class Value:
    """A value that may be in a cycle if the cache made one."""


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12))))
def test_the_last_ones_are_kept_and_not_more_than_twice_as_many(steps):
    values: RecentValues[int, int] = RecentValues(LEAST)
    known: dict[int, int] = {}  # key → value, the one used last at the end
    for serial, (is_put, key) in enumerate(steps):
        if is_put:
            known.pop(key, None)
            known[key] = serial
            values.put(key, serial)
        elif (found := values.get(key)) is not None:
            assert found == known.pop(key)
            known[key] = found
        assert len(values) <= 2 * LEAST
    assert len(values) >= min(LEAST, len(known))
    for key in list(known)[-LEAST:]:
        assert values.get(key) == known[key]


def freed_after(drop) -> bool:
    """Return True if `drop` frees a value of a cache without a collection of garbage."""
    values: RecentValues[int, Value] = RecentValues(LEAST)
    value = Value()
    values.put(0, value)
    for key in range(1, LEAST):
        values.put(key, Value())
    reference = weakref.ref(value)
    del value
    gc.disable()
    try:
        drop(values)
        return reference() is None
    finally:
        gc.enable()


def test_dropped_values_are_freed_at_once():
    assert freed_after(RecentValues.clear)
    assert freed_after(lambda values: [values.put(key, Value()) for key in range(100, 110)])
    assert not freed_after(lambda values: values.get(0))
