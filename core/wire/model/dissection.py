"""The result of dissecting one frame: layers, verdicts, and the reason why dissection ended.

`core.wire.dissect` makes these values. All code that shows one packet (detail tree, hex view, Info
line, JSON) reads a `Dissection` and nothing else.

* Offsets count from the first byte of the frame. A span may reach past the captured bytes where a
  header was cut; `Layer.fields` yields only whole fields.
* *Malformed* (the bytes contradict each other: the sender's fault) and *truncated* (the capture did
  not keep the bytes) are never mixed. See `Cause`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from core.wire.model.decode_rules import NO_RULES, DecodeRules
from core.wire.model.field import PlacedField, Span, Value
from core.wire.model.reassembly import Piece
from core.wire.model.table import HeaderTable


class Verdict(IntEnum):
    """The result of checking a checksum. Verdict columns hold these numbers."""

    NONE = 0  # the layer has no checksum, or none was captured
    GOOD = 1
    BAD = 2
    OFFLOADED = 3  # the kernel had not filled it in yet
    NOT_PRESENT = 4  # UDP over IPv4 with a zero field (RFC 768)
    ILLEGAL = 5  # UDP over IPv6 with a zero field (RFC 8200 §8.1)
    UNVERIFIED = 6  # cannot be checked: cut, a fragment, contradicting lengths, quoted

    @property
    def word(self) -> str:
        """The word of the JSON contract: ``good``, ``not_present``, …"""
        return self.name.lower()


class Cause(IntEnum):
    """The reason why dissection stopped early. Stop columns hold these numbers."""

    NONE = 0
    MALFORMED = 1
    TRUNCATED = 2


@dataclass(frozen=True, slots=True)
class Stop:
    """The place and the reason of an early end of dissection.

    `layer` is the protocol that could not be read, `offset` the byte where it ran out or
    contradicted itself. `needed` and `had` are byte counts from `offset`; `limited_by` names what
    set `had`: ``"capture"``, ``"frame"``, or the length field (``"ip.len"``). `reason` is one plain
    sentence fragment: ``"data offset 8 is less than 20 bytes"``.
    """

    layer: str
    offset: int
    cause: Cause
    reason: str
    needed: int = 0
    had: int = 0
    limited_by: str = ""


class Check(NamedTuple):
    """A checksum field and the result of checking it.

    `expected` is the right value, if it could be computed; `reason` explains a verdict that is not
    obvious.
    """

    slot: PlacedField
    verdict: Verdict
    expected: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OptionValue:
    """One value inside an option; `span` is its bytes in the frame."""

    slot: PlacedField
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Option:
    """One option, read from its own small table.

    `span` covers kind, length and body. `values` are those inside, in order (that of
    ``tcp.options.mss_val`` is 1460). `problem` is set if its length is impossible.
    """

    name: str
    label: str
    kind: int
    span: Span
    values: tuple[OptionValue, ...] = ()
    problem: str = ""

    def has_end(self, data: bytes) -> bool:
        """Return True if the option's own length gives its end, though it may be too short."""
        if not self.problem:
            return True
        length = self.span.stop - self.span.start
        return length >= 2 and data[self.span.start + 1] == length

    @property
    def is_unknown(self) -> bool:
        """True if rawscope does not know the kind."""
        return self.name.endswith(".unknown")


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a field or a layer: a length that contradicts the bytes, an odd value.

    `is_fault` is false for a remark that only explains.
    """

    text: str
    slot: PlacedField | None = None
    is_fault: bool = True


class Layer(NamedTuple):
    """One header in a packet.

    `tables` are the header's fixed parts, in order: the common one, then continuations (see
    `HeaderTable.start`). `header_length` is the length that the header gives itself, options
    included. `stop` is the end of the bytes that belong to the layer, payload included, as its own
    length field and all outer ones limit it; it may lie past the captured bytes. `depth` is 1 for
    the outermost network header and what it carries, one more inside each tunnel, and 0 for link
    layers before it. `quoted` is True inside the packet that an ICMP error quotes. `last` is set if
    a header contradicts itself: it is the field that does; later fields have no known meaning and
    are left out. `fragment` is True if the frame has only a piece of the datagram; `stop` is then
    the end of that piece.
    """

    name: str
    title: str
    tables: tuple[HeaderTable, ...]
    offset: int
    header_length: int
    stop: int
    captured: int
    depth: int
    quoted: bool = False
    options: tuple[Option, ...] = ()
    options_span: Span | None = None
    checks: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()
    last: PlacedField | None = None
    fragment: bool = False

    def fields(self, data: bytes) -> Iterator[tuple[PlacedField, Value]]:
        """Yield every wholly captured field in wire order, parents before parts."""
        for table in self.tables:
            if self.is_whole(table):
                yield from zip(table.slots, table.values(data, self.offset), strict=True)
                continue
            for slot in table.slots:
                if self.holds(slot):
                    yield slot, slot.read(data, self.offset)

    def is_whole(self, table: HeaderTable) -> bool:
        """Return True if all fields of one of its tables were captured and have a meaning."""
        return self.last is None and self.offset + table.stop <= self.captured

    @property
    def is_complete(self) -> bool:
        """True if every field of all its tables was captured and has a meaning."""
        return all(self.is_whole(table) for table in self.tables)

    def holds(self, slot: PlacedField) -> bool:
        """Return True if the field was wholly captured and has a meaning."""
        if self.offset + slot.span.stop > self.captured:
            return False
        return self.last is None or slot.first_bit <= self.last.first_bit

    def value(self, data: bytes, key: str) -> Value | None:
        """Return a field by its name inside the table (``flags.df``), or None if not captured."""
        for table in self.tables:
            slot = table.get(key)
            if slot is not None:
                return slot.read(data, self.offset) if self.holds(slot) else None
        return None

    def number(self, data: bytes, key: str) -> int | None:
        """Return `value` if it is a number, else None."""
        value = self.value(data, key)
        return value if isinstance(value, int) else None

    @property
    def payload(self) -> Span:
        """The bytes after the header that belong to this layer."""
        start = self.offset + self.header_length
        return Span(start, max(start, self.stop))


class Dissection(NamedTuple):
    """All layers of one frame.

    `payload` is the application's bytes, which no table reads; it may be empty. `trailer` is the
    bytes after the outermost network packet (Ethernet padding, FCS). `piece` is set for a fragment
    that takes part in a reassembly; if it has the whole datagram, `data` are the bytes of
    `Piece.frame_with_datagram`, in which all offsets count, and not those of the frame. The
    `decode_rules` are those for the payloads of ports.
    """

    data: bytes
    original_length: int
    layers: tuple[Layer, ...]
    payload: Span
    trailer: Span = Span(0, 0)
    stop: Stop | None = None
    piece: Piece | None = None
    decode_rules: DecodeRules = NO_RULES

    def layer(self, name: str) -> Layer | None:
        """Return the outermost layer of this name that no ICMP error quotes, or None."""
        for layer in self.layers:
            if layer.name == name and not layer.quoted:
                return layer
        return None


class PacketFlag(IntEnum):
    """Bits of a packet's `flags`: the low 12 are pcapng's ``epb_flags``, the others rawscope's.

    Source: draft-ietf-opsawg-pcapng, "Enhanced Packet Block Flags Word". Bits 0–1 are the direction
    (`DIRECTION_MASK`), 2–4 the reception type, 5–8 the length of the FCS at the end of the frame in
    bytes.
    """

    INBOUND = 0x0001
    OUTBOUND = 0x0002
    DIRECTION_MASK = 0x0003
    RECEPTION_MASK = 0x001C
    RECEPTION_SHIFT = 2
    FCS_MASK = 0x01E0
    FCS_SHIFT = 5
    CHECKSUM_NOT_READY = 0x0200  # TP_STATUS_CSUMNOTREADY
    CHECKSUM_VALID = 0x0400  # TP_STATUS_CSUM_VALID
    SEGMENTED = 0x0800  # to be segmented by the device
    VLAN_RESTORED = 0x1000  # the kernel had removed the tag; rawscope put it back
    TIME_INVALID = 0x2000  # sub-second field out of range: shown as stored; see `is_timed`
    LENGTH_INVALID = 0x4000  # captured length greater than original length
    OURS = 0x8000  # sent by this program


def is_timed(timestamp_ns: int, flags: int) -> bool:
    """Return True if the source has the packet's time.

    Simple Packet Blocks of pcapng have none (§4.4): their time is 0 and marked invalid, which no
    other packet's is.
    """
    return timestamp_ns != 0 or not flags & PacketFlag.TIME_INVALID
