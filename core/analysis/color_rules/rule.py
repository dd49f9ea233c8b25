"""A color rule as a value, and the default rules.

A rule gives a color to the packets that pass its display filter. The first rule of the list that a
packet passes wins. Colors are roles that every theme gives a color, so a rule stays readable in
light and dark themes. This module does not import the filter language, which takes longer than
the rest of the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.analysis import packet_kinds
from core.wire.network import icmp, icmpv6, neighbor_discovery


class Color(Enum):
    """The role of a color in a theme."""

    ERROR = "error"
    WARNING = "warning"
    SUCCESS = "success"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    ACCENT = "accent"
    MUTED = "muted"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class ColorRule:
    """A display filter, and the style of the packets that pass it.

    `color` and `bold` are for Proto and Info, or for all columns of a `whole_row`. A rule that is
    not `enabled` stays in the list without effect. A `temporary` one lasts until the program ends.
    """

    name: str
    filter: str
    color: Color
    bold: bool = False
    whole_row: bool = False
    enabled: bool = True
    temporary: bool = False


def _set(numbers: frozenset[int]) -> str:
    """Return a set of numbers as a filter writes it: ``{3, 4, 5}``."""
    return f"{{{', '.join(map(str, sorted(numbers)))}}}"


DEFAULT_RULES: tuple[ColorRule, ...] = (
    ColorRule("Bad checksum", packet_kinds.BAD_CHECKSUM, Color.ERROR, bold=True, whole_row=True),
    ColorRule("Malformed", packet_kinds.MALFORMED, Color.ERROR, bold=True, whole_row=True),
    ColorRule("Truncated", packet_kinds.TRUNCATED, Color.MUTED),
    ColorRule(
        "ICMP error",
        f"icmp.type in {_set(icmp.ERRORS)} or icmpv6.type in {_set(icmpv6.ERRORS)}",
        Color.WARNING,
        whole_row=True,
    ),
    ColorRule(
        "ARP, neighbors",
        f"arp or icmpv6.type in {_set(neighbor_discovery.MESSAGES)}",
        Color.SECONDARY,
    ),
    ColorRule("Control", "icmp.type or icmpv6.type or igmp or vrrp", Color.SECONDARY),
    ColorRule("TCP reset", packet_kinds.TCP_RESET, Color.ERROR, whole_row=True),
    ColorRule("TCP SYN", packet_kinds.TCP_SYN, Color.SUCCESS, bold=True),
    ColorRule("TLS", "tls", Color.SUCCESS),
    ColorRule("HTTP", "http or ssdp", Color.SUCCESS),
    ColorRule("DNS", "dns or mdns or llmnr", Color.PRIMARY),
    ColorRule("UDP", "udp and not tcp", Color.PRIMARY),
)
"""The rules of a user who has none."""
