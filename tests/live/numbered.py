"""Frames that carry a number, with an EtherType that no host answers."""

from __future__ import annotations

from core.store.captured_packet import CapturedPacket
from core.wire.link.ethernet import ETHERNET
from tests.core.wire.frames import ethernet

KIND = 0x88B5  # IEEE 802 local experimental


def frame(number: int, size: int = 60) -> bytes:
    """Return a frame of `size` bytes that carries its number."""
    return ethernet(number.to_bytes(4, "big"), KIND).ljust(size, b"\x55")


def numbered(packets: list[CapturedPacket]) -> list[bytes]:
    return [packet.data for packet in packets if ETHERNET["type"].number(packet.data) == KIND]
