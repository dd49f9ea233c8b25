"""Link headers of many frames at once: the steps from the first byte to the network header.

Each step does for a group of packets what the `parse` of the same name in `core.wire` does for
one, and reads the same tables; the two are held against each other packet by packet in the
tests.
"""

from __future__ import annotations

import numpy as np

from core.store.batch_walk import BatchWalk, Column, Group
from core.wire.dissection import Cause
from core.wire.ethernet import (
    ETHERNET,
    HIGHEST_LENGTH,
    LLC,
    LLC_16_BIT,
    LOWEST_ETHERTYPE,
    OUI_CISCO_BRIDGE,
    OUI_ETHERTYPE,
    SAP_IPV4,
    SAP_SNAP,
    SNAP,
    EtherType,
)
from core.wire.vlan import VLAN
from core.wire.walk import Space


def ethernet(walk: BatchWalk, group: Group) -> None:
    """Ethernet II by its type; 802.3 by its length."""
    group = walk.has(group, ETHERNET.size)
    number = walk.column(ETHERNET["type"], group)
    after = group.moved(ETHERNET.size)
    typed = number >= LOWEST_ETHERTYPE
    if typed.all():
        walk.follow(Space.ETHERTYPE, number, after)
        return
    walk.follow(Space.ETHERTYPE, number[typed], after.where(typed))
    sized = number <= HIGHEST_LENGTH
    walk.halt(group.where(~typed & ~sized), Cause.MALFORMED)
    _sized(walk, after.where(sized), number[sized])


def vlan(walk: BatchWalk, group: Group) -> None:
    """One tag; the next may be another."""
    group = walk.has(group, VLAN.size)
    number = walk.column(VLAN["etype"], group)
    after = group.moved(VLAN.size)
    sized = number <= HIGHEST_LENGTH
    _sized(walk, after.where(sized), number[sized])
    walk.follow(Space.ETHERTYPE, number[~sized], after.where(~sized))


def _sized(walk: BatchWalk, payload: Group, length: Column) -> None:
    walk.limit(payload, payload.at + length)
    walk.follow(Space.LLC, 0, payload)


def llc(walk: BatchWalk, group: Group) -> None:
    """LLC, and SNAP when both service access points say so."""
    group = walk.has(group, LLC.size)
    unnumbered = walk.column(LLC["control"], group) & 0x03 == 0x03
    walk.has(group.where(~unnumbered), LLC_16_BIT.size)
    group = group.where(unnumbered)
    destination = walk.column(LLC["dsap"], group)
    internet = group.where(destination == SAP_IPV4)
    walk.follow(Space.ETHERTYPE, int(EtherType.IPV4), internet.moved(LLC.size))
    group = walk.has(group.where(destination == SAP_SNAP), SNAP.stop)
    known = np.isin(walk.column(SNAP["oui"], group), (OUI_ETHERTYPE, OUI_CISCO_BRIDGE))
    group = group.where(known)
    walk.follow(Space.ETHERTYPE, walk.column(SNAP["type"], group), group.moved(SNAP.stop))
