"""The authentication header of IPsec, over IPv6 or IPv4.

RFC 4302 §2. Its length counts units of 4 bytes beyond the first 8. The header that it names follows
without encryption.
"""

from __future__ import annotations

import numpy as np

from core.wire.model import computed_number
from core.wire.model.assigned_numbers import PROTOCOL_NAMES, IpProtocol
from core.wire.model.batch import BatchReader, FrameGroup, whole_headers
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.network.ipv6_extensions import queue_protocol
from core.wire.protocol import Protocol, Reader

UNIT = 4

AUTHENTICATION = HeaderTable(
    "ah",
    "Authentication header",
    "RFC 4302 §2",
    Field("next_header", 8, "Next header", values=PROTOCOL_NAMES, automatic=True),
    Field("length", 8, "Length", suffix="× 4 bytes after the first 8", automatic=True),
    Field("reserved", 16, "Reserved", Kind.BYTES),
    Field("spi", 32, "Security parameters index", base=16),
    Field("sequence", 32, "Sequence number"),
)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the authentication header, also over IPv4; the next header is not encrypted."""
    if not walk.begin(AUTHENTICATION, offset):
        return None
    words = AUTHENTICATION["length"].number(walk.data, offset)
    length = UNIT * (words + 2)
    if length < AUTHENTICATION.size:
        reason = f"length {length} is less than {AUTHENTICATION.size} bytes"
        walk.contradiction(AUTHENTICATION, offset, AUTHENTICATION["length"], reason)
        return None
    complete = walk.has("ah", offset, length)
    walk.add((AUTHENTICATION,), offset, length)
    if not complete:
        return None
    following = AUTHENTICATION["next_header"].number(walk.data, offset)
    return Next(Numbering.IP_PROTOCOL, following, offset + length)


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
    group = walk.begin(AUTHENTICATION, group)
    length = UNIT * (walk.column(AUTHENTICATION["length"], group).astype(np.int64) + 2)
    group, length = whole_headers(walk, group, AUTHENTICATION["length"], length)
    following = walk.column(AUTHENTICATION["next_header"], group)
    queue_protocol(walk, group.moved(length), following)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the name of the next header."""
    following = AUTHENTICATION["next_header"].number(dissection.data, layer.offset)
    return PROTOCOL_NAMES.get(following, f"protocol {following}")


PROTOCOLS = (
    Protocol(
        name="ah",
        shown="AH",
        tables=(AUTHENTICATION,),
        info=info,
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.AH,), parse, step),),
        computed={
            "next_header": computed_number.NEXT_HEADER,
            "length": computed_number.header_units(UNIT, 2),
        },
        alignment=UNIT,
    ),
)
