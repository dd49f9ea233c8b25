"""Work over all packets of a growing store, a step at a time."""

from __future__ import annotations

from typing import Protocol

from core.store.budget import Budget
from core.store.snapshot import Snapshot


class AnalysisEndedError(Exception):
    """Ends an analysis for a reason other than an internal error; the text tells it to the user."""


class Analyzer(Protocol):
    """Analyzes each packet of one store once, in the order of their numbers.

    One thread calls it, with ever newer snapshots of the same store. What it has found is an
    attribute with an immutable value, which it replaces and any thread reads.
    """

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Analyze packets of `snapshot` that were not analyzed before, and publish the result.

        Return True if the budget was spent before the last packet. At least one chunk is analyzed,
        so repeated calls come to an end.
        """
        ...

    def forget(self, first: int) -> None:
        """Drop what is known only of packets below `first`, which the store has evicted."""
        ...
