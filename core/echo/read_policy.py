"""The amount that one wake-up of a client reads: the switches as numbers, for the code that reads.

A peer that sends as fast as we read would keep the server busy with one client, so no wake-up reads
more than `READS_PER_TURN` times.
"""

from __future__ import annotations

from typing import NamedTuple

from core.echo.options import READ_SIZE, READS_PER_TURN, Drain


class ReadPolicy(NamedTuple):
    """The condition that ends the reads of a wake-up.

    One read asks for `budget` bytes; a wake-up reads at most `reads_per_turn` times. With
    `stops_when_short` it ends after a read of fewer bytes than asked for. On the fast path, a first
    read of `read_again_from` bytes or more is followed by others.
    """

    budget: int
    reads_per_turn: int
    stops_when_short: bool
    read_again_from: int


def read_policy(budget: int, drain: Drain) -> ReadPolicy:
    """Return the policy for a budget in bytes and a rule when to stop."""
    again_from = {Drain.EAGAIN: 1, Drain.SHORT: budget, Drain.ONCE: READ_SIZE + 1}
    return ReadPolicy(
        budget=budget,
        reads_per_turn=1 if drain is Drain.ONCE else READS_PER_TURN,
        stops_when_short=drain is Drain.SHORT,
        read_again_from=again_from[drain],
    )
