"""Add Ethernet headers to the IP packets of a capture that has no link headers.

The audit is such a capture (Linux cooked), and so are captures of tunnels (raw IP) and of BSD
loopbacks. The bytes before the IP header are removed, and an Ethernet header replaces them: from
the interface's own address to that of the next hop. The destinations of a batch are gathered as
columns, each distinct one is looked up once, and frames are assembled by columns, too.

Nothing asks the link until the caller sets `Encapsulation.resolve`: until then an unknown address
is zeros; afterward the packets for it are omitted. Frames of other link types are omitted, too.
`Encapsulation` counts what it omits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.header_index import index_batch
from core.forge.compose.route_suggestions import link_address, next_hop
from core.forge.transmit.frame_assembly import Rows, joined, selected, with_frames
from core.net.netlink import LinkMessage
from core.net.routes import IFF_LOOPBACK, find_route
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.linux_cooked import SLL, SLL2
from core.wire.link.loopback import NULL
from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import Network
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6

BARE = frozenset(
    {
        LinkType.RAW,
        LinkType.RAW_BSD,
        LinkType.RAW_OPENBSD,
        LinkType.IPV4,
        LinkType.IPV6,
        LinkType.LINUX_SLL,
        LinkType.LINUX_SLL2,
        LinkType.NULL,
        LinkType.LOOP,
    }
)
_SENDABLE = (LinkType.ETHERNET, *BARE)
_BSD_LOOPBACK = (LinkType.NULL, LinkType.LOOP)
_COOKED = {LinkType.LINUX_SLL: SLL, LinkType.LINUX_SLL2: SLL2}
_MOST_KEPT = 1 << 16  # destinations whose link addresses are kept
_PIECE = 4 << 20  # bytes that are put together at once
_NOT_FOUND = bytes(6)
_TABLES = ((IPV4, EtherType.IPV4), (IPV6, EtherType.IPV6))
_NETWORK_TYPES = ((Network.IPV4, EtherType.IPV4), (Network.IPV6, EtherType.IPV6))


@dataclass(slots=True)
class OmittedCounts:
    """The counts of packets that an adapter omits.

    `without_ip` have no IP packet, which the interface requires; `unresolved` are of no IP version,
    or their next hop does not answer; `unsendable` counts those of link types that the interface
    cannot send.
    """

    without_ip: int = 0
    unresolved: int = 0
    unsendable: Counter[int] = field(default_factory=Counter)

    def total(self) -> int:
        """Return the number of packets."""
        return self.without_ip + self.unresolved + self.unsendable.total()

    def repeat(self, loops: int) -> None:
        """Count everything `loops` times."""
        self.without_ip *= loops
        self.unresolved *= loops
        self.unsendable = Counter({kind: n * loops for kind, n in self.unsendable.items()})

    def clear(self) -> None:
        """Start counting again from zero."""
        self.without_ip = self.unresolved = 0
        self.unsendable.clear()


class LinkAdapter(Protocol):
    """Makes frames for one interface of captured packets, and counts those that it omits."""

    omitted: OmittedCounts

    def frames(self, batch: Batch, link_types: NDArray[np.int64]) -> Iterator[tuple[Batch, Rows]]:
        """Yield the frames of a batch whose packets (n,) have these link types.

        With the frames, yield the row (m,) of each in `batch`.
        """
        ...


class Encapsulation:
    """Makes Ethernet frames. All go to the link address `receiver` if there is one.

    `adds_headers` is True once a packet needed a header. Nothing asks the link before `resolve` is
    set; until then, `pending` counts the packets for each unknown next hop.
    """

    def __init__(self, link: LinkMessage, receiver: bytes | None = None) -> None:
        self.resolve = False
        self.adds_headers = False
        self.omitted = OmittedCounts()
        self.pending: Counter[bytes] = Counter()
        self._link = link
        self._receiver = receiver
        self._own = link.address if len(link.address) == len(_NOT_FOUND) else _NOT_FOUND
        self._found: dict[tuple[bytes, bool], bytes | None] = {}
        self._silent: set[bytes] = set()
        self._to_ask: dict[bytes, bytes] = {}  # the unknown next hops, by destination

    def frames(self, batch: Batch, link_types: NDArray[np.int64]) -> Iterator[tuple[Batch, Rows]]:
        """Yield the frames of a batch, and the row (m,) of each in `batch`."""
        rows = np.arange(len(batch))
        can_leave = np.isin(link_types, _SENDABLE)
        if not can_leave.all():
            self.omitted.unsendable.update(link_types[~can_leave].tolist())
            rows = np.flatnonzero(can_leave)
            batch, link_types = selected(batch, rows), link_types[rows]
        if (link_types == LinkType.ETHERNET).all():
            yield batch, rows
            return
        self.adds_headers = True
        pieces = np.cumsum(batch.captured, dtype=np.int64) // _PIECE
        edges = [0, *(np.flatnonzero(np.diff(pieces)) + 1).tolist(), len(batch)]
        for start, stop in pairwise(edges):
            piece = np.arange(start, stop)
            frames, keep = self._encapsulated(selected(batch, piece), link_types[piece])
            yield frames, rows[piece][keep]

    def _encapsulated(
        self, batch: Batch, link_types: NDArray[np.int64]
    ) -> tuple[Batch, NDArray[np.bool_]]:
        """Return the frames, and which packets (n,) they are."""
        skip = np.zeros(len(batch), np.int64)
        for link_type, table in _COOKED.items():
            skip[link_types == link_type] = table.size
        skip[np.isin(link_types, _BSD_LOOPBACK)] = NULL.size
        at = batch.offset + skip
        size = np.maximum(batch.captured.astype(np.int64) - skip, 0)
        is_bare = link_types != LinkType.ETHERNET
        size[is_bare & (size < IPV4.size)] = 0  # too short for anything, and counted so
        kinds = _ethertypes(batch, link_types, at, size)
        size[(kinds == EtherType.IPV6) & (size < IPV6.size)] = 0
        heads, has_head = self._heads(batch.data, at, size, kinds)
        keep = ~is_bare | has_head | (size == 0)
        self.omitted.unresolved += int(np.count_nonzero(~keep))
        joint = joined(batch.data, at[keep], size[keep], heads, has_head[keep])
        frames = with_frames(selected(batch, keep), *joint)
        return replace(frames, stable=False), keep

    def _heads(
        self, data: NDArray[np.uint8], at: Rows, size: Rows, kinds: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the Ethernet headers (m, 14), and which rows (n,) they are for, in order."""
        heads = np.zeros((len(at), ETHERNET.size), np.uint8)
        has_head = np.zeros(len(at), bool)
        receiver = ETHERNET["dst"].span
        for table, kind in _TABLES:
            rows = np.flatnonzero((kinds == kind) & (size > 0))
            if not len(rows):
                continue
            span = table["dst"].span
            aims = data[at[rows, None] + np.arange(span.start, span.stop)]
            distinct, which, counts = np.unique(
                aims, axis=0, return_inverse=True, return_counts=True
            )
            found = [self._address(aim.tobytes()) for aim in distinct]
            if not self.resolve:
                self._note_pending(distinct, counts)
            source = int.from_bytes(self._own, "big")
            heads[rows] = np.frombuffer(ETHERNET.emit({"src": source, "type": kind}), np.uint8)
            addresses = np.frombuffer(b"".join(one or _NOT_FOUND for one in found), np.uint8)
            which = which.ravel()
            heads[rows, receiver.start : receiver.stop] = addresses.reshape(-1, 6)[which]
            has_head[rows] = np.array([one is not None for one in found])[which]
        return heads[has_head], has_head

    def _note_pending(self, destinations: NDArray[np.uint8], counts: Rows) -> None:
        """Count the packets for each unknown next hop."""
        for destination, count in zip(destinations, counts.tolist(), strict=True):
            if hop := self._to_ask.get(destination.tobytes()):
                self.pending[hop] += count

    def _address(self, destination: bytes) -> bytes | None:
        """Return the link address for a destination, or None if it cannot be found."""
        if self._receiver is not None:
            return self._receiver
        if self._link.flags & IFF_LOOPBACK:
            return _NOT_FOUND
        key = (destination, self.resolve)
        if key not in self._found:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
                self._to_ask.clear()
            self._found[key] = self._looked_up(destination)
        return self._found[key]

    def _looked_up(self, destination: bytes) -> bytes | None:
        route = None
        with suppress(OSError):  # an interface may be chosen that no route leads through
            route = find_route(destination)
        hop = next_hop(destination, route, self._link)
        if hop in self._silent:  # a router that does not answer costs its patience once
            return None
        found = link_address(destination, route, self._link, resolve=self.resolve)
        if found is None and not self.resolve:
            self._to_ask[destination] = hop
            return _NOT_FOUND
        if found is None:
            self._silent.add(hop)
        return found


