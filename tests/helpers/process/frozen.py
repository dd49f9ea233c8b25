"""Freeze what lives as long as the test process, and bound the garbage that is frozen with it.

A full garbage collection visits all objects that are not frozen (``gc.freeze``). The modules and
tests of this project are half a million: that is 0.3 seconds, and a test of the monitor causes one
every second or third time. So a process freezes all objects once it has collected its tests.

The monitor freezes all objects, too, and unfreezes all when it ends. After each test the process
freezes them again. That also freezes the monitor that ended, one large cycle of some 20,000
objects, which no collection would ever find. So after enough of them the process unfreezes
everything, collects the garbage, and freezes the rest.

To count frozen objects takes 10 ms, so that happens only after tests in which a monitor froze or
unfroze them: `note_changes` notes calls of the two functions.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

LIMIT = 300_000  # objects, about 15 monitors
_baseline = 0
_is_changed = False


def note_changes() -> None:
    """Note each call of ``gc.freeze`` and ``gc.unfreeze`` from now on."""
    gc.freeze, gc.unfreeze = _noted(gc.freeze), _noted(gc.unfreeze)


def _noted(function: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        global _is_changed
        _is_changed = True
        function()

    return call


def freeze() -> None:
    """Collect all garbage, also what is frozen, and freeze the rest."""
    global _baseline, _is_changed
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _baseline = gc.get_freeze_count()
    _is_changed = False


def keep_frozen() -> bool:
    """Freeze all objects again if a monitor unfroze them, and bound the frozen garbage.

    Return True if garbage was collected.
    """
    global _is_changed
    if not _is_changed:
        return False
    if gc.get_freeze_count() < _baseline:
        gc.freeze()
    _is_changed = False
    if gc.get_freeze_count() - _baseline < LIMIT:
        return False
    freeze()
    return True
