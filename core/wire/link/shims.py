"""Two headers that service chains put between link and network: NSH and Cisco metadata.

NSH, RFC 8300 §2.2: version, time to live, a length in 4-byte words of all of it, and the number of
the next header. Cisco metadata (EtherType 0x8909): a security group tag before the original
EtherType; the layout is the one that Wireshark reads.
"""

from __future__ import annotations

import numpy as np

from core.wire.link.type_tag import tag_parser, tag_step
from core.wire.model import computed_number
from core.wire.model.assigned_numbers import (
    ETHERTYPE_NAMES,
    NSH_ETHERTYPES,
    NSH_PROTOCOL_NAMES,
    EtherType,
)
from core.wire.model.batch import BatchReader, FrameGroup, whole_headers
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

NSH = HeaderTable(
    "nsh",
    "Network service header",
    "RFC 8300 §2.2",
    Field("version", 2, "Version"),
    Flag("Obit", "Operations packet"),
    Flag("CBit", "Unassigned"),
    Field("ttl", 6, "Time to live", default=63),
    Field("length", 6, "Length", unit=4, suffix="bytes", automatic=True),
    Field("reserved", 4, "Unassigned"),
    Field("mdtype", 4, "Metadata type", default=2),
    Field("nextproto", 8, "Next protocol", values=NSH_PROTOCOL_NAMES),
    Field("spi", 24, "Service path"),
    Field("si", 8, "Service index", default=255),
)
CISCO_METADATA = HeaderTable(
    "cmd",
    "Cisco metadata",
    "EtherType 0x8909",
    Field("version", 8, "Version"),
    Field("length", 8, "Length"),
    Field("options", 16, "Options", base=16),
    Field("sgt", 16, "Security group tag"),
    Field("type", 16, "Type", base=16, values=ETHERTYPE_NAMES),
)
TABLES = (NSH, CISCO_METADATA)


def parse_nsh(walk: Walk, offset: int) -> Next | None:
    """Read the header and its context; its own numbering names the next header."""
    if not walk.begin(NSH, offset, depth=walk.depth):
        return None
    slot = NSH["length"]
    length = slot.number(walk.data, offset)
    if length < NSH.size:
        reason = f"length {length} is less than {NSH.size} bytes"
        walk.contradiction(NSH, offset, slot, reason, depth=walk.depth)
        return None
    complete = walk.has("nsh", offset, length)
    walk.add((NSH,), offset, length, depth=walk.depth)
    kind = NSH_ETHERTYPES.get(NSH["nextproto"].number(walk.data, offset))
    if not complete or kind is None:
        return None
    return Next(Numbering.ETHERTYPE, kind, offset + length)


def step_nsh(walk: BatchReader, group: FrameGroup) -> None:
    """Read many service headers, as `parse_nsh` does one."""
    group = walk.begin(NSH, group)
    length = walk.column(NSH["length"], group).astype(np.int64)
    group, length = whole_headers(walk, group, NSH["length"], length)
    following = walk.column(NSH["nextproto"], group)
    after = group.moved(length)
    for number, kind in NSH_ETHERTYPES.items():
        walk.queue(Numbering.ETHERTYPE, int(kind), after.where(following == number))


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the title, with the service path or the tag."""
    path = layer.number(dissection.data, "spi")
    tag = layer.number(dissection.data, "sgt")
    if path is not None:
        return f"{layer.title}, path {path}"
    return layer.title if tag is None else f"{layer.title}, group {tag}"


PROTOCOLS = (
    Protocol(
        name="nsh",
        shown="NSH",
        tables=(NSH,),
        info=info,
        headline={"spi": "path", "si": "index"},
        readers=(Reader(Numbering.ETHERTYPE, (EtherType.NSH,), parse_nsh, step_nsh),),
        computed={"length": computed_number.SIZE},
        alignment=NSH["length"].field.unit,
    ),
    Protocol(
        name="cmd",
        shown="CMD",
        tables=(CISCO_METADATA,),
        info=info,
        headline={"sgt": "group"},
        readers=(
            Reader(
                Numbering.ETHERTYPE,
                (EtherType.CISCO_METADATA,),
                tag_parser(CISCO_METADATA),
                tag_step(CISCO_METADATA),
            ),
        ),
    ),
)
