"""Review many frames: their destinations and their sources.

The frames of a capture are mostly alike, so they are grouped by the bytes that the review reads
(addresses, and the announcements of ARP and neighbor discovery), and one frame of each kind is
reviewed. A frame with a tunnel is a kind of its own, except for IP in IP that carries TCP, UDP, or
ICMP: there the destination inside is part of the group. Approvals are remembered for each; the
questions name the first few of a sort and count the others. If there are more than `MOST_KINDS`
kinds, the review omits some, and says so every time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.header_index import HeaderOffsets, index_headers
from core.forge.review.confirmation import Examination, SendVolume, volume
from core.forge.review.packet_review import Concern, PacketReview, Target, Unusual
from core.net.host_addresses import HostAddresses
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.field import Span
from core.wire.network.arp import ARP_IPV4
from core.wire.network.icmpv6 import ICMPV6
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.network.neighbor_discovery import NEIGHBOR_ADVERTISEMENT
from core.wire.network.tunnels import VXLAN_PORT
from core.wire.transport.udp import UDP

MOST_KINDS = 4096
_NAMED = 3  # of each sort in the questions
_AT_ONCE = 8192
_REVIEWED = {  # the bytes of each network header that the review reads, besides the link header
    Network.IPV4: (IPV4["src"].span, IPV4["dst"].span),
    Network.IPV6: (IPV6["src"].span, IPV6["dst"].span),
    Network.ARP: (Span(0, ARP_IPV4.stop),),
}
_KIND = ICMPV6["type"].span
_CARRIERS = {  # IP in IP: the table inside, its protocol byte, and a header without more headers
    IpProtocol.IPV4: (IPV4, IPV4["proto"].span.start, (0xFF, 0x45)),
    IpProtocol.IPV6: (IPV6, IPV6["nxt"].span.start, (0xF0, 0x60)),
}
_CARRIED_WIDTH = 1 + 16  # of a key: the protocol, and the destination inside
_SIMPLE = (IpProtocol.TCP, IpProtocol.UDP, IpProtocol.ICMP, IpProtocol.ICMPV6)
_VXLAN = np.frombuffer(VXLAN_PORT.to_bytes(2, "big"), np.uint8)


class CaptureReview:
    """The review of frames that are to leave verbatim on an interface.

    They are IP packets without a link header if `is_bare`.
    """

    def __init__(
        self,
        interface: str,
        is_loopback: bool,
        host: HostAddresses | None = None,
        *,
        is_bare: bool = False,
    ) -> None:
        self.frames = 0
        self._interface = interface
        self._is_loopback = is_loopback
        self._is_bare = is_bare
        self._header = 0 if is_bare else ETHERNET.size
        self._host = host or HostAddresses()
        self._kinds: set[bytes] = set()
        self._is_complete = True
        self._concerns: dict[Concern, None] = {}
        self._targets: dict[str, Target] = {}

    def add(self, batch: Batch) -> None:
        """Review frames."""
        self.frames += len(batch)
        for start in range(0, len(batch), _AT_ONCE):
            offset = batch.offset[start : start + _AT_ONCE]
            captured = batch.captured[start : start + _AT_ONCE]
            for row, key in _kinds(batch.data, offset, captured, self._header):
                first = int(offset[row])
                self._note(key, batch.data[first : first + int(captured[row])].tobytes())

    def examination(self, load: SendVolume, known: Collection[str]) -> Examination:
        """Return the questions about the frames."""
        new = [concern for concern in self._concerns if concern.mark not in known]
        questions = [*_condensed(new), *volume(load)]
        if not self._is_complete:
            questions.append(
                f"There are more than {MOST_KINDS:,} kinds of frames: not all were checked."
            )
        destination = next(iter(self._targets), "nobody")
        target = self._targets.get(destination, Target.OWN)
        marks = frozenset(concern.mark for concern in new if concern.mark)
        return Examination(destination, target, tuple(questions), marks)

    def _note(self, key: bytes, frame: bytes) -> None:
        if key in self._kinds or len(frame) < (self._header or IPV4.size):
            return  # a shorter frame is not sent
        if len(self._kinds) == MOST_KINDS:
            self._is_complete = False
            return
        self._kinds.add(key)
        review = PacketReview(
            frame,
            verbatim=True,
            interface=self._interface,
            is_loopback=self._is_loopback,
            network="",
            host=self._host,
            is_bare=self._is_bare,
        )
        self._targets.setdefault(review.destination, review.target)
        self._concerns.update(dict.fromkeys(review.concerns()))


def _kinds(
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
    ends = zip(rows.tolist(), offset[rows].tolist(), length[rows].tolist(), strict=True)
    wholes = {data[at : at + size].tobytes(): row for row, at, size in ends}
    found += [(row, key) for key, row in wholes.items()]  # of other frames, all bytes
    return sorted(found)


class _Carried(NamedTuple):
    """Of n frames, what tunnels carry: `keys` (n, width) are zeros without a tunnel.

    `unknown` (n,) is True where the key does not hold all addresses inside the frame.
    """

    keys: NDArray[np.uint8]
    unknown: NDArray[np.bool_]


def _carried(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
    read: HeaderOffsets,
) -> _Carried:
    """Return the addresses of the packets that tunnels carry."""
    has_transport = read.state & HeaderState.TRANSPORT > 0
    at = read.transport_offset.astype(np.int64)
    keys = np.zeros((len(offset), _CARRIED_WIDTH), np.uint8)
    unknown = has_transport & (read.transport == IpProtocol.GRE)
    udp = np.flatnonzero(has_transport & (read.transport == IpProtocol.UDP))
    start = at[udp] + np.int64(UDP["dstport"].span.start)
    ports = _bytes(data, offset[udp] + start, length[udp] - start, 2)
    unknown[udp] = (ports == _VXLAN).all(axis=1)
    for protocol, (table, proto, begins) in _CARRIERS.items():
        rows = np.flatnonzero(has_transport & (read.transport == protocol))
        first = offset[rows] + at[rows]
        inner = _bytes(data, first, length[rows] - at[rows], table.size + UDP.size)
        span = table["dst"].span
        keys[rows, 0] = protocol
        keys[rows, 1 : 1 + span.stop - span.start] = inner[:, span.start : span.stop]
        carries = inner[:, proto]
        vxlan = (inner[:, table.size + 2 : table.size + 4] == _VXLAN).all(axis=1)
        is_simple = np.isin(carries, _SIMPLE) & ~((carries == IpProtocol.UDP) & vxlan)
        unknown[rows] = (inner[:, 0] & begins[0] != begins[1]) | ~is_simple
    return _Carried(keys, unknown)


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


def _condensed(concerns: list[Concern]) -> list[str]:
    """Return each sentence once; of one sort, the first few and the number of the others."""
    by_kind: dict[Unusual, dict[str, None]] = defaultdict(dict)
    for concern in concerns:
        by_kind[concern.kind][concern.sentence] = None
    found: list[str] = []
    for kind, sentences in by_kind.items():
        first = list(sentences)[:_NAMED]
        found += first
        others = len(sentences) - len(first)
        one, several = kind.value
        if others == 1:
            found.append(f"…and 1 more {one}.")
        elif others:
            found.append(f"…and {others:,} more {several}.")
    return found
