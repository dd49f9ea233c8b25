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
    ETHERNET_802_3,
    ETHERNET_INVALID,
    HIGHEST_LENGTH,
    LLC,
    LLC_16_BIT,
    LOWEST_ETHERTYPE,
    OUI_CISCO_BRIDGE,
    OUI_ETHERTYPE,
    RAW_IPX,
    SAP_IPV4,
    SAP_SNAP,
    SNAP,
    UNNUMBERED,
    EtherType,
)
from core.wire.field import gather
from core.wire.ipv4 import IPV4
from core.wire.ipv6 import IPV6
from core.wire.loopback import FAMILIES_IPV6, FAMILY_IPV4, NULL, NULL_LITTLE
from core.wire.sll import (
    ETHERNET_ADDRESS_BYTES,
    HARDWARE_NETLINK,
    KIND_LLC,
    SLL,
    SLL2,
    SLL2_FRAME,
    SLL2_OTHER,
    SLL2_OTHER_FRAME,
    SLL_FRAME,
    SLL_OTHER,
    SLL_OTHER_FRAME,
)
from core.wire.table import HeaderTable
from core.wire.vlan import PROVIDER, VLAN, VLAN_LENGTH
from core.wire.walk import Space


def ethernet(walk: BatchWalk, group: Group) -> None:
    """Ethernet II by its type; 802.3 by its length."""
    group = walk.begin(ETHERNET, group)
    number = walk.column(ETHERNET["type"], group)
    after = group.moved(ETHERNET.size)
    typed = (number >= LOWEST_ETHERTYPE) | (number == 0)
    if typed.all():
        walk.follow(Space.ETHERTYPE, number, after)
        return
    walk.follow(Space.ETHERTYPE, number[typed], after.where(typed))
    sized = ~typed & (number <= HIGHEST_LENGTH)
    walk.instead(ETHERNET, ETHERNET_802_3, group.where(sized))
    invalid = group.where(~typed & ~sized)
    walk.instead(ETHERNET, ETHERNET_INVALID, invalid)
    walk.contradiction(invalid, ETHERNET_INVALID["invalid_lentype"])
    _sized(walk, after.where(sized), number[sized])


def vlan(walk: BatchWalk, group: Group) -> None:
    """One tag; the next may be another."""
    group = walk.begin(VLAN, group)
    number = walk.column(VLAN["etype"], group)
    after = group.moved(VLAN.size)
    sized = number <= HIGHEST_LENGTH
    walk.instead(VLAN, VLAN_LENGTH, group.where(sized))
    _sized(walk, after.where(sized), number[sized])
    walk.follow(Space.ETHERTYPE, number[~sized], after.where(~sized))


def provider_vlan(walk: BatchWalk, group: Group) -> None:
    """A provider's tag."""
    group = walk.begin(PROVIDER, group)
    number = walk.column(PROVIDER["type"], group)
    walk.follow(Space.ETHERTYPE, number, group.moved(PROVIDER.size))


def _sized(walk: BatchWalk, payload: Group, length: Column) -> None:
    walk.limit(payload, payload.at + length)
    walk.follow(Space.LLC, 0, payload)


def llc(walk: BatchWalk, group: Group) -> None:
    """LLC, and SNAP when both service access points say so."""
    group = walk.begin(LLC, group)
    points = gather(walk.data, walk.base[group.rows] + group.at, len(RAW_IPX))
    group = group.where(points != int.from_bytes(RAW_IPX, "big"))
    unnumbered = walk.column(LLC["control"], group) & UNNUMBERED == UNNUMBERED
    numbered = group.where(~unnumbered)
    walk.instead(LLC, LLC_16_BIT, numbered)
    walk.has(numbered, LLC_16_BIT.size)
    group = group.where(unnumbered)
    destination = walk.column(LLC["dsap"], group)
    internet = group.where(destination == SAP_IPV4)
    walk.follow(Space.ETHERTYPE, int(EtherType.IPV4), internet.moved(LLC.size))
    group = walk.has(group.where(destination == SAP_SNAP), SNAP.stop)
    walk.found(SNAP, group)
    known = np.isin(walk.column(SNAP["oui"], group), (OUI_ETHERTYPE, OUI_CISCO_BRIDGE))
    group = group.where(known)
    walk.follow(Space.ETHERTYPE, walk.column(SNAP["type"], group), group.moved(SNAP.stop))


def cooked(walk: BatchWalk, group: Group) -> None:
    """Linux cooked capture, version 1."""
    _cooked(walk, group, (SLL, SLL_OTHER), (SLL_FRAME, SLL_OTHER_FRAME))


def cooked_2(walk: BatchWalk, group: Group) -> None:
    """Linux cooked capture, version 2."""
    _cooked(walk, group, (SLL2, SLL2_OTHER), (SLL2_FRAME, SLL2_OTHER_FRAME))


def _cooked(
    walk: BatchWalk,
    group: Group,
    typed_tables: tuple[HeaderTable, HeaderTable],
    frame_tables: tuple[HeaderTable, HeaderTable],
) -> None:
    """`typed_tables` name an EtherType, `frame_tables` a kind of frame; the second of each
    has an address that is not Ethernet's.
    """
    table = typed_tables[0]
    group = walk.begin(table, group)
    is_frame = walk.column(table["etype"], group) < LOWEST_ETHERTYPE
    other = walk.column(table["halen"], group) != ETHERNET_ADDRESS_BYTES
    walk.instead(table, typed_tables[1], group.where(~is_frame & other))
    walk.instead(table, frame_tables[0], group.where(is_frame & ~other))
    walk.instead(table, frame_tables[1], group.where(is_frame & other))
    group = group.where(walk.column(table["hatype"], group) != HARDWARE_NETLINK)
    number = walk.column(table["etype"], group)
    after = group.moved(table.size)
    walk.follow(Space.LLC, 0, after.where(number == KIND_LLC))
    typed = number >= LOWEST_ETHERTYPE
    walk.follow(Space.ETHERTYPE, number[typed], after.where(typed))


def loopback(walk: BatchWalk, group: Group) -> None:
    """The BSD loopback header, in either byte order."""
    group = walk.begin(NULL, group)
    family = walk.column(NULL["family"], group)
    little = walk.column(NULL_LITTLE["family"], group)
    # where all but the first byte are zero, the host was little-endian
    reversed_order = family & ((1 << NULL_LITTLE["family_high"].field.bits) - 1) == 0
    walk.instead(NULL, NULL_LITTLE, group.where(reversed_order))
    family = np.where(reversed_order, little, family)
    after = group.moved(NULL.size)
    walk.follow(Space.ETHERTYPE, int(EtherType.IPV4), after.where(family == FAMILY_IPV4))
    of_ipv6 = np.isin(family, list(FAMILIES_IPV6))
    walk.follow(Space.ETHERTYPE, int(EtherType.IPV6), after.where(of_ipv6))


def raw(walk: BatchWalk, group: Group) -> None:
    """An IP packet of either version."""
    group = walk.has(group, 1)
    version = walk.column(IPV4["version"], group)  # IPv6's is in the same place
    four, six = version == IPV4["version"].field.default, version == IPV6["version"].field.default
    walk.follow(Space.ETHERTYPE, int(EtherType.IPV4), group.where(four))
    walk.follow(Space.ETHERTYPE, int(EtherType.IPV6), group.where(six))
    walk.halt(group.where(~four & ~six), Cause.MALFORMED)
