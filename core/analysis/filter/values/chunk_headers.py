"""The headers in a chunk's packets, by its columns.

The columns describe the outermost packet, and `inner` has columns of packets inside: those that
ICMP errors quote, and those in IP in IP, GRE, VXLAN, and Geneve. `HeaderState.NESTED` marks packets
inside which there may be another, and `Cause.MALFORMED` those whose headers contradict themselves;
both are dissected one by one (`core.analysis.filter.values.dissected`), and nothing here reports
their headers. All other packets have one network header and one transport header at most, at known
places, and link-layer headers that a walk finds: several of one kind, if they stack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.header_list import HeaderList, Headers
from core.decode.chunk import Chunk
from core.decode.header_index import LINK_STEPS, STEPS, walk_headers
from core.decode.inner_packets import InnerPackets, inner_packets
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.vlan import VLAN
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause
from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable
from core.wire.model.walk import Numbering
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.network.ipv6_extensions import EXTENSION_HEADERS
from core.wire.protocol import Protocol
from core.wire.registry import LINK_PROTOCOLS, PROTOCOLS

_CAUSE = np.uint8(HeaderState.CAUSE_MASK)
_NESTED = np.uint8(HeaderState.NESTED)
_Key = tuple[str, int, bool]

TRANSPORTS = {
    protocol.name: reader.numbers[0]
    for protocol in PROTOCOLS
    for reader in protocol.readers
    if reader.space is Numbering.IP_PROTOCOL
    and reader.step is not None
    and reader.numbers[0] not in EXTENSION_HEADERS
}
"""The IP protocol number of each transport that the batch decode reads."""

EXTENSIONS = {
    protocol.name
    for protocol in PROTOCOLS
    for reader in protocol.readers
    if reader.space is Numbering.IP_PROTOCOL and reader.numbers[0] in EXTENSION_HEADERS
}
"""Protocols of headers between network and transport."""

NETWORKS = {
    protocol.name: protocol.network
    for protocol in PROTOCOLS
    if protocol.network is not Network.NONE
}
"""The kind of network header of each network protocol."""

_LINKS = {protocol.name for protocol in LINK_PROTOCOLS}
_NONE = np.zeros(0, np.int64)
_NO_HEADERS = Headers(_NONE, _NONE, _NONE, np.zeros(0, np.int32))


class ChunkHeaders:
    """The headers of the packets of one chunk that its columns describe.

    `inside` are the packets of the chunk, if it is one of `InnerPackets`.
    """

    def __init__(self, chunk: Chunk, inside: InnerPackets | None = None) -> None:
        self.chunk = chunk
        self.inside = inside
        self.are_quoted = inside is not None and inside.are_quoted
        self.has_links = inside is None or bool(inside.tunnel)
        self._walked: dict[str, HeaderList] = {}
        self._known: dict[_Key, Headers] = {}

    @cached_property
    def dissected(self) -> NDArray[np.bool_]:
        """A mask (n,) of the packets that only their dissection describes."""
        state = self.chunk.state
        mask: NDArray[np.bool_] = state & _NESTED > 0
        for packets, _ in self.inner:
            mask[packets.rows] = False
        mask |= state & _CAUSE == Cause.MALFORMED
        return mask

    @cached_property
    def inner(self) -> tuple[tuple[InnerPackets, ChunkHeaders], ...]:
        """The packets inside, as far as columns describe them, and their headers."""
        if self.inside is not None or not (self.chunk.state & _NESTED).any():
            return ()
        return tuple((each, ChunkHeaders(each.chunk, each)) for each in inner_packets(self.chunk))

    @cached_property
    def has_dissected(self) -> bool:
        """True if any packet is in `dissected`."""
        return bool(self.dissected.any())

    @cached_property
    def limit(self) -> NDArray[np.int64]:
        """The end of the readable bytes of each packet, from the start of its frame, (n,)."""
        return np.minimum(self.chunk.captured, self.chunk.stop).astype(np.int64)

    @cached_property
    def base(self) -> NDArray[np.int64]:
        """The start of each frame in the chunk's data, (n,)."""
        return self.chunk.offset.astype(np.int64)

    def described(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the rows of a mask (n,) whose packets the columns describe."""
        return np.flatnonzero(mask & ~self.dissected if self.has_dissected else mask)

    # -- by protocol --------------------------------------------------------------

    def headers(self, protocol: Protocol, table: HeaderTable) -> list[Headers]:
        """Return all headers of one of a protocol's tables, except those of options."""
        name = protocol.name
        if name in _LINKS:
            return self._link_headers(protocol, table)
        if name in EXTENSIONS:
            return [self._walk(protocol, self.has_extension).headers(table)]
        is_first = table is protocol.tables[0] and protocol.has_single_form
        if name in NETWORKS:
            kind = NETWORKS[name]
            if is_first:
                return [self.networks(kind), self.networks(kind, is_whole=False)]
            return [self._walk(protocol, self.chunk.network == kind).headers(table)]
        if name in TRANSPORTS:
            number = TRANSPORTS[name]
            if is_first:
                return [self.transports(number), self.transports(number, is_whole=False)]
            return [self._walk(protocol, self.has_transport(number)).headers(table)]
        return []

    def networks(self, kind: Network, *, is_whole: bool = True) -> Headers:
        """Return the network headers of a kind: those that are whole, or the others."""
        return self._kept(("network", kind, is_whole), self._find_networks)

    def transports(self, number: int, *, is_whole: bool = True) -> Headers:
        """Return the transport headers of an IP protocol: those that are whole, or the others."""
        return self._kept(("transport", number, is_whole), self._find_transports)

    def has_transport(self, number: int) -> NDArray[np.bool_]:
        """Return a mask (n,) of the packets with a transport header of an IP protocol."""
        mask: NDArray[np.bool_] = self._with_transport & (self.chunk.transport == number)
        return mask

    @cached_property
    def _with_transport(self) -> NDArray[np.bool_]:
        return self.chunk.state & np.uint8(HeaderState.TRANSPORT) > 0

    def _kept(self, key: _Key, find: Callable[[int, bool], Headers]) -> Headers:
        if key not in self._known:
            self._known[key] = find(key[1], key[2])
        return self._known[key]

    @cached_property
    def _has_truncated(self) -> bool:
        """True if the headers of any packet are cut."""
        return bool((self.chunk.state & _CAUSE >= Cause.TRUNCATED).any())

    def _find_networks(self, kind: int, is_whole: bool) -> Headers:
        chunk = self.chunk
        if not (is_whole or self._has_truncated):
            return _NO_HEADERS
        whole = chunk.state & _CAUSE == Cause.NONE
        whole |= chunk.state & np.uint8(HeaderState.NETWORK) > 0
        rows = self.described((chunk.network == kind) & (whole if is_whole else ~whole))
        at = chunk.network_offset.take(rows).astype(np.int64)
        return self._headers(rows, at, is_whole)

    def _find_transports(self, number: int, is_whole: bool) -> Headers:
        chunk = self.chunk
        if not (is_whole or self._has_truncated):
            return _NO_HEADERS
        mask = self.has_transport(number)
        cause = chunk.state & _CAUSE
        mask &= cause == Cause.NONE if is_whole else cause >= Cause.TRUNCATED
        rows = self.described(mask)
        at = chunk.transport_offset.take(rows).astype(np.int64)
        return self._headers(rows, at, is_whole)

    def _headers(self, rows: NDArray[np.int64], at: NDArray[np.int64], is_whole: bool) -> Headers:
        limits = None if is_whole else np.full(len(rows), np.iinfo(np.int32).max, np.int32)
        return Headers(rows, at, self.base.take(rows) + at, limits)

    def readable(self, headers: Headers, slot: PlacedField) -> NDArray[np.int64] | None:
        """Return the indices of the headers that have a field; None means all."""
        if headers.last_bit is None or not len(headers):
            return None
        there = headers.at + slot.span.stop <= self.limit[headers.rows]
        there &= slot.first_bit <= headers.last_bit
        return None if there.all() else np.flatnonzero(there)

    # -- headers that a walk finds ------------------------------------------------

    def _link_headers(self, protocol: Protocol, table: HeaderTable) -> list[Headers]:
        """Return the headers of a table before the network header.

        An Ethernet II header with nothing, or with four bytes, before the network header is the
        only header of Ethernet: no second one fits, and LLC has 3 or 8 bytes.
        """
        if not self.has_links:
            return []
        is_ethernet = protocol.name == ETHERNET.name
        others = self._not_alone[VLAN.size if is_ethernet else 0]
        walked = self._walk(protocol, others, only_link=True).headers(table)
        return [self._lone_ethernet, walked] if table is ETHERNET else [walked]

    @cached_property
    def _not_alone(self) -> Mapping[int, NDArray[np.bool_]]:
        """Masks (n,) of packets in which more may be before the network header than Ethernet II.

        By the most bytes between the two: none, or those of a tag.
        """
        chunk = self.chunk
        between = chunk.network_offset - ETHERNET.size
        others = (chunk.network == Network.NONE) | (chunk.link_type != LinkType.ETHERNET)
        follows = between == 0
        return {
            0: others | ~follows,
            VLAN.size: others | ~(follows | (between == VLAN.size)),
        }

    @cached_property
    def _lone_ethernet(self) -> Headers:
        """The headers of Ethernet that are the only ones in their packets."""
        rows = self.described(~self._not_alone[VLAN.size])
        return self._headers(rows, np.zeros(len(rows), np.int64), True)

    @cached_property
    def has_extension(self) -> NDArray[np.bool_]:
        """A mask (n,) of the packets that may have a header between network and transport."""
        chunk = self.chunk
        follows = chunk.transport_offset - chunk.network_offset == IPV6.size
        follows &= chunk.state & HeaderState.TRANSPORT > 0
        mask: NDArray[np.bool_] = (chunk.network == Network.IPV6) & ~follows
        slot = IPV4["proto"]
        rows = np.flatnonzero(
            (chunk.network == Network.IPV4) & (chunk.network_offset + slot.span.stop <= self.limit)
        )
        protocols = slot.column(chunk.data, self.base[rows] + chunk.network_offset[rows])
        mask[rows[np.isin(protocols, sorted(EXTENSION_HEADERS))]] = True
        return mask

    def _walk(
        self, protocol: Protocol, mask: NDArray[np.bool_], *, only_link: bool = False
    ) -> HeaderList:
        """Return all headers of a protocol in the packets of a mask (n,)."""
        if protocol.name not in self._walked:
            rows = self.described(mask)
            self._walked[protocol.name] = self.walk(protocol.tables, rows, only_link=only_link)
        return self._walked[protocol.name]

    def walk(
        self, tables: tuple[HeaderTable, ...], rows: NDArray[np.int64], *, only_link: bool = False
    ) -> HeaderList:
        """Return the headers of some tables in packets `rows` (k,) ascending."""
        chunk = self.chunk
        found = HeaderList(tables, rows, self.base[rows])
        if len(rows):
            walk_headers(
                chunk.data,
                chunk.offset[rows],
                chunk.captured[rows],
                chunk.original[rows],
                chunk.link_types.take(chunk.interface[rows]),
                chunk.flags[rows],
                found,
                LINK_STEPS if only_link else STEPS,
                are_quoted=self.are_quoted,
            )
        return found
