"""How to compute a length or next-protocol field that the user left empty.

A protocol's record names one `ComputedNumber` for each such field: one of those here, or one of its
own. For a bare payload the next protocol is a number set aside for experiments: EtherType 0x88B5
(IEEE 802), protocol 253 (RFC 3692 §2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.packet_parts import Header
from core.wire.model.walk import Numbering

EXPERIMENTAL_TYPE = 0x88B5  # IEEE 802 local experimental EtherType 1
EXPERIMENTAL_PROTOCOL = 253  # RFC 3692 §2.1


@dataclass(frozen=True, slots=True)
class HeaderContext:
    """One header among the others.

    `size` is its own bytes, body included; `carried` all bytes after it but the trailer; `outer`
    the headers around it, outermost first. `numbers` has the number of each protocol by its name,
    for each numbering.
    """

    header: Header
    size: int
    carried: bytes
    following: Header | None
    outer: tuple[Header, ...]
    numbers: Mapping[Numbering, Mapping[str, int]]

    def next_number(self, space: Numbering, unknown: int) -> int:
        """Return the number of the next header, or `unknown` if it has none."""
        name = self.following.name if self.following is not None else ""
        return self.numbers[space].get(name, unknown)


@dataclass(frozen=True, slots=True)
class ComputedNumber:
    """A function that computes a field's value, and what the field counts.

    `header_length` returns the bytes of a header in which the field has a given value; it is None
    for a field that is not the length of its own header. A function of one number, it also takes a
    column of them. `names_next` is True for the number of the next layer, `is_total` for the bytes
    of the header and what it carries.
    """

    compute: Callable[[HeaderContext], int]
    header_length: Callable[[int], int] | None = None
    names_next: bool = False
    is_total: bool = False


def _ethertype(context: HeaderContext) -> int:
    return context.next_number(Numbering.ETHERTYPE, EXPERIMENTAL_TYPE)


def _protocol(context: HeaderContext) -> int:
    return context.next_number(Numbering.IP_PROTOCOL, EXPERIMENTAL_PROTOCOL)


def _next_header(context: HeaderContext) -> int:
    if context.following is None and not context.carried:
        return IpProtocol.NO_NEXT
    return _protocol(context)


ETHERTYPE = ComputedNumber(_ethertype, names_next=True)
"""The EtherType of the next header."""

PROTOCOL = ComputedNumber(_protocol, names_next=True)
"""The IP protocol of the next header."""

NEXT_HEADER = ComputedNumber(_next_header, names_next=True)
"""The IP protocol of the next header, or No Next Header."""

SIZE = ComputedNumber(lambda context: context.size, lambda value: value)
"""The bytes of the header."""

TOTAL = ComputedNumber(lambda context: context.size + len(context.carried), is_total=True)
"""The bytes of the header and what it carries."""

CARRIED = ComputedNumber(lambda context: len(context.carried))
"""The bytes of what the header carries."""


def header_units(unit: int, uncounted: int) -> ComputedNumber:
    """Return the number of units of `unit` bytes in the header, less the first `uncounted`."""
    return ComputedNumber(
        lambda context: context.size // unit - uncounted, lambda value: (value + uncounted) * unit
    )
