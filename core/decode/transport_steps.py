"""Transport headers of many frames at once: is the header whole, and does it contradict itself.

The last steps of the walk; see `core.decode.link_steps`. What an ICMP error quotes is not
followed.
"""

from __future__ import annotations

import numpy as np

from core.decode.batch_walk import BatchWalk
from core.wire.model.batch import FrameGroup, HeaderState, Network
from core.wire.network.ipv4 import IPV4
from core.wire.network.unset_length import is_left_to_card
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
