"""Freeze what lives as long as the test process, and bound the garbage that is frozen with it.

A full garbage collection visits all objects that are not frozen (``gc.freeze``). The modules and
tests of this project are half a million: that is 0.3 seconds, and a test of the monitor causes one
every second or third time. So a process freezes all objects once it has collected its tests.

The monitor freezes all objects, too, and unfreezes all when it ends. After each test the process
freezes them again. That also freezes the monitor that ended, one large cycle of some 20,000
objects, which no collection would ever find. So after enough of them the process unfreezes
everything, collects the garbage, and freezes the rest.
"""

from __future__ import annotations

import gc

LIMIT = 300_000  # objects, about 15 monitors
_baseline = 0


def freeze() -> None:
    """Collect all garbage, also what is frozen, and freeze the rest."""
    global _baseline
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _baseline = gc.get_freeze_count()


def keep_frozen() -> bool:
    """Freeze all objects again if a monitor unfroze them, and bound the frozen garbage.

    Return True if garbage was collected.
    """
    if gc.get_freeze_count() < _baseline:
        gc.freeze()
    if gc.get_freeze_count() - _baseline < LIMIT:
        return False
    freeze()
    return True
