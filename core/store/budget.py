"""The time that one step of long work may take."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.store.right_of_way import RightOfWay


class Budget:
    """Processor and waiting time for one step, counted from now; any thread may cancel it.

    Work that is bounded by a budget does one part of what is to do, then another while the budget
    is not spent. It always makes progress, also with a budget of 0 seconds. A claim of the
    `right_of_way` spends the budget.
    """

    def __init__(
        self,
        seconds: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
        right_of_way: RightOfWay | None = None,
    ) -> None:
        self._clock = clock
        self._right_of_way = right_of_way
        self._ends_s = clock() + seconds
        self._is_canceled = False

    @property
    def is_spent(self) -> bool:
        """True after the time has passed or `cancel` was called, or while others go first."""
        if self._is_canceled or self._clock() >= self._ends_s:
            return True
        return self._right_of_way is not None and self._right_of_way.is_claimed

    def cancel(self) -> None:
        """End the step after its current part."""
        self._is_canceled = True


UNLIMITED = Budget()
"""A budget that is never spent. Nobody cancels it."""
