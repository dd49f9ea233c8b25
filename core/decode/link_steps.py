"""Link headers of many frames at once: the steps from the first byte to the network header.

Each step does for a group of packets what the `parse` of the same name in `core.wire` does for
one, and reads the same tables; the two are held against each other packet by packet in the
tests.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.decode.batch_walk import BatchWalk
from core.wire.link.ethernet import (
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
)
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import (
    ETHERNET_ADDRESS_BYTES,
    HARDWARE_FRAD,
    HARDWARE_MEANINGS,
    KIND_LLC,
    SLL,
    SLL2,
    SLL2_VARIANTS,
    SLL_VARIANTS,
    Meaning,
    Variant,
)
from core.wire.link.loopback import (
    FAMILY_TYPES,
    HIGHEST_TYPE,
    NULL,
    NULL_LITTLE,
    NULL_SHORT,
    NULL_TYPE,
    NULL_TYPE_LITTLE,
    PPP_START,
    SHORT_FAMILIES,
)
from core.wire.link.vlan import PROVIDER, VLAN, VLAN_LENGTH
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import Column, FrameGroup, Mask
from core.wire.model.dissection import Cause
from core.wire.model.field import gather
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6


def ethernet(walk: BatchWalk, group: FrameGroup) -> None:
    """Ethernet II by its type; 802.3 by its length."""
    group = walk.begin(ETHERNET, group)
    number = walk.column(ETHERNET["type"], group)
    after = group.moved(ETHERNET.size)
    typed = (number >= LOWEST_ETHERTYPE) | (number == 0)
    if typed.all():
        walk.follow(Numbering.ETHERTYPE, number, after)
        return
    walk.follow(Numbering.ETHERTYPE, number[typed], after.where(typed))
    sized = ~typed & (number <= HIGHEST_LENGTH)
    walk.reclassify(ETHERNET, ETHERNET_802_3, group.where(sized))
    invalid = group.where(~typed & ~sized)
    walk.reclassify(ETHERNET, ETHERNET_INVALID, invalid)
    walk.contradiction(invalid, ETHERNET_INVALID["invalid_lentype"])
    _sized(walk, after.where(sized), number[sized])


def vlan(walk: BatchWalk, group: FrameGroup) -> None:
    """One tag; the next may be another."""
    group = walk.begin(VLAN, group)
    number = walk.column(VLAN["etype"], group)
    after = group.moved(VLAN.size)
    sized = number <= HIGHEST_LENGTH
    walk.reclassify(VLAN, VLAN_LENGTH, group.where(sized))
    _sized(walk, after.where(sized), number[sized])
    walk.follow(Numbering.ETHERTYPE, number[~sized], after.where(~sized))


def provider_vlan(walk: BatchWalk, group: FrameGroup) -> None:
    """A provider's tag."""
    group = walk.begin(PROVIDER, group)
    number = walk.column(PROVIDER["type"], group)
    walk.follow(Numbering.ETHERTYPE, number, group.moved(PROVIDER.size))


def _sized(walk: BatchWalk, payload: FrameGroup, length: Column) -> None:
    walk.limit(payload, payload.at + length)
    walk.follow(Numbering.LLC, 0, payload)


def llc(walk: BatchWalk, group: FrameGroup) -> None:
    """LLC, and SNAP when both service access points say so."""
    group = group.where(~_begins_with(walk, group, RAW_IPX, LLC.size))  # no LLC at all
    group = walk.begin(LLC, group)
    unnumbered = walk.column(LLC["control"], group) & UNNUMBERED == UNNUMBERED
    numbered = group.where(~unnumbered)
    walk.reclassify(LLC, LLC_16_BIT, numbered)
    walk.has(numbered, LLC_16_BIT.size)
    group = group.where(unnumbered)
    destination = walk.column(LLC["dsap"], group)
    internet = group.where(destination == SAP_IPV4)
    walk.follow(Numbering.ETHERTYPE, int(EtherType.IPV4), internet.moved(LLC.size))
    group = walk.has(group.where(destination == SAP_SNAP), SNAP.stop)
    walk.found(SNAP, group)
    known = np.isin(walk.column(SNAP["oui"], group), (OUI_ETHERTYPE, OUI_CISCO_BRIDGE))
    group = group.where(known)
    walk.follow(Numbering.ETHERTYPE, walk.column(SNAP["type"], group), group.moved(SNAP.stop))


def cooked(walk: BatchWalk, group: FrameGroup) -> None:
    """Linux cooked capture, version 1."""
    _cooked(walk, group, SLL, SLL_VARIANTS)


def cooked_2(walk: BatchWalk, group: FrameGroup) -> None:
    """Linux cooked capture, version 2."""
    _cooked(walk, group, SLL2, SLL2_VARIANTS)


