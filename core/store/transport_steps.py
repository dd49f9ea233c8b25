"""Transport headers of many frames at once: is the header whole, and does it contradict itself.

The last steps of the walk; see `core.store.link_steps`. What an ICMP error quotes is not
followed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.store.batch_walk import BatchWalk, Column, Group
from core.store.chunk import Network, State
from core.wire import icmp as icmp_tables
from core.wire import icmpv6 as icmpv6_tables
from core.wire.dissection import Cause
from core.wire.field import HeaderTable
from core.wire.igmp import GROUP, IGMP, QUERY, QUERY_3, RECORD, REPORT, REPORT_3
from core.wire.sctp import SCTP
from core.wire.tcp import TCP
from core.wire.udp import UDP


def tcp(walk: BatchWalk, group: Group) -> None:
    """The header and its options."""
    group = walk.has(group, TCP.size)
    header, synchronise = walk.columns(TCP, group, "hdr_len", "flags.syn")
    walk.mark(group.where(synchronise > 0), State.SYN)
    short = header < TCP.size
    if short.any():
        walk.halt(group.where(short), Cause.MALFORMED)
        group, header = group.where(~short), header[~short]
    walk.has(group, header)


def udp(walk: BatchWalk, group: Group) -> None:
    """The header; a length below its size contradicts it."""
    group = walk.has(group, UDP.size)
    length = walk.column(UDP["length"], group)
    network = walk.network.take(group.rows)
    walk.halt(group.where(udp_contradicts(length, network)), Cause.MALFORMED)


def udp_contradicts(length: Column, network: Column) -> NDArray[np.bool_]:
    """Whose length is below a header's; zero over IPv6 is a jumbogram's (RFC 2675 §4)."""
    return (length < UDP.size) & ((length > 0) | (network != Network.IPV6))


def icmp(walk: BatchWalk, group: Group) -> None:
    """The common part, and what the type adds to it."""
    _message(walk, group, icmp_tables.ICMP, _ICMP_SIZES)


def icmpv6(walk: BatchWalk, group: Group) -> None:
    """The common part, and what the type adds to it."""
    _message(walk, group, icmpv6_tables.ICMPV6, _ICMPV6_SIZES)


def _message(walk: BatchWalk, group: Group, table: HeaderTable, sizes: Column) -> None:
    group = walk.has(group, table.size)
    walk.has(group, sizes[walk.column(table["type"], group)])


def igmp(walk: BatchWalk, group: Group) -> None:
    """The common part, and what the type and the room for it add."""
    group = walk.has(group, IGMP.size)
    kind = walk.column(IGMP["type"], group)
    room = walk.stop.take(group.rows) - group.at
    size = _IGMP_SIZES[kind]
    size = np.where((kind == QUERY) & (room >= QUERY_3.stop), QUERY_3.stop, size)
    size = np.where((kind == REPORT_3) & (room >= RECORD.stop), RECORD.stop, size)
    walk.has(group, size)


def sctp(walk: BatchWalk, group: Group) -> None:
    """The common header."""
    walk.has(group, SCTP.size)


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
