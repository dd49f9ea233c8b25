"""The packets of ICMP echo flows, with the numbers that `EchoScan` gives these: immutable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_ECHOES = 1 << 17
"""Packets whose flows are known, 16 bytes each; the first are dropped."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class EchoPackets:
    """The flows of packets: parallel columns (k,) of packet numbers, ascending, and of flows."""

    numbers: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    flows: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))

    def among(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Return the indices (k,) of packets that are here, of ascending `numbers`, and flows."""
        if not len(self.numbers):
            return self.numbers, self.flows
        at = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        rows = np.flatnonzero(self.numbers[at] == numbers)
        return rows, self.flows[at[rows]]

    def with_packets(self, numbers: Numbers, flows: Numbers) -> EchoPackets:
        """Return these packets and later ones; the last `MOST_ECHOES` of them."""
        return EchoPackets(
            np.concatenate([self.numbers, numbers])[-MOST_ECHOES:],
            np.concatenate([self.flows, flows])[-MOST_ECHOES:],
        )


NO_ECHOES = EchoPackets()
