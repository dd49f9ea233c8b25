"""The packets inside others, as chunks of their own over the same bytes.

Theory
------
A chunk's columns describe the outermost packet (`core.decode.header_index`). A port scan or a
traceroute fills a capture with ICMP errors, each with the packet that caused it, and a tunnel of IP
in IP with packets that have another inside. So a second walk finds the headers of the inner
packets. `quoted_packets` begins where an error's message ends, and it ends where the error does:
the sender of the error cuts the packet, so a header that is not all there is no fault.
`tunneled_packets` begins behind an IP header that another IP header follows, and
`packets_in_tunnel` behind the header of a tunnel (`core.decode.tunnel_columns`): GRE, VXLAN,
and Geneve.

Columns describe the usual case, and both leave out the others, which are dissected: a fragment on
the outside, or many headers; an inner packet that carries or quotes another one, or that
contradicts itself; unusual headers of tunnels, and of Ethernet in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.batch_walk import QUOTE_ENDS
from core.decode.chunk import VERDICT_UNKNOWN, Chunk
from core.decode.header_index import INNER_LAYERS, HeaderOffsets, index_headers
from core.decode.tunnel_columns import TUNNELS, Tunnel
from core.wire.dissect import MAXIMUM_LAYERS
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import EtherType, IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause, PacketFlag
from core.wire.model.walk import Numbering
from core.wire.protocol import Protocol
from core.wire.registry import PROTOCOLS

_LINK_TYPES = {EtherType.IPV4: LinkType.IPV4, EtherType.IPV6: LinkType.IPV6}
_QUOTING: dict[int, tuple[Protocol, EtherType]] = {
    reader.numbers[0]: (protocol, protocol.quotes)
    for protocol in PROTOCOLS
    if protocol.quotes is not None
    for reader in protocol.readers
    if reader.space is Numbering.IP_PROTOCOL
}

_FOLLOWING = {IpProtocol.IPV4: LinkType.IPV4, IpProtocol.IPV6: LinkType.IPV6}

_CARRYING = np.uint8(HeaderState.NESTED | HeaderState.TRANSPORT)
_JUDGED = np.uint8(_CARRYING | HeaderState.FRAGMENT | HeaderState.CAUSE_MASK)
_LEAST_LAYER = 4  # bytes: a VLAN tag, an MPLS label
_FARTHEST = _LEAST_LAYER * (MAXIMUM_LAYERS - INNER_LAYERS)
"""The last place of an inner packet in a frame; too many layers do not fit before it."""


@dataclass(frozen=True, slots=True, eq=False)
class InnerPackets:
    """Inner packets that columns describe: those in packets `rows` (k,) ascending of a chunk.

    `chunk` has them as k frames; only those in a tunnel may have link-layer headers. If they
    `are_quoted`, a cause in its state may be `core.decode.batch_walk.QUOTE_ENDS`. They
    `are_datagrams` if the outermost packets carry them in fragments. `tunnel` names the protocol
    whose header is right before each of them, from ``headers`` (k,) in the data on; without one it
    is empty.
    """

    rows: NDArray[np.int64]
    chunk: Chunk
    are_quoted: bool
    are_datagrams: bool = False
    tunnel: str = ""
    headers: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def causes(self) -> NDArray[np.uint8]:
        """The `Cause` (k,) why the dissection of each packet ended."""
        causes = self.chunk.state & np.uint8(HeaderState.CAUSE_MASK)
        causes[causes == QUOTE_ENDS] = Cause.NONE
        return causes


def inner_packets(chunk: Chunk) -> tuple[InnerPackets, ...]:
    """Return the packets inside those of a chunk, by the way they are carried."""
    found = [quoted_packets(chunk), tunneled_packets(chunk)]
    found += [packets_in_tunnel(chunk, tunnel) for tunnel in TUNNELS]
    if chunk.datagrams is not None:
        found.append(InnerPackets(*chunk.datagrams, are_quoted=False, are_datagrams=True))
    return tuple(each for each in found if len(each.rows))


def quoted_packets(chunk: Chunk) -> InnerPackets:
    """Return the packets that the errors in a chunk quote."""
    candidates = np.flatnonzero(chunk.state & _JUDGED == _CARRYING)
    return _walked(chunk, _quotes(chunk, candidates), are_quoted=True)


def tunneled_packets(chunk: Chunk) -> InnerPackets:
    """Return the packets whose header follows the outermost IP headers at once."""
    candidates = chunk.state & _JUDGED == _CARRYING
    found = []
    for number, link_type in _FOLLOWING.items():
        rows = np.flatnonzero(candidates & (chunk.transport == number))
        begins = chunk.transport_offset[rows].astype(np.int64)
        ends = chunk.stop[rows].astype(np.int64)
        found.append(_Places(rows, begins, ends, np.full(len(rows), link_type, np.int32), begins))
    return _walked(chunk, _joined(found))


def packets_in_tunnel(chunk: Chunk, tunnel: Tunnel) -> InnerPackets:
    """Return the packets behind the headers of a tunnel."""
    candidates = chunk.state & _JUDGED == _CARRYING
    rows = np.flatnonzero(candidates & (chunk.transport == tunnel.ip_protocol))
    return _walked(chunk, _Places(*tunnel.inner_frames(chunk, rows)), tunnel.name)


def _walked(
    chunk: Chunk, places: _Places, tunnel: str = "", *, are_quoted: bool = False
) -> InnerPackets:
    """Return the packets at these places, without those that need a dissection."""
    kept = np.flatnonzero(places.begins <= _FARTHEST)
    rows, at, stop = places.rows[kept], places.begins[kept], places.ends[kept]
    link_type, before = places.link_types[kept], places.headers[kept]
    base = (chunk.offset[rows] + at).astype(np.uint32)
    captured = (np.minimum(chunk.captured[rows], stop) - at).astype(np.uint32)
    original = (stop - at).astype(np.uint32)
    flags = chunk.flags[rows] & np.uint16(0xFFFF ^ PacketFlag.FCS_MASK)
    found = index_headers(
        chunk.data,
        base,
        captured,
        original,
        link_type,
        flags,
        rounds=INNER_LAYERS,
        are_quoted=are_quoted,
    )
    every = Chunk(
        chunk.first,
        chunk.data,
        _TYPES,
        chunk.timestamp_ns[rows],
        base,
        captured,
        original,
        np.searchsorted(_TYPES, link_type).astype(np.uint16),
        flags,
        np.full(len(rows), VERDICT_UNKNOWN, np.uint8),
        found,
        decode_rules=chunk.decode_rules,
    )
    is_simple = found.state & np.uint8(HeaderState.NESTED) == 0
    is_simple &= found.state & np.uint8(HeaderState.CAUSE_MASK) != Cause.MALFORMED
    is_simple &= (link_type != LinkType.ETHERNET) | _is_typed(found)
    index = np.flatnonzero(is_simple)
    headers = chunk.offset[rows[index]].astype(np.int64) + before[index]
    return InnerPackets(
        rows[index], every.copied(index), are_quoted, tunnel=tunnel, headers=headers
    )


def _is_typed(found: HeaderOffsets) -> NDArray[np.bool_]:
    """Return a mask (k,) of Ethernet II frames with one tag at most before the network header.

    A frame with a length, which ends what it carries, has LLC there: 3 or 8 bytes.
    """
    before = found.network_offset - ETHERNET.size
    mask: NDArray[np.bool_] = (before == 0) | (before == VLAN.size)
    mask &= found.network != Network.NONE
    return mask


class _Places(NamedTuple):
    """Inner packets (k,): the row, the first byte and the end in its frame, and the link type.

    `headers` are the first bytes of what carries them: the packets themselves without a tunnel.
    """

    rows: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    link_types: NDArray[np.int32]
    headers: NDArray[np.int64]


def _joined(found: Sequence[_Places]) -> _Places:
    """Return the places of several sources by row."""
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return _Places(*(column[order] for column in columns))


_TYPES = np.array(sorted({*_LINK_TYPES.values(), LinkType.ETHERNET}), np.int32)


def _quotes(chunk: Chunk, rows: NDArray[np.int64]) -> _Places:
    """Return where the errors among `rows` quote packets."""
    found = []
    for number, (protocol, kind) in _QUOTING.items():
        errors = rows[chunk.transport[rows] == number]
        at = chunk.transport_offset[errors].astype(np.int64)
        header = chunk.offset[errors].astype(np.int64) + at
        types = protocol.tables[0]["type"].column(chunk.data, header)
        size = protocol.tables[0].stop
        ends = chunk.stop[errors].astype(np.int64)
        begins = at + size
        for table in protocol.tables[1:]:
            continued = np.isin(types, list(table.when[1])) if table.when else types < 0
            index = np.flatnonzero(continued)
            begins[index] = np.maximum(begins[index], at[index] + table.stop)
            if "length" in table:  # what follows it are extensions (RFC 4884)
                length = table["length"].column(chunk.data, header[index]).astype(np.int64)
                limit = np.where(length > 0, begins[index] + length, ends[index])
                ends[index] = np.minimum(ends[index], limit)
        link_types = np.full(len(errors), _LINK_TYPES[kind], np.int32)
        found.append(_Places(errors, begins, ends, link_types, begins))
    return _joined(found)
