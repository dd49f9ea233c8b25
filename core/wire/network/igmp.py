"""IGMP: the IPv4 multicast groups that hosts want to receive.

RFC 1112 appendix I (v1), RFC 2236 (v2), RFC 3376 (v3). All versions share eight bytes: type, a
response time, checksum, group. A query longer than eight bytes is a v3 one; a v3 report has its own
layout. The checksum covers the whole message, without a pseudo-header.
"""

from __future__ import annotations

import numpy as np

from core.wire.checksum import packet_checksums
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import BatchReader, FrameGroup, message_sizes, report_continuations
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Field, Flag, IPv4Address
from core.wire.model.kind import Kind, address_text
from core.wire.model.table import HeaderTable, continuations
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import (
    REST_BODY,
    ChecksumRule,
    LayerKind,
    LayerPosition,
    Protocol,
    Reader,
)

QUERY, REPORT_1, REPORT_2, LEAVE, REPORT_3 = 0x11, 0x12, 0x16, 0x17, 0x22
TYPES = {
    QUERY: "Membership query",
    REPORT_1: "Membership report v1",
    0x13: "DVMRP",
    0x14: "PIM v1",
    REPORT_2: "Membership report v2",
    LEAVE: "Leave group",
    REPORT_3: "Membership report v3",
}
RECORD_TYPES = {
    1: "Mode is include",
    2: "Mode is exclude",
    3: "Change to include",
    4: "Change to exclude",
    5: "Allow new sources",
    6: "Block old sources",
}

IGMP = HeaderTable(
    "igmp",
    "Internet Group Management Protocol",
    "RFC 2236 §2",
    Field("type", 8, "Type", base=16, values=TYPES, default=QUERY),
    Field("max_resp", 8, "Maximum response time", suffix="× 0.1 s"),
    Field("checksum", 16, "Checksum", base=16, automatic=True),
)
GROUP = HeaderTable(
    "igmp",
    "IGMP group",
    "RFC 2236 §2",
    IPv4Address("maddr", "Group"),
    start=IGMP.size,
    when=("type", frozenset({QUERY, REPORT_1, REPORT_2, LEAVE})),
)
QUERY_3 = HeaderTable(
    "igmp",
    "IGMP v3 query",
    "RFC 3376 §4.1",
    Field("resv", 4, "Reserved"),
    Flag("s", "Suppress router processing"),
    Field("qrv", 3, "Robustness"),
    Field("qqic", 8, "Query interval", suffix="s"),
    Field("num_src", 16, "Number of sources"),
    start=GROUP.stop,
    when=("type", frozenset({QUERY})),
)
REPORT = HeaderTable(
    "igmp",
    "IGMP v3 report",
    "RFC 3376 §4.2",
    Field("reserved", 16, "Reserved", Kind.BYTES),
    Field("num_grp_recs", 16, "Number of group records"),
    start=IGMP.size,
    when=("type", frozenset({REPORT_3})),
)
RECORD = HeaderTable(
    "igmp",
    "IGMP v3 group record",
    "RFC 3376 §4.2",
    Field("record_type", 8, "Record type", values=RECORD_TYPES),
    Field("aux_data_len", 8, "Auxiliary data", unit=4, suffix="bytes"),
    Field("num_src", 16, "Number of sources"),
    IPv4Address("maddr", "Group"),
    start=REPORT.stop,
)
CONTINUATIONS = (GROUP, QUERY_3, REPORT, RECORD)


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the message, with the first group record of a v3 report."""
    if not walk.begin(IGMP, offset):
        return None
    kind = IGMP["type"].number(walk.data, offset)
    room = walk.stop - offset
    tables = [IGMP, *continuations((GROUP, QUERY_3, REPORT), kind)]
    if tables[-1] is QUERY_3 and room < QUERY_3.stop:
        tables.pop()
    if tables[-1] is REPORT and room >= RECORD.stop:
        tables.append(RECORD)
    size = tables[-1].stop
    check = packet_checksums.check_message(walk, IGMP["checksum"], offset)
    if walk.has("igmp", offset, size) and kind in TYPES:
        size = walk.stop - offset  # sources and further records belong to the message
    walk.add(tuple(tables), offset, size, checks=(check,))
    return None


def info(layer: Layer, dissection: Dissection) -> str:
    """Return ``Membership report v2 for 224.0.0.251``."""
    data = dissection.data
    kind = IGMP["type"].number(data, layer.offset)
    text = TYPES.get(kind, f"Type 0x{kind:02x}")
    group = layer.number(data, "maddr")
    if kind == REPORT_3:
        count = layer.number(data, "num_grp_recs")
        text += f", {count} group record{'' if count == 1 else 's'}"
        change = RECORD_TYPES.get(layer.number(data, "record_type") or 0, "").lower()
        return f"{text}: {change} {address_text(Kind.IPV4, group)}" if group else text
    if kind == QUERY and group == 0:
        return f"{text}, general"
    return text if group is None else f"{text} for {address_text(Kind.IPV4, group)}"


_SIZES = message_sizes(IGMP, (GROUP, REPORT))


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many messages, as `parse` does one: what the type and the room for it add."""
    group = walk.begin(IGMP, group)
    kind = walk.column(IGMP["type"], group)
    room = walk.stop.take(group.rows) - group.at
    query_3 = (kind == QUERY) & (room >= QUERY_3.stop)
    record = (kind == REPORT_3) & (room >= RECORD.stop)
    report_continuations(walk, group, kind, (GROUP, REPORT))
    walk.found(QUERY_3, group.where(query_3))
    walk.found(RECORD, group.where(record))
    size = np.where(query_3, QUERY_3.stop, _SIZES[kind])
    walk.has(group, np.where(record, RECORD.stop, size))


PROTOCOLS = (
    Protocol(
        name="igmp",
        shown="IGMP",
        tables=(IGMP, *CONTINUATIONS),
        info=info,
        readers=(Reader(Numbering.IP_PROTOCOL, (IpProtocol.IGMP,), parse, step),),
        has_open_end=True,
        checksum=ChecksumRule(),
        kinds=(
            LayerKind(
                "igmp",
                "IGMP",
                LayerPosition.TRANSPORT,
                (IGMP,),
                (GROUP, REPORT),
                over="ip",
                outer_values={"ip.ttl": 1},  # RFC 2236 §2
                body=REST_BODY,
            ),
        ),
        is_listed=True,
    ),
)
