"""VLAN tags: IEEE 802.1Q, and stacks of them (802.1ad, "QinQ").

A tag is four bytes between the Ethernet addresses and the type: the type field is then 0x8100 (or
0x88A8 for a provider's outer tag, 0x9100 in older stacks), the tag follows, and the original type
is its last two bytes. Tags stack to any depth. Spec: IEEE 802.1Q-2018 §9.

A number up to 1500 inside a tag is an 802.3 length, as in the frame itself. Wireshark and rawscope
name the fields of a provider's tag ``ieee8021ad``, those of the others ``vlan``.
"""

from __future__ import annotations

from core.wire.link.ethernet import HIGHEST_LENGTH, end_by_length, end_many_by_length
from core.wire.link.type_tag import tag_parser, tag_step
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, EtherType
from core.wire.model.batch import BatchReader, FrameGroup
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag
from core.wire.model.other_tools import OtherTools, ScapyLayer
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import LayerKind, LayerPosition, Protocol, Reader

TAG_TYPES = (EtherType.VLAN, EtherType.QINQ_OLD)

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


def _tag() -> tuple[Field, ...]:
    return (
        Field("priority", 3, "Priority", values=PRIORITIES),
        Flag("dei", "Drop eligible"),
        Field("id", 12, "VLAN identifier"),
    )


def _type(name: str) -> Field:
    return Field(name, 16, "Type", base=16, values=ETHERTYPE_NAMES, automatic=True)


VLAN = HeaderTable("vlan", "802.1Q virtual LAN", "IEEE 802.1Q-2018 §9.6", *_tag(), _type("etype"))
VLAN_LENGTH = HeaderTable(
    "vlan",
    "802.1Q virtual LAN",
    "IEEE 802.1Q-2018 §9.6",
    *_tag(),
    Field("len", 16, "Length", suffix="bytes", automatic=True),
)
PROVIDER = HeaderTable(
    "ieee8021ad", "802.1ad provider VLAN", "IEEE 802.1Q-2018 §9.6", *_tag(), _type("type")
)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read one tag; the next may be another."""
    if not walk.begin(VLAN, offset, depth=walk.depth):
        return None
    number = VLAN["etype"].number(walk.data, offset)
    if number <= HIGHEST_LENGTH:
        notes = end_by_length(walk, VLAN_LENGTH["len"], offset, VLAN.size)
        walk.add((VLAN_LENGTH,), offset, depth=walk.depth, notes=notes)
        return Next(Numbering.LLC, 0, offset + VLAN.size)
    walk.add((VLAN,), offset, depth=walk.depth)
    return Next(Numbering.ETHERTYPE, number, offset + VLAN.size)


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read one tag of many packets, as `parse` does of one; the next may be another."""
    group = walk.begin(VLAN, group)
    number = walk.column(VLAN["etype"], group)
    after = group.moved(VLAN.size)
    sized = number <= HIGHEST_LENGTH
    walk.reclassify(VLAN, VLAN_LENGTH, group.where(sized))
    end_many_by_length(walk, after.where(sized), number[sized])
    walk.queue(Numbering.ETHERTYPE, number[~sized], after.where(~sized))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``VLAN 10, type 0x88cc``."""
    keys = ("etype", "type")
    kind = next((k for k in (layer.number(dissection.data, key) for key in keys) if k), None)
    text = f"VLAN {layer.number(dissection.data, 'id')}"
    return f"{text}, type 0x{kind:04x}" if isinstance(kind, int) else text


HEADLINE = {"id": "ID", "priority": "priority", "dei": "drop eligible"}

SCAPY = ScapyLayer(
    "Dot1Q",
    {"priority": "prio", "dei": "id", "id": "vlan", "etype": "type"},
    unless_zero=frozenset({"dei"}),  # scapy calls it "id" up to 2.5, and "dei" later
)

PROTOCOLS = (
    Protocol(
        name="ieee8021ad",
        shown="VLAN",
        tables=(PROVIDER,),
        info=info,
        headline=HEADLINE,
        readers=(
            Reader(
                Numbering.ETHERTYPE,
                (EtherType.PROVIDER_VLAN,),
                tag_parser(PROVIDER),
                tag_step(PROVIDER),
            ),
        ),
        computed={"type": computed_number.ETHERTYPE},
        kinds=(
            LayerKind(
                "ieee8021ad", "802.1ad provider VLAN", LayerPosition.TAG, (PROVIDER,), over="eth"
            ),
        ),
        is_stacked=True,
    ),
    Protocol(
        name="vlan",
        shown="VLAN",
        tables=(VLAN, VLAN_LENGTH),
        info=info,
        headline=HEADLINE,
        readers=(Reader(Numbering.ETHERTYPE, TAG_TYPES, parse, step),),
        computed={"etype": computed_number.ETHERTYPE, "len": computed_number.CARRIED},
        kinds=(LayerKind("vlan", "802.1Q VLAN", LayerPosition.TAG, (VLAN,), over="eth"),),
        tools=OtherTools(scapy=SCAPY),
        is_listed=True,
        is_stacked=True,
    ),
)