def _ethertypes(
    batch: Batch, link_types: NDArray[np.int64], at: Rows, size: Rows
) -> NDArray[np.int64]:
    """Return (n,) the Ethernet type of each IP packet, 0 for all others.

    It follows from the packet's version, from the capture's link type, or from the link header.
    """
    kinds = np.zeros(len(batch), np.int64)
    rows = np.flatnonzero((link_types != LinkType.ETHERNET) & (size >= IPV4.size))
    versions = IPV4["version"].column(batch.data, at[rows])
    is_six = versions == IPV6["version"].field.default
    kinds[rows] = np.where(is_six, EtherType.IPV6, EtherType.IPV4)
    kinds[rows[link_types[rows] == LinkType.IPV4]] = EtherType.IPV4
    kinds[rows[link_types[rows] == LinkType.IPV6]] = EtherType.IPV6
    for link_type, table in _COOKED.items():
        cooked = rows[link_types[rows] == link_type]
        said = table["etype"].column(batch.data, batch.offset[cooked])
        kinds[cooked] = np.where(np.isin(said, [kind for _, kind in _TABLES]), said, 0)
    loopback = rows[np.isin(link_types[rows], _BSD_LOOPBACK)]
    kinds[loopback] = _loopback_ethertypes(selected(batch, loopback), link_types[loopback])
    return kinds


def _loopback_ethertypes(batch: Batch, link_types: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (n,) the Ethernet type of what follows each BSD loopback header, 0 if it is not IP."""
    read = index_batch(batch, link_types)
    kinds = np.zeros(len(batch), np.int64)
    for network, kind in _NETWORK_TYPES:
        kinds[(read.network == network) & (read.network_offset == NULL.size)] = kind
    return kinds
