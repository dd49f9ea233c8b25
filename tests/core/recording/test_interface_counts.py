"""The statistics blocks of a recording: of each interface, also of those counted together."""

from __future__ import annotations

import numpy as np
import pytest

from core.decode.capture_statistics import CaptureStatistics
from core.files.writing.encoder import InterfaceCounts
from core.recording.interface_counts import InterfaceTally, interface_counts
from tests.core.recording.made import ETH0, TUN0


def tally_of(*interfaces: int) -> InterfaceTally:
    tally = InterfaceTally()
    for number in interfaces:
        tally.add(np.array([number], np.uint16))
    return tally


def test_a_tally_counts_interfaces_as_they_come() -> None:
    tally = tally_of(1, 0, 1, 4, 1)
    assert [tally[number] for number in range(6)] == [1, 3, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("dropped", "expected", "comment"),
    [(0, 0, ""), (7, None, "dropped on all interfaces together: 7")],
)
def test_interfaces_that_the_kernel_counts_together(
    dropped: int, expected: int | None, comment: str
) -> None:
    """The drops of one of them are known only while the sum is 0."""
    statistics = {"any": CaptureStatistics(3 + dropped, dropped)}
    assert interface_counts([ETH0, TUN0], statistics, 9, tally_of(0, 1, 1)) == [
        InterfaceCounts(0, 9, 1, expected, comment),
        InterfaceCounts(1, 9, 2, expected, comment),
    ]
    assert interface_counts([ETH0], statistics, 9)[0].received is None


def test_an_interface_that_is_counted_itself_keeps_its_counts() -> None:
    statistics = {"any": CaptureStatistics(5, 0), "eth0": CaptureStatistics(9, 1)}
    assert interface_counts([ETH0, TUN0], statistics, 4, tally_of(0, 1)) == [
        InterfaceCounts(0, 4, 9, 1),
        InterfaceCounts(1, 4, 1, 0),
    ]
