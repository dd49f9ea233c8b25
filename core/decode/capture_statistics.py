"""The packets that an interface received while it was captured, and those that were lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL_INTERFACES = "any"  # the name under which the kernel counts those of all interfaces as one


@dataclass(frozen=True, slots=True)
class CaptureStatistics:
    """Totals since the source was opened; they never decrease.

    `received` counts every frame that passed the filter, those in `dropped` included: when no frame
    is in flight, frames read + dropped = received.
    """

    received: int = 0
    dropped: int = 0  # by the kernel for lack of room, or unread when a session ended

    def __add__(self, other: CaptureStatistics) -> CaptureStatistics:
        return CaptureStatistics(self.received + other.received, self.dropped + other.dropped)

    def __sub__(self, other: CaptureStatistics) -> CaptureStatistics:
        return CaptureStatistics(self.received - other.received, self.dropped - other.dropped)


def since(
    totals: Mapping[str, CaptureStatistics], before: Mapping[str, CaptureStatistics]
) -> dict[str, CaptureStatistics]:
    """Return the difference of two totals by interface."""
    return {name: total - before.get(name, CaptureStatistics()) for name, total in totals.items()}
