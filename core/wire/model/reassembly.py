"""A fragment, and the datagram that it belongs to (RFC 791 §3.2, RFC 8200 §4.5).

A frame has only a piece of a fragmented datagram. An analysis of earlier and later packets
(`core.analysis.reassembly`) tells which packet completes the datagram. That packet is dissected as
if its IP header carried the whole datagram; all other fragments carry data. The `FRAGMENT_FIELDS`
of a fragment follow from its `Piece`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.wire.model.field import Span


class FragmentPart(NamedTuple):
    """The bytes ``start:end`` of a datagram, which packet `packet` has.

    `overlaps` is True if a fragment before it in the datagram has some of them, too, and
    `conflicts` if those differ. `is_other_tail` marks a last fragment that ends elsewhere than the
    first one of that kind, and `is_too_long` one that passes the end of the datagram.
    """

    packet: int
    start: int
    end: int
    overlaps: bool = False
    conflicts: bool = False
    is_other_tail: bool = False
    is_too_long: bool = False

    @property
    def is_wrong(self) -> bool:
        """True if it contradicts the others; equal bytes that come twice do not."""
        return self.conflicts or self.is_other_tail or self.is_too_long


@dataclass(frozen=True, slots=True)
class Piece:
    """A fragment that takes part in a reassembly: the bytes ``at:stop`` of its frame.

    `owner` is the protocol of the network header. `completed_in` is the packet that completes the
    datagram, 0 if none is known. The completing packet has the `parts` in the order of the
    datagram, its `length`, and in `datagram` all of it; that memory may have been given up (None).
    `is_refused` marks a fragment that the reassembly does not take.
    """

    owner: str
    at: int
    stop: int
    completed_in: int = 0
    parts: tuple[FragmentPart, ...] = ()
    datagram: bytes | None = None
    length: int = 0
    is_refused: bool = False

    @property
    def growth(self) -> int:
        """The bytes that the datagram has beyond this piece; 0 without it."""
        return 0 if self.datagram is None else len(self.datagram) - (self.stop - self.at)

    @property
    def span(self) -> Span:
        """The bytes of the datagram, or of the piece without it, in `frame_with_datagram`."""
        return Span(self.at, self.stop + self.growth)

    def frame_with_datagram(self, frame: bytes) -> bytes:
        """Return the frame with the whole datagram in place of the piece."""
        if self.datagram is None:
            return frame
        return frame[: self.at] + self.datagram + frame[self.stop :]


_Numbers = Callable[[Piece, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class FragmentField:
    """A field of fragments. `numbers` are its values in a piece, given its packet's number.

    `kind` is ``"packet"``, ``"number"``, or ``"mark"`` (present where it is true).
    """

    name: str
    label: str
    kind: str
    numbers: _Numbers
    unit: str = ""

    @property
    def owner(self) -> str:
        """The protocol of the network header that has the field."""
        return self.name.partition(".")[0]


def _marks(key: str) -> _Numbers:
    return lambda piece, _number: [1 for part in piece.parts if getattr(part, key)]


def _completed_elsewhere(piece: Piece, number: int) -> Sequence[int]:
    is_elsewhere = piece.completed_in not in (0, number)
    return [piece.completed_in] if is_elsewhere else []


def _right(piece: Piece, _number: int) -> Sequence[int]:
    return [part.packet for part in piece.parts if not part.is_wrong]


def _wrong(piece: Piece, number: int) -> Sequence[int]:
    if piece.is_refused:
        return [number]
    return [part.packet for part in piece.parts if part.is_wrong]


def _length(piece: Piece, _number: int) -> Sequence[int]:
    return [piece.length] if piece.parts else []


def _fields(owner: str, title: str, completed: str) -> tuple[FragmentField, ...]:
    fragment = f"{owner}.fragment"
    return (
        FragmentField(fragment, "Packet with a fragment of the datagram", "packet", _right),
        FragmentField(f"{fragment}.overlap", "Fragment overlaps another one", "mark",
                      _marks("overlaps")),
        FragmentField(f"{fragment}.overlap.conflict", "Overlapping fragments differ", "mark",
                      _marks("conflicts")),
        FragmentField(f"{fragment}.multipletails", "Several last fragments, which disagree",
                      "mark", _marks("is_other_tail")),
        FragmentField(f"{fragment}.toolongfragment", "Fragment passes the end of the datagram",
                      "mark", _marks("is_too_long")),
        FragmentField(f"{fragment}.error", "Packet with a fragment that contradicts the others",
                      "packet", _wrong),
        FragmentField(f"{fragment}.count", "Number of fragments", "number",
                      lambda piece, _number: [len(piece.parts)] if piece.parts else []),
        FragmentField(completed, f"Packet that completes the {title} datagram", "packet",
                      _completed_elsewhere),
        FragmentField(f"{owner}.reassembled.length", f"Length of the {title} datagram", "number",
                      _length, "bytes"),
    )  # fmt: skip


FRAGMENT_FIELDS: Mapping[str, FragmentField] = {
    field.name: field
    for field in (
        *_fields("ip", "reassembled IPv4", "ip.reassembled_in"),
        *_fields("ipv6", "reassembled IPv6", "ipv6.reassembled.in"),
    )
}
"""All fields by name, in the order in which packets show them."""

REASSEMBLED_DATA = {"ip.reassembled.data": "ip", "ipv6.reassembled.data": "ipv6"}
"""The fields that have the bytes of the whole datagram, and their protocols."""
