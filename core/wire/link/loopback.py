"""Links without a header, or with four bytes of it: raw IP, and the BSD loopback.

A raw IP frame starts with the IP header; its first four bits are the version. The BSD loopback
header is the address family of the host that captured: in that host's byte order for LINKTYPE_NULL,
in network order for LINKTYPE_LOOP. IPv4 is 2 everywhere; IPv6 is 10, 24, 28 or 30 depending on the
system. Source: tcpdump.org/linktypes.html.

Captures of other systems have other words there, without any sign of it. This module reads what
Wireshark's packet-null.c reads, in this order:

* ``ff 03``: no such header, but PPP's address and control (FreeBSD's ISDN driver);
* two bytes of zero at the end: 16 bits, of a little-endian host, or of a big-endian one if the
  first byte is zero and the second under 6 (IRIX, UNICOS);
* otherwise 32 bits of a big-endian host.

A number above 1500 is an EtherType, not an address family.
"""

from __future__ import annotations

import numpy as np

from core.wire.link.ethernet import HIGHEST_LENGTH
from core.wire.link.link_types import LinkType
from core.wire.link.ppp import ADDRESS, CONTROL
from core.wire.model.assigned_numbers import ETHERTYPE_NAMES, EtherType
from core.wire.model.batch import BatchReader, FrameGroup, begin_with
from core.wire.model.dissection import Cause, Dissection, Layer, Stop
from core.wire.model.field import Field
from core.wire.model.kind import Kind
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Next, Numbering, Walk
from core.wire.protocol import Protocol, Reader

FAMILY_IPV4 = 2
FAMILIES_IPV6 = frozenset({10, 24, 28, 30})
FAMILIES = {FAMILY_IPV4: "IPv4", 7: "OSI", **dict.fromkeys(FAMILIES_IPV6, "IPv6")}
FAMILY_TYPES = {
    FAMILY_IPV4: EtherType.IPV4,
    **dict.fromkeys(FAMILIES_IPV6, EtherType.IPV6),
}


def _family(bits: int) -> Field:
    return Field("family", bits, "Address family", values=FAMILIES, default=FAMILY_IPV4)


def _null(*fields: Field) -> HeaderTable:
    return HeaderTable("null", "BSD loopback", "LINKTYPE_NULL", *fields)


NULL = _null(_family(32))
NULL_LITTLE = _null(
    _family(8), Field("family_high", 24, "Rest of the family, of a little-endian host", Kind.BYTES)
)
NULL_SHORT = _null(
    Field("family_high", 8, "Upper half of the family", Kind.BYTES),
    _family(8),
    Field("unused", 16, "Unused", Kind.BYTES),
)
NULL_TYPE = _null(
    Field("unused", 16, "Unused", Kind.BYTES),
    Field("type", 16, "Type", base=16, values=ETHERTYPE_NAMES),
)
NULL_TYPE_LITTLE = _null(
    Field("type_low", 8, "Lower half of the type, of a little-endian host", base=16),
    Field("type_high", 8, "Upper half of the type", base=16),
    Field("unused", 16, "Unused", Kind.BYTES),
)
TABLES = (NULL, NULL_LITTLE, NULL_SHORT, NULL_TYPE, NULL_TYPE_LITTLE)
PPP_START = bytes([ADDRESS, CONTROL])
HIGHEST_TYPE = 0xFFFF
SHORT_FAMILIES = range(1, 6)  # that a big-endian host writes in 16 bits
FIRST_BYTE = HeaderTable(  # of an IP header of either version
    "raw", "Raw IP", "LINKTYPE_RAW", Field("version", 4, ""), Field("rest", 4, "")
)
IP_VERSIONS = {4: EtherType.IPV4, 6: EtherType.IPV6}


