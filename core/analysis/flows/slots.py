"""Which row of a table has the flow of a key: sorted keys, and the slot of each.

The slots of removed keys are given to the next new ones, so the slots in use have no gap for long.

A key takes 12 bytes, and a search of k keys among n costs k binary searches in numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NO_SLOT = -1


class SlotIndex:
    """Gives each key a slot: 0 for the first one, and so on, up to `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys = np.zeros(0, np.uint64)  # ascending
        self._slots = np.zeros(0, np.uint32)
        self._free = np.zeros(0, np.int64)  # slots of removed keys

    def __len__(self) -> int:
        return len(self._keys)

    def known(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the slot of each of these keys (k,), `NO_SLOT` without one."""
        slots = np.full(len(keys), NO_SLOT, np.int64)
        if len(self._keys):
            at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
            is_known = self._keys[at] == keys
            slots[is_known] = self._slots[at[is_known]]
        return slots

    def add(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give slots to new, different keys (k,), in their order; `NO_SLOT` to those beyond `most`.

        Return the slots.
        """
        room = min(len(keys), self._most - len(self))
        slots = np.full(len(keys), NO_SLOT, np.int64)
        reused = min(room, len(self._free))
        slots[:reused], self._free = self._free[:reused], self._free[reused:]
        slots[reused:room] = len(self) + reused + np.arange(room - reused)
        order = np.argsort(keys[:room])
        at = np.searchsorted(self._keys, keys[:room][order])
        self._keys = np.insert(self._keys, at, keys[:room][order])
        self._slots = np.insert(self._slots, at, slots[:room][order].astype(np.uint32))
        return slots

    def remove(self, slots: NDArray[np.int64]) -> None:
        """Remove the keys of some slots (k,), which the next new keys get."""
        is_gone = np.zeros(len(self) + len(self._free), np.bool_)
        is_gone[slots] = True
        is_kept = ~is_gone[self._slots]
        self._keys, self._slots = self._keys[is_kept], self._slots[is_kept]
        self._free = np.concatenate([self._free, slots])
