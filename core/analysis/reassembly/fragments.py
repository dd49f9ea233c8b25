"""The fragments in a chunk, found by its columns.

`HeaderState.FRAGMENT` marks the packets whose outermost network packet is a fragment. The headers
of IPv4 are read as columns. Those of IPv6, whose fragment header may follow other extensions, are
read one packet after the other. A packet without the mark costs nothing.

Wireshark's rules decide which fragments take part: those with all bytes of their payload, at least
one. Its key, too: addresses, identification, and the protocol (IPv4), with the VLAN if an address
is private (RFC 1918), since VLANs then may be different networks. Fragments inside tunnels are not
reassembled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import HeaderState, Network
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv4_tools import FRAGMENT_UNIT
from core.wire.network.ipv6 import IPV6
from core.wire.network.ipv6_extensions import FRAGMENT

_FRAGMENT_BIT = np.uint8(HeaderState.FRAGMENT)
_V4_KEYS = ("hdr_len", "len", "flags.mf", "frag_offset")
_ADDRESSES_4 = slice(IPV4["src"].span.start, IPV4["dst"].span.stop)
_ADDRESSES_6 = slice(IPV6["src"].span.start, IPV6["dst"].span.stop)
_ID_4, _PROTOCOL_4 = IPV4["id"].span.start, IPV4["proto"].span.start
_TAG_TYPES = frozenset(
    number.to_bytes(2, "big")
    for number in (EtherType.VLAN, EtherType.PROVIDER_VLAN, EtherType.QINQ_OLD)
)
_TAG_BYTES = 4
_VLAN_MASK = 0x0FFF


class Fragment(NamedTuple):
    """A fragment: its datagram's `key`, its row, and the bytes ``at:stop`` of its frame.

    They are the bytes from `start` on of the datagram; `has_more` is False for the last ones.
    """

    key: tuple[str, bytes, int]
    row: int
    at: int
    stop: int
    start: int
    has_more: bool

    @property
    def owner(self) -> str:
        """The protocol of the network header."""
        return self.key[0]

    @property
    def end(self) -> int:
        """The end of its bytes in the datagram."""
        return self.start + self.stop - self.at


def fragment_rows(chunk: Chunk) -> NDArray[np.int64]:
    """Return the rows of a chunk's packets that are fragments."""
    return np.flatnonzero(chunk.state & _FRAGMENT_BIT)


def fragments_of(chunk: Chunk) -> Iterator[Fragment]:
    """Yield the fragments of a chunk that can be reassembled, in its order."""
    rows = fragment_rows(chunk)
    if not len(rows):
        return
    networks = chunk.network[rows]
    four = _fragments_4(chunk, rows[networks == Network.IPV4])
    six = _fragments_6(chunk, rows[networks == Network.IPV6])
    yield from sorted((*four, *six), key=_row_of)


def _row_of(fragment: Fragment) -> int:
    return fragment.row


def _fragments_4(chunk: Chunk, rows: NDArray[np.int64]) -> Iterator[Fragment]:
    at = chunk.network_offset[rows].astype(np.int64)
    starts = chunk.offset[rows].astype(np.int64) + at
    header, length, more, place = (
        IPV4[key].column(chunk.data, starts).astype(np.int64) for key in _V4_KEYS
    )
    begin, stop = at + header, at + length
    is_taken = (more > 0) | (place > 0)
    is_taken &= (length > header) & (stop <= chunk.captured[rows]) & (stop <= chunk.stop[rows])
    index = np.flatnonzero(is_taken)
    columns = (rows, starts, begin, stop, place, more)
    for row, header_at, first, end, units, has_more in zip(
        *(column[index].tolist() for column in columns), strict=True
    ):
        head = chunk.data[header_at : header_at + IPV4.size].tobytes()
        addresses = head[_ADDRESSES_4]
        number = int.from_bytes(head[_ID_4 : _ID_4 + 2], "big") << 8 | head[_PROTOCOL_4]
        if _is_private(addresses[:4]) or _is_private(addresses[4:]):
            number |= _vlan(chunk, row) << 24
        yield Fragment(
            ("ip", addresses, number), row, first, end, units * FRAGMENT_UNIT, bool(has_more)
        )


def _fragments_6(chunk: Chunk, rows: NDArray[np.int64]) -> Iterator[Fragment]:
    for row in rows.tolist():
        dissection = chunk.dissect(row)
        header = dissection.layer(FRAGMENT.name)
        network = dissection.layer(IPV6.name)
        if header is None or network is None or header.depth != 1 or not header.is_complete:
            continue
        data, at = dissection.data, header.offset + FRAGMENT.size
        place, more, ident = (header.number(data, key) for key in ("offset", "more", "ident"))
        stop = network.stop
        if not (place or more) or stop > int(chunk.captured[row]) or stop <= at:
            continue
        addresses = data[network.offset :][_ADDRESSES_6]
        start = (place or 0) * FRAGMENT_UNIT
        yield Fragment(("ipv6", addresses, ident or 0), row, at, stop, start, bool(more))


def _is_private(address: bytes) -> bool:
    """Return True for an address of RFC 1918."""
    first, second = address[0], address[1]
    if first == 10:
        return True
    return (first == 172 and second & 0xF0 == 16) or (first == 192 and second == 168)


def _vlan(chunk: Chunk, row: int) -> int:
    """Return the innermost VLAN of an Ethernet frame, or 0 outside of VLANs."""
    at = int(chunk.network_offset[row])
    link = int(chunk.link_types[chunk.interface[row]])
    if link != LinkType.ETHERNET or at < 12 + _TAG_BYTES + 2:
        return 0
    end = int(chunk.offset[row]) + at
    tag = chunk.data[end - 2 - _TAG_BYTES : end - 2].tobytes()
    return int.from_bytes(tag[2:], "big") & _VLAN_MASK if tag[:2] in _TAG_TYPES else 0
