"""The jumps: kinds of packets that one key finds. Each is a display filter, derived from records.

They are searches like those that the user types; see `query`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

from core.analysis import packet_kinds
from core.analysis.filter.packet_filter import PacketFilter
from core.analysis.search.criteria import FilterCriterion


class Jump(Enum):
    """A kind of packet to jump to. The value names it on the screen."""

    BAD_CHECKSUM = "bad checksum"
    RESET = "reset"
    MALFORMED = "malformed"

    @property
    def absent(self) -> str:
        """The words behind "no packet" for a capture without such a packet."""
        return _ABSENT[self]


_ABSENT = {
    Jump.BAD_CHECKSUM: "has a bad checksum",
    Jump.RESET: "is a TCP reset",
    Jump.MALFORMED: "is malformed",
}


FILTERS: Mapping[Jump, str] = {
    Jump.BAD_CHECKSUM: packet_kinds.BAD_CHECKSUM,
    Jump.RESET: packet_kinds.TCP_RESET,
    Jump.MALFORMED: packet_kinds.MALFORMED,
}
"""The display filter that the packets of each jump pass."""


@lru_cache(maxsize=len(Jump))
def criterion_of(jump: Jump) -> FilterCriterion:
    """Return the criterion of a jump."""
    return FilterCriterion(PacketFilter.compile(FILTERS[jump]))
