"""A test process stays frozen, and frees the garbage that is frozen with it."""

from __future__ import annotations

import gc
import weakref

from tests.helpers.process.frozen import LIMIT, freeze, keep_frozen


class Cycle:
    def __init__(self) -> None:
        self.me = self
        self.content = [[] for _ in range(LIMIT)]


def test_frozen_cycles_are_collected_once_there_are_many():
    freeze()
    made = Cycle()
    cycle = weakref.ref(made)
    gc.freeze()
    del made
    gc.collect()
    assert cycle() is not None
    assert keep_frozen()
    assert cycle() is None
    assert not keep_frozen()


def test_objects_that_a_monitor_unfroze_are_frozen_again():
    freeze()
    before = gc.get_freeze_count()
    gc.unfreeze()
    assert not keep_frozen()
    assert gc.get_freeze_count() >= before
