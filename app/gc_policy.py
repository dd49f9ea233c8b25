"""Keep the garbage collector from visiting long-lived objects.

A full collection visits every object: 25 to 45 ms of processor time in which no key is answered. So
rawscope *freezes* long-lived objects (``gc.freeze``), and no collection visits them any more. The
cost of a full collection then depends on the new objects only, a fraction of a millisecond, and it
can run often. It has to: a closed dialog leaves 10,000 objects in reference cycles, and destroying
those of ten dialogs at once takes 80 ms.

Frozen objects are still freed by their reference count, but a *cycle* of them is never found.
Therefore:

* Garbage is collected first, so that none is frozen.
* Nothing is frozen while a dialog is open over the main screen, or in the three seconds after it:
  Textual's timers keep a closed dialog alive for up to one second, and then it is garbage.
* Undoing a freeze costs a full collection, so there are few: one at the start, one whenever the
  number of echo clients has grown by at least `CLIENTS_MORE` and a quarter since the last one, and
  one whenever Python uses `BLOCKS_MORE` more blocks of memory: for the filter language, which is
  imported with the first filter, or for drawn lines. Each object among them costs a full collection
  a third of a microsecond. Clients that connect and leave cause none. Closed clients are in no
  cycle.

From the first tick on, Python collects nothing by itself: it would do so in the middle of the
answer to a key, twice for most keys. `GcPolicy.tick` collects instead, between frames. Collections
of new objects are short. Full ones, those before a freeze included, take 20 to 60 ms, so they wait
until the user presses no key for a moment, or has pressed keys for `LONGEST_DELAY_TICKS`,
or until there were `MOST_NEW_OBJECTS` since the last one: garbage among them is bounded, too.
"""

from __future__ import annotations

import gc
import sys

from textual._styles_cache import StylesCache

CLIENTS_MORE = 500  # than at the last freeze
BLOCKS_MORE = 50_000  # than at the last freeze; about 20,000 objects that a collection visits
GROWTH = 4  # and by 1/GROWTH of the number at the last freeze
YOUNG_OBJECTS = 3_000  # new ones before a collection of them, which takes 1 to 3 ms
FULL_COLLECTION_EACH = 5  # of such collections; with 20, the garbage of ten dialogs would gather
MOST_NEW_OBJECTS = 40_000  # after which a full collection waits for nothing
QUIET_TICKS = 30  # three seconds, at the rate at which the screen polls
LONGEST_DELAY_TICKS = 50  # five seconds in which keys delay what takes long


def collect_all() -> None:
    """Collect the garbage among all objects that are not frozen.

    A cache of Textual holds the drawn lines of the last 1,024 widgets, closed or not: 20 MiB after
    a hundred dialogs. Empty it first.
    """
    StylesCache.get_inner_outer.cache_clear()
    gc.collect()


class GcPolicy:
    """Freezes objects at the start, and again as echo clients become more. For one thread."""

    def __init__(self) -> None:
        self._clients: int | None = None  # at the last freeze
        self._blocks = 0  # of memory, then
        self._is_collecting: bool | None = None  # in place of Python; None before the first tick
        self._young_collections = 0  # since the last full one
        self._new_objects = 0  # since the last full one
        self._quiet_ticks = 0
        self._typing_ticks = 0  # since the user began to press keys, or since a long collection

    def tick(self, clients: int, *, quiet: bool, typing: bool = False) -> bool:
        """Collect or freeze what is due, with `clients` connected; return True if it froze.

        `quiet` means that no window is open that will be closed soon; `typing` means that the user
        presses keys.
        """
        if self._is_collecting is None:
            self._is_collecting = gc.isenabled()
            gc.disable()
        self._quiet_ticks = self._quiet_ticks + 1 if quiet else 0
        self._typing_ticks = self._typing_ticks + 1 if typing else 0
        may_take_long = not typing or self._typing_ticks > LONGEST_DELAY_TICKS
        if may_take_long and self._quiet_ticks >= QUIET_TICKS and self._is_freeze_due(clients):
            self._freeze(clients)
            return True
        if self._is_collecting and gc.get_count()[0] >= YOUNG_OBJECTS:
            self._collect(may_take_long=may_take_long)
        return False

    def _collect(self, *, may_take_long: bool) -> None:
        """Collect the garbage among new objects, and now and then among all that are not frozen."""
        self._new_objects += gc.get_count()[0]
        is_due = may_take_long and self._young_collections >= FULL_COLLECTION_EACH
        if is_due or self._new_objects >= MOST_NEW_OBJECTS:
            self._young_collections = self._typing_ticks = self._new_objects = 0
            collect_all()
        else:
            self._young_collections += 1
            gc.collect(1)

    def _is_freeze_due(self, clients: int) -> bool:
        last = self._clients
        if last is None or clients >= last + max(CLIENTS_MORE, last // GROWTH):
            return True
        return self._has_grown()

    def _freeze(self, clients: int) -> None:
        self._clients = clients
        collect_all()
        gc.freeze()
        self._young_collections = self._typing_ticks = self._new_objects = 0
        self._blocks = sys.getallocatedblocks()

    def _has_grown(self) -> bool:
        """Return True if there are many more objects. Compare only every few seconds.

        ``gc.get_objects`` would count them exactly, but a reference to a tuple that another thread
        is building makes that fail.
        """
        if self._quiet_ticks % QUIET_TICKS:
            return False
        return sys.getallocatedblocks() >= self._blocks + BLOCKS_MORE

    def close(self) -> None:
        """Unfreeze all objects, for a process that continues without the screen."""
        if self._is_collecting:
            gc.enable()
        if self._clients is not None:
            gc.unfreeze()
        self._clients, self._is_collecting = None, None
