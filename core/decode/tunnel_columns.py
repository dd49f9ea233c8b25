"""The places of tunnels' headers in many packets, and what follows them.

The usual forms are here: GRE of version 0 with an IP packet or an Ethernet frame, with or without a
key and a sequence number, Geneve with the same, whatever its options, and VXLAN, which carries an
Ethernet frame. Packets with another form (a checksum, a route, PPTP) are left out.
`core.wire.network.tunnels` and `geneve` read one packet by the same tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import (
    GENEVE_PORT,
    TUNNEL_PORTS,
    VXLAN_PORT,
    EtherType,
    IpProtocol,
)
from core.wire.network.geneve import GENEVE
from core.wire.network.tunnels import GRE, GRE_WORD, VXLAN
from core.wire.transport.udp import UDP

Offsets = NDArray[np.int64]
InnerFrames = tuple[Offsets, Offsets, Offsets, NDArray[np.int32], Offsets]
"""Rows ascending, first byte and end of what the tunnel carries, its link type, and the first byte
of the tunnel's header; all (k,), from the start of the frame."""


class Tunnel(NamedTuple):
    """A tunnel over an IP protocol. `inner_frames` takes a chunk, and rows (n,) ascending."""

    name: str
    ip_protocol: int
    inner_frames: Callable[[Chunk, Offsets], InnerFrames]


_CARRIED = {
    EtherType.IPV4: LinkType.IPV4,
    EtherType.IPV6: LinkType.IPV6,
    EtherType.TRANSPARENT_ETHERNET: LinkType.ETHERNET,
}
_UNUSUAL = ("flags.checksum", "flags.routing", "flags.ack", "flags.version")
_WORDS = ("flags.key", "flags.sequence_number")


def _gre_frames(chunk: Chunk, rows: Offsets) -> InnerFrames:
    at = chunk.transport_offset[rows].astype(np.int64)
    ends = chunk.stop[rows].astype(np.int64)
    limit = np.minimum(ends, chunk.captured[rows])
    kept = np.flatnonzero(at + GRE.size <= limit)
    starts = chunk.offset[rows[kept]].astype(np.int64) + at[kept]
    data = chunk.data
    usual = np.ones(len(kept), np.bool_)
    for key in _UNUSUAL:
        usual &= GRE[key].column(data, starts) == 0
    begins = at[kept] + GRE.size
    for key in _WORDS:
        begins += np.where(GRE[key].column(data, starts) > 0, GRE_WORD, 0)
    link_types = _link_types(GRE["proto"].column(data, starts))
    usual &= (link_types >= 0) & (begins <= limit[kept])
    index = kept[usual]
    return rows[index], begins[usual], ends[index], link_types[usual], at[index]


def _link_types(carried: NDArray[np.uint16]) -> NDArray[np.int32]:
    """Return the link type of what each EtherType names, (k,); -1 for those without columns."""
    link_types = np.full(len(carried), -1, np.int32)
    for number, link_type in _CARRIED.items():
        link_types[carried == number] = link_type
    return link_types


def _is_on_port(data: NDArray[np.uint8], starts: Offsets, port: int) -> NDArray[np.bool_]:
    """Return a mask (k,) of the UDP headers that lead to a tunnel, as `core.wire.transport.udp`."""
    source, destination = (UDP[key].column(data, starts) for key in ("srcport", "dstport"))
    mask: NDArray[np.bool_] = destination == port
    mask |= (source == port) & ~np.isin(destination, TUNNEL_PORTS)
    return mask


def _vxlan_frames(chunk: Chunk, rows: Offsets) -> InnerFrames:
    outer = chunk.transport_offset[rows].astype(np.int64)
    at = outer + UDP.size
    begins = at + VXLAN.size
    limit = np.minimum(chunk.stop[rows], chunk.captured[rows])
    kept = np.flatnonzero(begins <= limit)
    starts = chunk.offset[rows[kept]].astype(np.int64) + outer[kept]
    data = chunk.data
    length = UDP["length"].column(data, starts).astype(np.int64)
    usual = length >= UDP.size + VXLAN.size
    usual &= _is_on_port(data, starts, VXLAN_PORT)
    usual &= VXLAN["flag_i"].column(data, starts + UDP.size) > 0
    index = kept[usual]
    ends = np.minimum(chunk.stop[rows[index]], outer[index] + length[usual])
    link_types = np.full(len(index), LinkType.ETHERNET, np.int32)
    return rows[index], begins[index], ends, link_types, at[index]


def _geneve_frames(chunk: Chunk, rows: Offsets) -> InnerFrames:
    outer = chunk.transport_offset[rows].astype(np.int64)
    at = outer + UDP.size
    limit = np.minimum(chunk.stop[rows], chunk.captured[rows]).astype(np.int64)
    kept = np.flatnonzero(at + GENEVE.size <= limit)
    data = chunk.data
    starts = chunk.offset[rows[kept]].astype(np.int64) + outer[kept]
    is_geneve = _is_on_port(data, starts, GENEVE_PORT)
    kept, starts = kept[is_geneve], starts[is_geneve]
    header = starts + UDP.size
    size = GENEVE.size + GENEVE["option.length"].column(data, header).astype(np.int64)
    length = UDP["length"].column(data, starts).astype(np.int64)
    link_types = _link_types(GENEVE["proto_type"].column(data, header))
    usual = (length >= UDP.size + size) & (at[kept] + size <= limit[kept]) & (link_types >= 0)
    index = kept[usual]
    ends = np.minimum(chunk.stop[rows[index]], outer[index] + length[usual])
    return rows[index], at[index] + size[usual], ends, link_types[usual], at[index]


TUNNELS = (
    Tunnel("gre", IpProtocol.GRE, _gre_frames),
    Tunnel("vxlan", IpProtocol.UDP, _vxlan_frames),
    Tunnel("geneve", IpProtocol.UDP, _geneve_frames),
)
