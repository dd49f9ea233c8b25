"""VLAN tags: IEEE 802.1Q, and stacks of them (802.1ad, "QinQ").

A tag is four bytes that sit between the Ethernet addresses and the type: the type field then
reads 0x8100 (or 0x88A8 for a provider's outer tag, 0x9100 in older stacks), the tag follows,
and the real type is its last two bytes. Tags stack to any depth. Spec: IEEE 802.1Q-2018 §9.

The type inside a tag below 0x0600 is an 802.3 length, as in the frame itself.
"""

from __future__ import annotations

from core.wire.dissection import Dissection, Layer
from core.wire.ethernet import ETHERTYPE_NAMES, HIGHEST_LENGTH, EtherType
from core.wire.field import Field, Flag, HeaderTable
from core.wire.walk import Next, Space, Walk

TAG_TYPES = frozenset({EtherType.VLAN, EtherType.PROVIDER_VLAN, EtherType.QINQ_OLD})

PRIORITIES = {
    0: "Best effort",
    1: "Background",
    2: "Excellent effort",
    3: "Critical applications",
    4: "Video",
    5: "Voice",
    6: "Internetwork control",
    7: "Network control",
}

VLAN = HeaderTable(
    "vlan",
    "802.1Q virtual LAN",
    "IEEE 802.1Q-2018 §9.6",
    Field("priority", 3, "Priority", values=PRIORITIES),
    Flag("dei", "Drop eligible"),
    Field("id", 12, "VLAN identifier"),
    Field("etype", 16, "Type", base=16, values=ETHERTYPE_NAMES, automatic=True),
)


def parse(walk: Walk, offset: int) -> Next | None:
    """One tag; the next may be another."""
    if not walk.begin(VLAN, offset, depth=walk.depth):
        return None
    number = VLAN["etype"].number(walk.data, offset)
    if number <= HIGHEST_LENGTH:
        walk.limit(offset + VLAN.size + number, "vlan.len")
        walk.end_packet(walk.stop)
        walk.add((VLAN,), offset, depth=walk.depth)
        return Next(Space.LLC, 0, offset + VLAN.size)
    walk.add((VLAN,), offset, depth=walk.depth)
    return Next(Space.ETHERTYPE, number, offset + VLAN.size)


def info(layer: Layer, dissection: Dissection) -> str:
    """``VLAN 10, type 0x88cc``."""
    kind = layer.number(dissection.data, "etype")
    text = f"VLAN {layer.number(dissection.data, 'id')}"
    return f"{text}, type 0x{kind:04x}" if isinstance(kind, int) else text
