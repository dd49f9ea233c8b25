"""Keep frozen objects from filling a long-lived test process.

The monitor freezes (``gc.freeze``) all objects after its first frame. That suits a program that
shows one monitor and ends. A test process shows hundreds, one after the other: each is one large
cycle of some 20,000 objects, and a frozen cycle is never collected. That was 3 MB a monitor and 900
MB at the end of the suite. So after enough tests a process unfreezes everything, collects the
garbage, and freezes the rest again.
"""

from __future__ import annotations

import gc

LIMIT = 300_000  # objects, about 15 monitors; a full collection of what lives takes 0.2 s
_baseline = 0


def bound_frozen() -> bool:
    """Collect frozen garbage if `LIMIT` objects were frozen since; return True if so."""
    global _baseline
    if gc.get_freeze_count() - _baseline < LIMIT:
        return False
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _baseline = gc.get_freeze_count()
    return True
