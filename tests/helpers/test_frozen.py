"""A test process frees the garbage that the program froze."""

from __future__ import annotations

import gc
import weakref

from tests.helpers.frozen import LIMIT, bound_frozen


class Cycle:
    def __init__(self) -> None:
        self.me = self
        self.content = [[] for _ in range(LIMIT)]


def test_frozen_cycles_are_collected_once_there_are_many():
    bound_frozen()
    made = Cycle()
    cycle = weakref.ref(made)
    gc.freeze()
    del made
    gc.collect()
    assert cycle() is not None
    assert bound_frozen()
    assert cycle() is None
    assert not bound_frozen()
