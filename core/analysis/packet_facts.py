"""A packet, dissected once for the texts of all its fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.store.captured_packet import CapturedPacket
from core.store.snapshot import Snapshot
from core.wire.model.dissection import Dissection


@dataclass(frozen=True, slots=True)
class PacketFacts:
    """A packet, its layers, and the snapshot that has the packets before it."""

    packet: CapturedPacket
    dissection: Dissection
    snapshot: Snapshot


FieldText = Callable[[PacketFacts], str]
"""A function that returns the text of one field, empty without the field."""
