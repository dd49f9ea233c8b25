"""MPLS: a stack of labels between link and network header.

RFC 3032 §2.1. Each entry is four bytes; the one with the bottom bit ends the stack. No field names
the next header, so the first four bits of the payload count as an IP version, as in other
implementations (RFC 4928 §3 keeps them from being 4 or 6 by accident). Zero is a pseudowire's
control word or anything else: data. There is no packet under the OAM alert label (RFC 3429).
"""

from __future__ import annotations

from core.wire.link.loopback import FIRST_BYTE, IP_VERSIONS
from core.wire.model.assigned_numbers import EtherType, PppProtocol
from core.wire.model.batch import BatchReader, FrameGroup
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

OAM_ALERT = 14
LABELS = {
    0: "IPv4 explicit null",
    1: "Router alert",
    2: "IPv6 explicit null",
    3: "Implicit null",
    7: "Entropy label indicator",
    13: "Generic associated channel",
    OAM_ALERT: "OAM alert",
    15: "Extension",
}

MPLS = HeaderTable(
    "mpls",
    "Multiprotocol label switching",
    "RFC 3032 §2.1",
    Field("label", 20, "Label", values=LABELS),
    Field("exp", 3, "Traffic class"),
    Flag("bottom", "Bottom of the stack"),
    Field("ttl", 8, "Time to live"),
)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read one entry; the next may be another."""
    if not walk.begin(MPLS, offset, depth=walk.depth):
        return None
    walk.add((MPLS,), offset, depth=walk.depth)
    following = offset + MPLS.size
    if not MPLS["bottom"].number(walk.data, offset):
        return Next(Numbering.ETHERTYPE, EtherType.MPLS, following)
    label = MPLS["label"].number(walk.data, offset)
    if label == OAM_ALERT or following >= min(walk.captured, walk.stop):
        return None
    version = FIRST_BYTE["version"].number(walk.data, following)
    if version in IP_VERSIONS:
        return Next(Numbering.ETHERTYPE, IP_VERSIONS[version], following)
    return None


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``MPLS label 100704``."""
    label = MPLS["label"].number(dissection.data, layer.offset)
    return f"MPLS label {LABELS.get(label, label)}"


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read one entry of many label stacks, as `parse` does for one; the next may be another."""
    group = walk.begin(MPLS, group)
    bottom = walk.column(MPLS["bottom"], group) > 0
    after = group.moved(MPLS.size)
    walk.queue(Numbering.ETHERTYPE, int(EtherType.MPLS), after.where(~bottom))
    packet = bottom & (walk.column(MPLS["label"], group) != OAM_ALERT)
    after = after.where(packet)
    after = after.where(walk.begins(after))
    version = walk.column(FIRST_BYTE["version"], after)
    for number, kind in IP_VERSIONS.items():
        walk.queue(Numbering.ETHERTYPE, int(kind), after.where(version == number))


PROTOCOLS = (
    Protocol(
        name="mpls",
        shown="MPLS",
        tables=(MPLS,),
        info=info,
        headline={"label": "label", "exp": "traffic class"},
        readers=(
            Reader(Numbering.ETHERTYPE, (EtherType.MPLS, EtherType.MPLS_MULTICAST), parse, step),
            Reader(Numbering.PPP, (PppProtocol.MPLS, PppProtocol.MPLS_MULTICAST), parse, step),
        ),
        is_stacked=True,
    ),
)
