"""The statistics of the interfaces of a recording, for the end of its files.

The kernel counts per socket. A socket that receives from every interface (``any``) has one count of
drops for all of them, so the drops of each are known only while that count is 0; later a comment
has the sum. What each interface received is then counted here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import CaptureInterface
from core.decode.capture_statistics import ALL_INTERFACES, CaptureStatistics
from core.files.writing.encoder import InterfaceCounts

NO_STATISTICS: Mapping[str, CaptureStatistics] = {}


class InterfaceTally:
    """Counts packets by the number of their interface."""

    def __init__(self) -> None:
        self._counts = np.zeros(0, np.int64)

    def add(self, interface: NDArray[np.uint16]) -> None:
        """Count packets whose interfaces are `interface` (n,)."""
        counts = np.bincount(interface, minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def __getitem__(self, number: int) -> int:
        return int(self._counts[number]) if number < len(self._counts) else 0


def interface_counts(
    interfaces: Sequence[CaptureInterface],
    statistics: Mapping[str, CaptureStatistics],
    timestamp_ns: int,
    tally: InterfaceTally | None = None,
) -> list[InterfaceCounts]:
    """Return the counts of each interface whose statistics are known by its name.

    Of several interfaces with one name, the newest one gets the counts. If the kernel counted all
    interfaces together, each gets what the `tally` has, without one only the drops.
    """
    newest = {interface.name: number for number, interface in enumerate(interfaces)}
    counts = [
        InterfaceCounts(number, timestamp_ns, statistics[name].received, statistics[name].dropped)
        for name, number in newest.items()
        if name in statistics
    ]
    together = statistics.get(ALL_INTERFACES)
    if together is None:
        return counts
    dropped = None if together.dropped else 0
    comment = f"dropped on all interfaces together: {together.dropped}" if together.dropped else ""
    for number, interface in enumerate(interfaces):
        if interface.name not in statistics:
            received = None if tally is None else tally[number]
            counts.append(InterfaceCounts(number, timestamp_ns, received, dropped, comment))
    return counts
