"""The values that describe what was captured of a sent packet; they are for any thread."""

from __future__ import annotations

from dataclasses import dataclass

from core.store.captured_packet import CapturedPacket


@dataclass(frozen=True, slots=True)
class Change:
    """One field that left with another value, as text, and the reason in one sentence."""

    name: str
    label: str
    asked: str
    seen: str
    why: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A packet that answers the sent one.

    `delay_ns` has no value (None) without a captured copy, or after a step of the clock that
    stamps packets.
    """

    seen: CapturedPacket
    sender: str
    protocol: str
    info: str
    delay_ns: int | None


@dataclass(frozen=True, slots=True)
class PacketOutcome:
    """The copies, changes, and replies that were captured of one sent packet.

    `number` is its first copy's in the store, or 0; `copies` is how many were captured;
    `reply_count` may be more than the `replies` kept.
    """

    number: int = 0
    copies: int = 0
    changes: tuple[Change, ...] = ()
    replies: tuple[Reply, ...] = ()
    reply_count: int = 0
    notes: tuple[str, ...] = ()
