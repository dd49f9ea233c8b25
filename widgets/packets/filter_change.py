"""The packet that the cursor returns to when a filter that moved it grows, changes, or ends."""

from __future__ import annotations

from core.analysis.packet_analysis import AnalyzedPackets
from widgets.packets.packet_rows import SnapshotChange


class FilterChange:
    """Tells a change of the filter, and its growth until it has seen all packets, from new packets.

    `chosen` is the packet under the cursor before the filter moved it; None after the user moved
    the cursor.
    """

    def __init__(self) -> None:
        self.chosen: int | None = None
        self._is_growing = False  # the filter had not seen all packets

    def forget(self) -> None:
        """Let the cursor stay where the user puts it now."""
        self.chosen = None

    def covers(
        self, change: SnapshotChange, analyzed: AnalyzedPackets, selected: int | None
    ) -> bool:
        """Return True if the rows change because of the filter; `selected` is under the cursor.

        Return False if the user has moved the cursor, which then stays while the filter runs on.
        """
        was_growing, self._is_growing = self._is_growing, analyzed.progress is not None
        if change is SnapshotChange.FILTERED and self.chosen is None:
            self.chosen = selected
        if change is SnapshotChange.FILTERED:
            return True
        return was_growing and change is SnapshotChange.GROWN and self.chosen is not None