def parse(walk: Walk, offset: int) -> Next | None:
    """Read the BSD loopback header, in any order and width; see the module's text."""
    data = walk.data
    whole = offset + NULL.size <= min(walk.captured, walk.stop)
    if whole and data[offset : offset + len(PPP_START)] == PPP_START:
        return Next(Numbering.PPP_FRAME, 0, offset)
    if not walk.begin(NULL, offset):
        return None
    table, number = _word(data, offset)
    walk.add((table,), offset)
    following = offset + table.size
    if table in (NULL_TYPE, NULL_TYPE_LITTLE):
        return Next(Numbering.ETHERTYPE, number, following)
    kind = FAMILY_TYPES.get(number)
    return None if kind is None else Next(Numbering.ETHERTYPE, kind, following)


def _word(data: bytes, offset: int) -> tuple[HeaderTable, int]:
    """Return the form of a whole header, and the family or EtherType in it."""
    if not NULL_LITTLE["family_high"].number(data, offset):
        return NULL_LITTLE, NULL_LITTLE["family"].number(data, offset)
    if not NULL_SHORT["unused"].number(data, offset):
        high, low = (
            NULL_TYPE_LITTLE[key].number(data, offset) for key in ("type_high", "type_low")
        )
        if low == 0 and high in SHORT_FAMILIES:
            return NULL_SHORT, high
        if (number := high << 8 | low) > HIGHEST_LENGTH:
            return NULL_TYPE_LITTLE, number
    number = NULL["family"].number(data, offset)
    if HIGHEST_LENGTH < number <= HIGHEST_TYPE:
        return NULL_TYPE, number
    return NULL, number


def parse_raw(walk: Walk, offset: int) -> Next | None:
    """Find the version of an IP packet without a header before it. Adds no layer."""
    if not walk.has("ip", offset, FIRST_BYTE.size):
        return None
    version = FIRST_BYTE["version"].number(walk.data, offset)
    following = IP_VERSIONS.get(version)
    if following is None:
        reason = f"version {version} is neither 4 nor 6"
        walk.halt = Stop("ip", offset, Cause.MALFORMED, reason, limited_by="ip.version")
        return None
    return Next(Numbering.ETHERTYPE, following, offset)


def step(walk: BatchReader, group: FrameGroup) -> None:
    """Read many headers, as `parse` does one."""
    ppp = begin_with(walk, group, PPP_START, NULL.size)
    walk.queue(Numbering.PPP_FRAME, 0, group.where(ppp))
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
    walk.queue(Numbering.ETHERTYPE, number[typed], after.where(typed))
    for kind in set(FAMILY_TYPES.values()):
        families = [family for family, each in FAMILY_TYPES.items() if each is kind]
        of_kind = ~typed & np.isin(number, families)
        walk.queue(Numbering.ETHERTYPE, int(kind), after.where(of_kind))


def step_raw(walk: BatchReader, group: FrameGroup) -> None:
    """Find the IP version of many packets, as `parse_raw` does of one."""
    group = walk.has(group, FIRST_BYTE.size)
    version = walk.column(FIRST_BYTE["version"], group)
    for number, kind in IP_VERSIONS.items():
        walk.queue(Numbering.ETHERTYPE, int(kind), group.where(version == number))
    walk.halt(group.where(~np.isin(version, list(IP_VERSIONS))), Cause.MALFORMED)


def info(layer: Layer, dissection: Dissection) -> str:
    """Return the address family, or ``Type 0x88cc LLDP``."""
    table, number = _word(dissection.data, layer.offset)
    if table in (NULL_TYPE, NULL_TYPE_LITTLE):
        return f"Type 0x{number:04x} {ETHERTYPE_NAMES.get(number, '')}".rstrip()
    return FAMILIES.get(number, f"Address family {number}")


PROTOCOLS = (
    Protocol(
        name="null",
        shown="Loopback",
        tables=TABLES,
        info=info,
        is_capture_header=True,
        readers=(
            Reader(Numbering.LINK, (LinkType.NULL, LinkType.LOOP), parse, step),
            Reader(
                Numbering.LINK,
                (LinkType.RAW, LinkType.RAW_BSD, LinkType.RAW_OPENBSD),
                parse_raw,
                step_raw,
            ),
        ),
    ),
)
