"""Work over all packets of a growing store, a step at a time."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

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


@runtime_checkable
class SlowPackets(Protocol):
    """Counts the packets of which it does not know the answer, because that took too long."""

    @property
    def slow_packets(self) -> int:
        """The number of these packets."""
        ...

    def forget_slow_packets(self) -> None:
        """Count from zero: in another store, the numbers mean other packets."""
        ...


@runtime_checkable
class ProgramReader(Protocol):
    """Answers for a packet when the programs of its flow are known."""

    @property
    def reads_programs(self) -> bool:
        """True if the answer depends on programs."""
        ...


def awaits_programs(subject: object) -> bool:
    """Return True for a predicate that answers for a packet when its programs are known."""
    return isinstance(subject, ProgramReader) and subject.reads_programs


def slow_packets_of(subject: object) -> int:
    """Return the number of packets that took too long for a predicate or a criterion."""
    return subject.slow_packets if isinstance(subject, SlowPackets) else 0


def slow_note(count: int) -> str:
    """Return what the user should know about packets that took too long; nothing for none."""
    if not count:
        return ""
    verb = "count" if count > 1 else "counts"
    packets = f"{count:,} packet{'s' * (count != 1)}"
    return f"{packets} took too long for the regular expression and {verb} as without a match"
