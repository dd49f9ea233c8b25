"""The walk over one frame: what is left of it, who limits it, and which layer comes next.

Two ends bound every header. `captured` is where our bytes end; `stop` is where the bytes
belonging to the current payload end, as the frame and every length field so far allow
(`limited_by` names the tightest). A header that passes `stop` is *malformed*, their fault;
one that fits but passes `captured` is *truncated*, ours. `Walk.has` is the one place that
decides between the two.

A protocol's ``parse(walk, offset)`` adds its layer and names the next one by number
(`Next`), never by function: Ethernet carries IP carries GRE carries Ethernet, so the
protocol files do not import each other; `core.wire.registry` knows who answers to what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from core.wire.model.dissection import Cause, Check, Layer, Note, Option, Stop, Verdict
from core.wire.model.field import PlacedField, Span
from core.wire.model.table import HeaderTable


class Numbering(Enum):
    """Which numbering a next-layer number belongs to."""

    __hash__ = object.__hash__  # members are single: Enum's own hashes the name, in Python

    LINK = "link type"
    ETHERTYPE = "EtherType"
    IP_PROTOCOL = "IP protocol"
    PPP = "PPP protocol"
    PPP_FRAME = "PPP frame"
    LLC = "LLC service access point"
    UDP_PORT = "UDP port"


class Next(NamedTuple):
    """The layer that follows: its number in its numbering, and where it starts."""

    space: Numbering
    number: int
    offset: int


class Endpoints(NamedTuple):
    """What a transport pseudo-header takes from the network header (RFC 9293 §3.1, RFC 8200 §8.1).

    `destination` is the final one, also under a source route or routing header. Addresses are 4
    or 16 bytes.
    """

    source: bytes
    destination: bytes


@dataclass(slots=True)
class Walk:
    """The state of one dissection. Offsets count from the start of the frame."""

    data: bytes
    captured: int
    stop: int
    flags: int = 0
    limited_by: str = "frame"
    layers: list[Layer] = field(default_factory=list)
    networks: int = 0
    quoted: bool = False
    fragment: bool = False
    length_unset: bool = False  # the network header's length was left to the network card
    endpoints: Endpoints | None = None
    packet_stop: int | None = None  # where the outermost network packet ends
    halt: Stop | None = None

    @property
    def depth(self) -> int:
        """The depth of a link or tunneled-link layer met here."""
        return self.networks + 1 if self.networks else 0

    def limit(self, stop: int, name: str) -> None:
        """A length field says that the payload ends at `stop`; it can only narrow."""
        if stop < self.stop:
            self.stop = stop
            self.limited_by = name

    def end_packet(self, stop: int) -> None:
        """The outermost packet ends at `stop`; what follows in the frame is trailer."""
        if self.packet_stop is None:
            self.packet_stop = min(stop, self.stop)

    def has(self, layer: str, offset: int, size: int, what: str = "header") -> bool:
        """Return True if `size` bytes are there; if not, the stop is recorded with its cause.

        A packet quoted in an ICMP error is cut by design: running out of it is no stop.
        """
        end = offset + size
        if end <= self.captured and end <= self.stop:
            return True
        if self.quoted and end > self.stop:
            return False
        if end > self.stop:
            had, cause, by = max(0, self.stop - offset), Cause.MALFORMED, self.limited_by
        else:
            had, cause, by = max(0, self.captured - offset), Cause.TRUNCATED, "capture"
        reason = f"{what} needs {size} bytes, {had} left"
        self.halt = Stop(layer, offset, cause, reason, size, had, by)
        return False

    def contradiction(
        self,
        table: HeaderTable,
        offset: int,
        slot: PlacedField,
        reason: str,
        *,
        depth: int | None = None,
        header_length: int | None = None,
    ) -> None:
        """The header at `offset` contradicts itself in `slot`.

        Its layer ends with that field: what follows on the wire has no known meaning.
        """
        length = slot.span.stop if header_length is None else header_length
        self.add((table,), offset, length, depth=depth, last=slot)
        at = offset + slot.span.start
        self.halt = Stop(table.name, at, Cause.MALFORMED, reason, limited_by=slot.name)

    def add(
        self,
        tables: tuple[HeaderTable, ...],
        offset: int,
        header_length: int | None = None,
        *,
        depth: int | None = None,
        options: tuple[Option, ...] = (),
        options_span: Span | None = None,
        checks: tuple[Check, ...] = (),
        notes: tuple[Note, ...] = (),
        last: PlacedField | None = None,
    ) -> None:
        """Append the layer that the first table names, ending where the payload now ends."""
        layer = Layer(  # by place: each packet has a few, and names cost as much again
            tables[0].name,
            tables[0].title,
            tables,
            offset,
            tables[-1].stop if header_length is None else header_length,
            self.stop,
            self.captured if self.captured < self.stop else self.stop,
            self.networks if depth is None else depth,
            self.quoted,
            options,
            options_span,
            checks,
            notes,
            last,
            self.fragment,
        )
        self.layers.append(layer)

    def begin(self, table: HeaderTable, offset: int, *, depth: int | None = None) -> bool:
        """Return True if `table` is all there; if not, a layer of its whole fields and the stop."""
        if self.has(table.name, offset, table.stop):
            return True
        checks: tuple[Check, ...] = ()
        if "checksum" in table:
            slot = table["checksum"]
            if offset + slot.span.stop <= min(self.captured, self.stop):
                checks = (Check(slot, Verdict.UNVERIFIED, reason="the header is not all there"),)
        self.add((table,), offset, depth=depth, checks=checks)
        return False


Parser: TypeAlias = Callable[[Walk, int], Next | None]
