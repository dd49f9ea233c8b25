"""The walk over one frame: where its bytes end, what sets that end, and which layer comes next.

Two ends bound every header. `captured` is the end of the captured bytes; `stop` is the end of the
bytes that belong to the current payload, as the frame and all length fields up to here allow
(`limited_by` names the tightest). A header that passes `stop` is *malformed*: the sender's fault.
One that fits but passes `captured` is *truncated*: the capture cut it. `Walk.has` is the only place
that decides between the two.

A protocol's ``parse(walk, offset)`` adds its layer and names the next one by number (`Next`), never
by function. Ethernet carries IP carries GRE carries Ethernet, so the protocol modules must not
import each other; `core.wire.registry` maps each number to its parser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from core.wire.model.dissection import Cause, Check, Layer, Note, Option, Stop, Verdict
from core.wire.model.field import PlacedField, Span
from core.wire.model.reassembly import Piece
from core.wire.model.table import HeaderTable


class Numbering(Enum):
    """The numbering that a next-layer number belongs to."""

    __hash__ = object.__hash__  # unique members; Enum's own hash hashes the name

    LINK = "link type"
    ETHERTYPE = "EtherType"
    IP_PROTOCOL = "IP protocol"
    PPP = "PPP protocol"
    PPP_FRAME = "PPP frame"
    LLC = "LLC service access point"
    UDP_PORT = "UDP port"


class Next(NamedTuple):
    """The layer that follows: its number in its numbering, and the offset where it starts."""

    space: Numbering
    number: int
    offset: int


class Endpoints(NamedTuple):
    """The addresses of a transport pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1).

    `destination` is the final one, also under a source route or routing header. Addresses are 4 or
    16 bytes.
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
    piece: Piece | None = None  # the fragment that the outermost network header carries

    @property
    def datagram_stop(self) -> int | None:
        """The end of the datagram that the outermost network header carries reassembled."""
        piece = self.piece
        if piece is None or piece.datagram is None or self.networks != 1:
            return None
        return piece.span.stop

    def after_fragment(self, following: Next) -> Next | None:
        """Return the layer that follows the header of a fragment, at the start of its piece.

        Only a whole datagram has one.
        """
        assert self.piece is not None
        return None if self.piece.datagram is None else following

    def is_piece(self, offset: int) -> bool:
        """Return True if the fragment that begins here takes part in a reassembly."""
        return self.piece is not None and self.piece.at == offset

    @property
    def depth(self) -> int:
        """The depth of a link or tunneled-link layer that begins here."""
        return self.networks + 1 if self.networks else 0

    def limit(self, stop: int, name: str) -> None:
        """End the payload at `stop`, as the length field `name` says, if it does not end before."""
        if stop < self.stop:
            self.stop = stop
            self.limited_by = name

    def end_packet(self, stop: int) -> None:
        """End the outermost packet at `stop`; the rest of the frame is trailer."""
        if self.packet_stop is None:
            self.packet_stop = min(stop, self.stop)

    def has(self, layer: str, offset: int, size: int, what: str = "header") -> bool:
        """Return True if `size` bytes are there; otherwise record the stop with its cause.

        In a packet that an ICMP error quotes, bytes past its end are not a stop: the sender of the
        error cuts the packet.
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
        """Add the header at `offset`, which contradicts itself in `slot`, and record the stop.

        Its layer ends with that field: later bytes have no known meaning.
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
        layer = Layer(  # positional, because keywords would double the cost
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
        """Return True if all of `table` is there; otherwise add its whole fields, and the stop."""
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
