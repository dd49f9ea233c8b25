"""Group frames by the bytes that their review reads.

These are addresses, and the announcements of ARP and neighbor discovery. A frame with a tunnel is a
kind of its own, except for IP in IP, GRE, and VXLAN that carry TCP, UDP, or ICMP over IP: there the
destination inside is part of the group.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.header_index import HeaderOffsets, index_headers
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import (
    GENEVE_PORT,
    TUNNEL_PORTS,
    VXLAN_PORT,
    EtherType,
    IpProtocol,
)
from core.wire.model.batch import HeaderState, Network
from core.wire.model.field import PlacedField, Span
from core.wire.network.arp import ARP_IPV4
from core.wire.network.icmpv6 import ICMPV6
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.network.neighbor_discovery import NEIGHBOR_ADVERTISEMENT
from core.wire.network.tunnels import GRE, VXLAN
from core.wire.transport.udp import UDP

_REVIEWED = {  # the bytes of each network header that the review reads, besides the link header
    Network.IPV4: (IPV4["src"].span, IPV4["dst"].span),
    Network.IPV6: (IPV6["src"].span, IPV6["dst"].span),
    Network.ARP: (Span(0, ARP_IPV4.stop),),
}
_KIND = ICMPV6["type"].span
_CARRIERS = {  # by protocol: the table, its next protocol, and the values without more headers
    IpProtocol.IPV4: (IPV4, IPV4["proto"], {"version": 4, "hdr_len": IPV4.size}),
    IpProtocol.IPV6: (IPV6, IPV6["nxt"], {"version": 6}),
}
_CARRIED_WIDTH = 2 + 16  # of a key: the protocols of both, and the destination inside
_SIMPLE = (IpProtocol.TCP, IpProtocol.UDP, IpProtocol.ICMP, IpProtocol.ICMPV6)
_VXLAN_HEADERS = UDP.size + VXLAN.size + ETHERNET.size
_GRE_OPTIONAL = ("flags.checksum", "flags.key", "flags.sequence_number")
_GRE_WORD = 4  # bytes that each of these flags announces after the header (RFC 2890 §2)
_GATHERED = 8 << 20  # bytes of frames that are compared at once


def frame_kinds(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    captured: NDArray[np.uint32],
    header: int,
) -> list[tuple[int, bytes]]:
    """Return the first row of each kind among n frames, and the key of the kind.

    Each frame has a link header of `header` bytes.
    """
    links = np.full(len(offset), LinkType.ETHERNET if header else LinkType.RAW)
    read = index_headers(data, offset, captured, captured, links, np.zeros(len(offset), np.uint16))
    length = captured.astype(np.int64)
    known = (read.state & (HeaderState.NETWORK | HeaderState.ROUTED)) == HeaderState.NETWORK
    icmp = np.flatnonzero(
        (read.state & HeaderState.TRANSPORT > 0) & (read.transport == IpProtocol.ICMPV6)
    )
    at = read.transport_offset[icmp] + np.int64(_KIND.start)
    kind = _bytes(data, offset[icmp] + at, length[icmp] - at, _KIND.stop - _KIND.start)[:, 0]
    known[icmp[kind == NEIGHBOR_ADVERTISEMENT]] = False  # each announcement is a kind of its own
    carried = _carried(data, offset, length, read)
    known &= ~carried.unknown
    found: list[tuple[int, bytes]] = []
    for network, spans in _REVIEWED.items():
        rows = np.flatnonzero(known & (read.network == network))
        pieces = [_bytes(data, offset[rows], length[rows], header), carried.keys[rows]]
        for span in spans:
            at = read.network_offset[rows] + np.int64(span.start)
            width = span.stop - span.start
            pieces.append(_bytes(data, offset[rows] + at, length[rows] - at, width))
        found += _distinct(rows, np.column_stack(pieces), network.name)
    rows = np.flatnonzero(~known | ~np.isin(read.network, list(_REVIEWED)))
    found += _distinct_frames(data, offset, length, rows)  # of other frames, all bytes
    return sorted(found)


class _Carried(NamedTuple):
    """Of n frames, what tunnels carry: `keys` (n, width) are zeros without a tunnel.

    `unknown` (n,) is True where the key does not hold all addresses inside the frame.
    """

    keys: NDArray[np.uint8]
    unknown: NDArray[np.bool_]


class _Inner(NamedTuple):
    """Of n frames, the packets that tunnels carry, as (n,) arrays.

    `protocol` is the IP protocol number of the packet inside, and 0 without a tunnel or for other
    packets. `at` and `stop` are where it begins, and where it ends at the latest, in the frame.
    """

    is_tunnel: NDArray[np.bool_]
    protocol: NDArray[np.int64]
    at: NDArray[np.int64]
    stop: NDArray[np.int64]


def _carried(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
    read: HeaderOffsets,
) -> _Carried:
    """Return the addresses of the packets that tunnels carry."""
    inside = _inner(data, offset, length, read)
    keys = np.zeros((len(offset), _CARRIED_WIDTH), np.uint8)
    unknown = inside.is_tunnel.copy()
    for protocol, (table, following, plain) in _CARRIERS.items():
        rows = np.flatnonzero(inside.protocol == protocol)
        at = inside.at[rows]
        inner = _bytes(data, offset[rows] + at, length[rows] - at, table.size + UDP.size)
        span = table["dst"].span
        keys[rows, 0] = read.transport[rows]
        keys[rows, 1] = protocol
        keys[rows, 2 : 2 + span.stop - span.start] = inner[:, span.start : span.stop]
        carries = _column(inner, following)
        kind = _column(inner, ICMPV6["type"], table.size)
        has_more = (carries == IpProtocol.UDP) & (_tunnel_port(inner, table.size) > 0)
        has_more |= (carries == IpProtocol.ICMPV6) & (kind == NEIGHBOR_ADVERTISEMENT)
        is_known = np.isin(carries, _SIMPLE) & ~has_more
        is_known &= at + table.size <= inside.stop[rows]
        for key, value in plain.items():
            is_known &= _column(inner, table[key]) == value
        if table is IPV4:
            is_known &= _column(inner, IPV4["len"]) >= IPV4.size
        unknown[rows] = ~is_known
    return _Carried(keys, unknown)


def _inner(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
    read: HeaderOffsets,
) -> _Inner:
    """Find the packets that IP in IP, GRE, and VXLAN carry."""
    transport = np.where(read.state & HeaderState.TRANSPORT > 0, read.transport, 0).astype(np.int64)
    at = read.transport_offset.astype(np.int64)
    stop = np.minimum(length, read.stop.astype(np.int64))
    protocol = np.where(np.isin(transport, list(_CARRIERS)), transport, 0)
    is_tunnel = protocol > 0

    rows = np.flatnonzero(transport == IpProtocol.GRE)
    head = _bytes(data, offset[rows] + at[rows], length[rows] - at[rows], GRE.size)
    is_plain = (_column(head, GRE["flags.routing"]) | _column(head, GRE["flags.version"])) == 0
    protocol[rows] = np.where(is_plain, _ip_protocol(_column(head, GRE["proto"])), 0)
    is_tunnel[rows] = True
    at[rows] += GRE.size
    for key in _GRE_OPTIONAL:
        at[rows] += _GRE_WORD * _column(head, GRE[key]).astype(np.int64)

    rows = np.flatnonzero(transport == IpProtocol.UDP)
    head = _bytes(data, offset[rows] + at[rows], length[rows] - at[rows], _VXLAN_HEADERS)
    port = _tunnel_port(head)
    is_tunnel[rows[port == GENEVE_PORT]] = True
    is_vxlan = port == VXLAN_PORT
    rows, head = rows[is_vxlan], head[is_vxlan]
    is_valid = _column(head, VXLAN["flag_i"], UDP.size) == 1
    ethertype = _column(head, ETHERNET["type"], UDP.size + VXLAN.size)
    protocol[rows] = np.where(is_valid, _ip_protocol(ethertype), 0)
    is_tunnel[rows] = True
    stop[rows] = np.minimum(stop[rows], at[rows] + _column(head, UDP["length"]))
    at[rows] += _VXLAN_HEADERS
    return _Inner(is_tunnel, protocol, at, stop)


def _column(heads: NDArray[np.uint8], slot: PlacedField, at: int = 0) -> NDArray[Any]:
    """Return (n,) a field of the headers that begin `at` bytes into each row of `heads`."""
    count, width = heads.shape
    return slot.column(heads.ravel(), np.arange(count) * width + at)


def _tunnel_port(heads: NDArray[np.uint8], at: int = 0) -> NDArray[np.int64]:
    """Return (n,) the port by which the UDP header in each row is that of a tunnel, or 0."""
    found = np.zeros(len(heads), np.int64)
    for key in ("srcport", "dstport"):  # the destination decides
        port = _column(heads, UDP[key], at)
        found = np.where(np.isin(port, TUNNEL_PORTS), port, found)
    return found


def _ip_protocol(ethertypes: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """Return (n,) the IP protocol number of packets of these Ethernet types, 0 if not IP."""
    found = np.where(ethertypes == EtherType.IPV4, IpProtocol.IPV4, 0)
    return np.where(ethertypes == EtherType.IPV6, IpProtocol.IPV6, found)


def _distinct_frames(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> list[tuple[int, bytes]]:
    """Return one of `rows` (n,) for each distinct frame, and the bytes of the frame."""
    found: list[tuple[int, bytes]] = []
    rows = rows[np.argsort(length[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(length[rows])) + 1
    for alike in np.split(rows, edges):
        size = int(length[alike[0]]) if len(alike) else 0
        if not size:
            found += [(int(row), b"") for row in alike[:1]]
            continue
        windows = np.lib.stride_tricks.sliding_window_view(data, size)
        step = max(1, _GATHERED // size)
        for start in range(0, len(alike), step):
            part = alike[start : start + step]
            found += _distinct(part, windows[offset[part]], "")
    return found


def _distinct(
    rows: NDArray[np.int64], keys: NDArray[np.uint8], name: str
) -> list[tuple[int, bytes]]:
    """Return the first of `rows` (n,) for each distinct row of `keys` (n, width), and the key."""
    whole = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).ravel()
    firsts = np.unique(whole, return_index=True)[1].tolist()
    return [(int(rows[at]), name.encode() + keys[at].tobytes()) for at in firsts]


def _bytes(
    data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64], width: int
) -> NDArray[np.uint8]:
    """Return (n, width) bytes from each offset, with zeros after the end of the frame."""
    columns = np.arange(width)
    found = np.zeros((len(offset), width), np.uint8)
    there = columns < length[:, None]
    found[there] = data[(offset[:, None] + columns)[there]]
    return found
