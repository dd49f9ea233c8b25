"""The base of an analysis of all packets of a store, which any reader may extend.

The analysis thread extends it all the time. A reader that needs packets which it has not reached
extends it as far as that.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from core.store.budget import Budget
from core.store.snapshot import Snapshot


class Reaching(Protocol):
    """Results up to the packet `through`."""

    @property
    def through(self) -> int: ...


Results = TypeVar("Results", bound=Reaching)


class StoreIndex(ABC, Generic[Results]):
    """An `Analyzer` of one store. Any thread may read `published`.

    `lock` is held while a part is analyzed.
    """

    def __init__(self, published: Results) -> None:
        self.published = published
        self.lock = threading.Lock()

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Analyze packets not seen before.

        Return True if the budget was spent before the last of them.
        """
        while self._extend_once(snapshot):
            if budget.is_spent:
                break
        return self.published.through < snapshot.count

    def reaching(self, snapshot: Snapshot, through: int) -> Results:
        """Return results that reach packet `through` of a snapshot: analyze what is missing."""
        while self.published.through < min(through, snapshot.count):
            if not self._extend_once(snapshot):
                break
        return self.published

    @abstractmethod
    def forget(self, first: int) -> None:
        """Drop what is known of packets below `first`."""

    @abstractmethod
    def _extend_once(self, snapshot: Snapshot) -> bool:
        """Analyze the next part, under the lock. Return False after the last one."""
