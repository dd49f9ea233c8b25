"""The levels at which packets are counted as conversations."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from core.wire.link.ethernet import ETHERNET
from core.wire.model.field import PlacedField
from core.wire.model.words import WORD_BITS
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6


class Level(Enum):
    """A protocol whose headers name two ends; the value is its name in filters."""

    ETHERNET = "eth"
    IPV4 = "ip"
    IPV6 = "ipv6"
    TCP = "tcp"
    UDP = "udp"

    @property
    def label(self) -> str:
        """The name for the user."""
        return _LABELS[self]

    @property
    def has_ports(self) -> bool:
        """True if an end is an address and a port."""
        return self in (Level.TCP, Level.UDP)


_LABELS = {
    Level.ETHERNET: "Ethernet",
    Level.IPV4: "IPv4",
    Level.IPV6: "IPv6",
    Level.TCP: "TCP",
    Level.UDP: "UDP",
}

ADDRESSES: Mapping[Level, tuple[PlacedField, PlacedField]] = {
    Level.ETHERNET: (ETHERNET["src"], ETHERNET["dst"]),
    Level.IPV4: (IPV4["src"], IPV4["dst"]),
    Level.IPV6: (IPV6["src"], IPV6["dst"]),
}
"""The fields of source and destination, of the levels that are kinds of addresses."""

KINDS: tuple[Level, ...] = tuple(ADDRESSES)
"""The kinds of addresses; a column of kinds has indices in this."""


def address_text(kind: int, high: int, low: int) -> str:
    """Return an address of `KINDS[kind]`, whose words are `high` and `low`."""
    return ADDRESSES[KINDS[kind]][0].text(high << WORD_BITS | low)
