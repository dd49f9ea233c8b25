"""Links without a header, or with four bytes of it: raw IP, and the BSD loopback.

A raw IP frame starts with the IP header; its version, the first four bits, says which. The BSD
loopback header is the address family of the host that captured: in that host's byte order for
LINKTYPE_NULL, in network order for LINKTYPE_LOOP. IPv4 is 2 everywhere; IPv6 is 10, 24, 28 or
30 depending on the system. Source: tcpdump.org/linktypes.html.

Families are small numbers: where all but the first byte are zero, the host was little-endian.
"""

from __future__ import annotations

from core.wire.dissection import Cause, Dissection, Layer, Stop
from core.wire.ethernet import EtherType
from core.wire.field import Field, Kind
from core.wire.table import HeaderTable
from core.wire.walk import Next, Space, Walk

FAMILY_IPV4 = 2
FAMILIES_IPV6 = frozenset({10, 24, 28, 30})
FAMILIES = {FAMILY_IPV4: "IPv4", 7: "OSI", **dict.fromkeys(FAMILIES_IPV6, "IPv6")}

NULL = HeaderTable(
    "null",
    "BSD loopback",
    "LINKTYPE_NULL",
    Field("family", 32, "Address family", values=FAMILIES, default=FAMILY_IPV4),
)
NULL_LITTLE = HeaderTable(
    "null",
    "BSD loopback",
    "LINKTYPE_NULL",
    Field("family", 8, "Address family", values=FAMILIES, default=FAMILY_IPV4),
    Field("family_high", 24, "Rest of the family, of a little-endian host", Kind.BYTES),
)
_NIBBLE = HeaderTable(
    "raw", "Raw IP", "LINKTYPE_RAW", Field("version", 4, ""), Field("rest", 4, "")
)
_VERSIONS = {4: EtherType.IPV4, 6: EtherType.IPV6}


def parse(walk: Walk, offset: int) -> Next | None:
    """The BSD loopback header, in either byte order."""
    if not walk.begin(NULL, offset):
        return None
    table, family = NULL, NULL["family"].number(walk.data, offset)
    if not NULL_LITTLE["family_high"].number(walk.data, offset):
        table, family = NULL_LITTLE, NULL_LITTLE["family"].number(walk.data, offset)
    walk.add((table,), offset)
    if family == FAMILY_IPV4:
        return Next(Space.ETHERTYPE, EtherType.IPV4, offset + table.size)
    if family in FAMILIES_IPV6:
        return Next(Space.ETHERTYPE, EtherType.IPV6, offset + table.size)
    return None


def parse_raw(walk: Walk, offset: int) -> Next | None:
    """An IP packet of either version, with no header before it. Adds no layer."""
    if not walk.has("ip", offset, _NIBBLE.size):
        return None
    version = _NIBBLE["version"].number(walk.data, offset)
    following = _VERSIONS.get(version)
    if following is None:
        reason = f"version {version} is neither 4 nor 6"
        walk.halt = Stop("ip", offset, Cause.MALFORMED, reason, limited_by="ip.version")
        return None
    return Next(Space.ETHERTYPE, following, offset)


def info(layer: Layer, dissection: Dissection) -> str:
    """The address family."""
    family = layer.number(dissection.data, "family")
    return FAMILIES.get(family or 0, f"Address family {family}")
