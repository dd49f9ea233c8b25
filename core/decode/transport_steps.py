"""Transport headers of many frames at once: is the header whole, and does it contradict itself.

The last steps of the walk; see `core.decode.link_steps`. What an ICMP error quotes is not
followed.
"""

from __future__ import annotations

import numpy as np

from core.decode.batch_walk import BatchWalk, Column, FrameGroup
from core.decode.chunk import HeaderState, Network
from core.wire.model.table import HeaderTable
from core.wire.network import icmp as icmp_tables
from core.wire.network import icmpv6 as icmpv6_tables
from core.wire.network.igmp import GROUP, IGMP, QUERY, QUERY_3, RECORD, REPORT, REPORT_3
from core.wire.network.ipv4 import IPV4
from core.wire.network.unset_length import is_left_to_card
from core.wire.transport.sctp import SCTP
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP


def tcp(walk: BatchWalk, group: FrameGroup) -> None:
    """The header and its options."""
    group = walk.begin(TCP, group)
    header, synchronize = walk.columns(TCP, group, "hdr_len", "flags.syn")
    walk.mark(group.where(synchronize > 0), HeaderState.SYN)
    short = header < TCP.size
    if short.any():
        walk.contradiction(group.where(short), TCP["hdr_len"])
        group, header = group.where(~short), header[~short]
    walk.has(group, header)


def udp(walk: BatchWalk, group: FrameGroup) -> None:
    """The header; a length below its size contradicts it, unless it was left to the card.

    Zero over IPv6 is a jumbogram's (RFC 2675 §4).
    """
    group = walk.begin(UDP, group)
    length = walk.column(UDP["length"], group)
    short = (length < UDP.size).nonzero()[0]
    if not len(short):
        return
    group, length = group.taken(short), length[short]
    room = walk.stop.take(group.rows) - group.at
    over_ipv6 = walk.network.take(group.rows) == Network.IPV6
    right = (length == 0) & over_ipv6
    four = (~over_ipv6).nonzero()[0]
    header = FrameGroup(group.rows[four], walk.network_offset[group.rows[four]].astype(np.int64))
    total = walk.column(IPV4["len"], header)
    right[four] = is_left_to_card(UDP["length"], length[four], room[four], UDP.size, total == 0)
    walk.contradiction(group.where(~right), UDP["length"])


def icmp(walk: BatchWalk, group: FrameGroup) -> None:
    """The common part, and what the type adds to it."""
    _message(walk, group, icmp_tables.ICMP, icmp_tables.CONTINUATIONS, _ICMP_SIZES)


def icmpv6(walk: BatchWalk, group: FrameGroup) -> None:
    """The common part, and what the type adds to it."""
    _message(walk, group, icmpv6_tables.ICMPV6, icmpv6_tables.CONTINUATIONS, _ICMPV6_SIZES)


def _message(
    walk: BatchWalk,
    group: FrameGroup,
    table: HeaderTable,
    continuations: tuple[HeaderTable, ...],
    sizes: Column,
) -> None:
    group = walk.begin(table, group)
    kind = walk.column(table["type"], group)
    _found(walk, group, kind, continuations)
    walk.has(group, sizes[kind])


def _found(
    walk: BatchWalk, group: FrameGroup, kind: Column, continuations: tuple[HeaderTable, ...]
) -> None:
    """Tell whoever watches which tables go on from messages of these types."""
    if walk.is_watched:
        for table in continuations:
            if table.when:
                walk.found(table, group.where(np.isin(kind, list(table.when[1]))))


def igmp(walk: BatchWalk, group: FrameGroup) -> None:
    """The common part, and what the type and the room for it add."""
    group = walk.begin(IGMP, group)
    kind = walk.column(IGMP["type"], group)
    room = walk.stop.take(group.rows) - group.at
    query_3 = (kind == QUERY) & (room >= QUERY_3.stop)
    record = (kind == REPORT_3) & (room >= RECORD.stop)
    _found(walk, group, kind, (GROUP, REPORT))
    walk.found(QUERY_3, group.where(query_3))
    walk.found(RECORD, group.where(record))
    size = np.where(query_3, QUERY_3.stop, _IGMP_SIZES[kind])
    walk.has(group, np.where(record, RECORD.stop, size))


def sctp(walk: BatchWalk, group: FrameGroup) -> None:
    """The common header."""
    walk.begin(SCTP, group)


def _sizes(table: HeaderTable, continuations: tuple[HeaderTable, ...]) -> Column:
    """Header size by message type, (256,)."""
    sizes = np.full(256, table.size, dtype=np.int64)
    for kind in range(len(sizes)):
        for more in icmp_tables.continuations(continuations, kind):
            sizes[kind] = more.stop
    return sizes


_ICMP_SIZES = _sizes(icmp_tables.ICMP, icmp_tables.CONTINUATIONS)
_IGMP_SIZES = _sizes(IGMP, (GROUP, REPORT))
_ICMPV6_SIZES = _sizes(icmpv6_tables.ICMPV6, icmpv6_tables.CONTINUATIONS)
