"""Captured packets for tests of what became of sent ones."""

from __future__ import annotations

from core.decode.batch import CaptureInterface
from core.store.captured_packet import CapturedPacket
from core.wire.link.link_types import LinkType


def captured(
    data: bytes, timestamp_ns: int, link_type: int = LinkType.ETHERNET, number: int = 0
) -> CapturedPacket:
    """Return a packet that the capture kept whole."""
    return CapturedPacket(number, data, len(data), timestamp_ns, CaptureInterface("", link_type))
