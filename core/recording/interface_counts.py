"""The statistics of the interfaces of a recording, for the end of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.decode.batch import CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.files.writing.encoder import InterfaceCounts

NO_STATISTICS: Mapping[str, CaptureStatistics] = {}


def interface_counts(
    interfaces: Sequence[CaptureInterface],
    statistics: Mapping[str, CaptureStatistics],
    timestamp_ns: int,
) -> list[InterfaceCounts]:
    """Return the counts of each interface whose statistics are known by its name.

    Of several interfaces with one name, the newest one gets the counts.
    """
    newest = {interface.name: number for number, interface in enumerate(interfaces)}
    return [
        InterfaceCounts(number, timestamp_ns, statistics[name].received, statistics[name].dropped)
        for name, number in newest.items()
        if name in statistics
    ]
