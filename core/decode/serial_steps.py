"""PPP and the rarer link headers of many frames at once.

More of `core.decode.link_steps`; see there.
"""

from __future__ import annotations

import numpy as np

from core.decode.batch_walk import BatchWalk
from core.wire.link.ethernet import LOWEST_ETHERTYPE
from core.wire.link.ppp import (
    ADDRESS,
    PPP,
    PPP_COMPRESSED,
    PPP_FRAMED,
    PPP_FRAMED_COMPRESSED,
    PPPOE,
)
from core.wire.link.serial import (
    CISCO_HDLC,
    CONTROL_UNNUMBERED,
    FAMILY_TYPES,
    FRAME_RELAY,
    LONGEST_ADDRESS,
    NFLOG,
    NFLOG_MOST_VALUES,
    NFLOG_PAYLOAD,
    NFLOG_TLV_BYTES,
    NFLOG_TYPE_MASK,
    NLPID_TYPES,
    SLARP,
)
from core.wire.link.shims import CISCO_METADATA, NSH
from core.wire.model.assigned_numbers import NSH_ETHERTYPES, EtherType
from core.wire.model.batch import Column, FrameGroup
from core.wire.model.field import gather
from core.wire.model.walk import Numbering


def ppp(walk: BatchWalk, group: FrameGroup) -> None:
    """A PPP frame, with or without address and control."""
    group = walk.has(group, PPP_COMPRESSED.size)
    framed = _bytes(walk, group) == ADDRESS
    kinds = ((~framed, PPP, PPP_COMPRESSED), (framed, PPP_FRAMED, PPP_FRAMED_COMPRESSED))
    for mask, whole, compressed in kinds:
        some = walk.begin(compressed, group.where(mask))
        number = walk.column(compressed["protocol"], some)
        short = number % 2 == 1
        walk.follow(Numbering.PPP, number[short], some.where(short).moved(compressed.size))
        walk.reclassify(compressed, whole, some.where(~short))
        some = walk.has(some.where(~short), whole.size)
        walk.follow(Numbering.PPP, walk.column(whole["protocol"], some), some.moved(whole.size))


def pppoe_session(walk: BatchWalk, group: FrameGroup) -> None:
    """PPPoE in a session: then PPP."""
    group = walk.begin(PPPOE, group)
    after = group.moved(PPPOE.size)
    walk.limit(after, after.at + walk.column(PPPOE["payload_length"], group))
    walk.follow(Numbering.PPP_FRAME, 0, after)


def pppoe_discovery(walk: BatchWalk, group: FrameGroup) -> None:
    """PPPoE before there is a session."""
    walk.begin(PPPOE, group)


def hdlc(walk: BatchWalk, group: FrameGroup) -> None:
    """Cisco HDLC; then by EtherType."""
    group = walk.begin(CISCO_HDLC, group)
    number = walk.column(CISCO_HDLC["protocol"], group)
    goes_on = number != SLARP
    after = group.where(goes_on).moved(CISCO_HDLC.size)
    walk.follow(Numbering.ETHERTYPE, number[goes_on], after)


def frame_relay(walk: BatchWalk, group: FrameGroup) -> None:
    """The address, which its last byte ends, and either kind of protocol number after it."""
    group = walk.begin(FRAME_RELAY, group).moved(FRAME_RELAY.size)
    for _ in range(FRAME_RELAY.size, LONGEST_ADDRESS):
        last = _bytes(walk, group.moved(-1)) & 1 == 1
        _frame_relay_protocol(walk, group.where(last))
        group = walk.has(group.where(~last), 1).moved(1)
    last = _bytes(walk, group.moved(-1)) & 1 == 1
    _frame_relay_protocol(walk, group.where(last))
    walk.contradiction(group.where(~last).moved(-LONGEST_ADDRESS), FRAME_RELAY["ea"])


def _frame_relay_protocol(walk: BatchWalk, group: FrameGroup) -> None:
    group = walk.has(group, 2)
    number = gather(walk.data, walk.base[group.rows] + group.at, 2).astype(np.int64)
    after = group.moved(2)
    unnumbered = number >> 8 == CONTROL_UNNUMBERED
    for identifier, kind in NLPID_TYPES.items():
        these = unnumbered & (number & 0xFF == identifier)
        walk.follow(Numbering.ETHERTYPE, int(kind), after.where(these))
    typed = ~unnumbered & (number >= LOWEST_ETHERTYPE)
    walk.follow(Numbering.ETHERTYPE, number[typed], after.where(typed))


def nflog(walk: BatchWalk, group: FrameGroup) -> None:
    """The values, up to the one that is the packet."""
    group = walk.begin(NFLOG, group)
    family = walk.column(NFLOG["family"], group)
    for number, kind in FAMILY_TYPES.items():
        _nflog_values(walk, group.where(family == number).moved(NFLOG.size), kind)
    others = ~np.isin(family, list(FAMILY_TYPES))
    _nflog_values(walk, group.where(others).moved(NFLOG.size), None)


def _nflog_values(walk: BatchWalk, group: FrameGroup, kind: EtherType | None) -> None:
    for _ in range(NFLOG_MOST_VALUES):
        group = group.where(walk.begins(group.moved(NFLOG_TLV_BYTES - 1)))
        if not len(group):
            break
        starts = walk.base[group.rows] + group.at
        big = gather(walk.data, starts, 4).astype(np.uint32)
        little = big.byteswap()
        # in either order the length is the smaller number, then the type
        of_big = (big >> 16).astype(np.int64), (big & NFLOG_TYPE_MASK).astype(np.int64)
        of_little = (little & 0xFFFF).astype(np.int64), (little >> 16 & NFLOG_TYPE_MASK)
        first = (of_little[0] << 16 | of_little[1]) <= (of_big[0] << 16 | of_big[1])
        length = np.where(first, of_little[0], of_big[0])
        tag = np.where(first, of_little[1], of_big[1])
        sane = length >= NFLOG_TLV_BYTES
        payload = sane & (tag == NFLOG_PAYLOAD)
        packet = group.where(payload)
        walk.limit(packet, packet.at + length[payload])
        if kind is not None:
            walk.follow(Numbering.ETHERTYPE, int(kind), packet.moved(NFLOG_TLV_BYTES))
        more = sane & ~payload
        step = length[more] + -length[more] % NFLOG_TLV_BYTES
        group = group.where(more).moved(step)


def nsh(walk: BatchWalk, group: FrameGroup) -> None:
    """The network service header and its context; then by its own numbering."""
    group = walk.begin(NSH, group)
    length = walk.column(NSH["length"], group).astype(np.int64)
    short = length < NSH.size
    walk.contradiction(group.where(short), NSH["length"])
    group, length = group.where(~short), length[~short]
    whole = walk.enough(group, length)
    group, length = group.where(whole), length[whole]
    following = walk.column(NSH["nextproto"], group)
    after = group.moved(length)
    for number, kind in NSH_ETHERTYPES.items():
        walk.follow(Numbering.ETHERTYPE, int(kind), after.where(following == number))


def cisco_metadata(walk: BatchWalk, group: FrameGroup) -> None:
    """A tag; then the EtherType that it stands before."""
    group = walk.begin(CISCO_METADATA, group)
    number = walk.column(CISCO_METADATA["type"], group)
    walk.follow(Numbering.ETHERTYPE, number, group.moved(CISCO_METADATA.size))


def _bytes(walk: BatchWalk, group: FrameGroup) -> Column:
    """The byte each packet of the group is at, (n,) uint8."""
    column: Column = walk.data[walk.base[group.rows] + group.at]
    return column