def _cooked(
    walk: BatchWalk, group: FrameGroup, table: HeaderTable, variants: Mapping[Variant, HeaderTable]
) -> None:
    group = walk.begin(table, group)
    number = walk.column(table["etype"], group)
    hardware = walk.column(table["hatype"], group)
    means = _meanings(number, hardware)
    if walk.is_watched:
        other = walk.column(table["halen"], group) != ETHERNET_ADDRESS_BYTES
        for (is_other, meaning), variant in variants.items():
            if variant is not table:
                these = group.where(means[meaning] & (other == is_other))
                walk.reclassify(table, variant, these)
    after = group.moved(table.size)
    typed = means[Meaning.ETHERTYPE] | means[Meaning.GRE]
    walk.follow(Numbering.ETHERTYPE, number[typed], after.where(typed))
    walk.follow(Numbering.LLC, 0, after.where(means[Meaning.FRAME] & (number == KIND_LLC)))
    walk.follow(Numbering.LINK, int(LinkType.FRELAY), after.where(hardware == HARDWARE_FRAD))


def _meanings(number: Column, hardware: Column) -> dict[Meaning, Mask]:
    """Where a cooked header's protocol (n,) has each of its meanings, by hardware type (n,)."""
    means: dict[Meaning, Mask] = {
        meaning: np.isin(
            hardware, [kind for kind, each in HARDWARE_MEANINGS.items() if each is meaning]
        )
        for meaning in set(HARDWARE_MEANINGS.values())
    }
    plain = ~np.logical_or.reduce(list(means.values()))
    means[Meaning.ETHERTYPE] = plain & (number >= LOWEST_ETHERTYPE)
    means[Meaning.FRAME] = plain & (number < LOWEST_ETHERTYPE)
    return means


def loopback(walk: BatchWalk, group: FrameGroup) -> None:
    """The BSD loopback header, in whatever order and width."""
    ppp = _begins_with(walk, group, PPP_START, NULL.size)
    walk.follow(Numbering.PPP_FRAME, 0, group.where(ppp))
    group = walk.begin(NULL, group.where(~ppp))
    number = walk.column(NULL["family"], group).astype(np.int64)
    low, high = (
        walk.column(NULL_TYPE_LITTLE[key], group).astype(np.int64)
        for key in ("type_low", "type_high")
    )
    halved = number & ((1 << NULL_SHORT["unused"].field.bits) - 1) == 0
    little = halved & (high == 0)
    short = halved & ~little & (low == 0) & np.isin(high, list(SHORT_FAMILIES))
    swapped = high << 8 | low
    little_type = halved & ~little & ~short & (swapped > HIGHEST_LENGTH)
    plain = ~(little | short | little_type)
    typed = plain & (number > HIGHEST_LENGTH) & (number <= HIGHEST_TYPE)
    forms = (
        (little, NULL_LITTLE),
        (short, NULL_SHORT),
        (little_type, NULL_TYPE_LITTLE),
        (typed, NULL_TYPE),
    )
    for mask, table in forms:
        walk.reclassify(NULL, table, group.where(mask))
    after = group.moved(NULL.size)
    number = np.select([little, short, little_type], [low, high, swapped], number)
    typed |= little_type
    walk.follow(Numbering.ETHERTYPE, number[typed], after.where(typed))
    for kind in set(FAMILY_TYPES.values()):
        families = [family for family, each in FAMILY_TYPES.items() if each is kind]
        of_kind = ~typed & np.isin(number, families)
        walk.follow(Numbering.ETHERTYPE, int(kind), after.where(of_kind))


def raw(walk: BatchWalk, group: FrameGroup) -> None:
    """An IP packet of either version."""
    group = walk.has(group, 1)
    version = walk.column(IPV4["version"], group)  # IPv6's is in the same place
    four, six = version == IPV4["version"].field.default, version == IPV6["version"].field.default
    walk.follow(Numbering.ETHERTYPE, int(EtherType.IPV4), group.where(four))
    walk.follow(Numbering.ETHERTYPE, int(EtherType.IPV6), group.where(six))
    walk.halt(group.where(~four & ~six), Cause.MALFORMED)


def _begins_with(walk: BatchWalk, group: FrameGroup, start: bytes, size: int) -> Mask:
    """Return a mask (n,) of packets that have `size` bytes that begin with `start` (1, 2, 4, 8)."""
    mask = walk.begins(group.moved(size - 1))
    whole = group.where(mask)
    words = gather(walk.data, walk.base.take(whole.rows) + whole.at, len(start))
    mask[mask] = words == int.from_bytes(start, "big")
    return mask
