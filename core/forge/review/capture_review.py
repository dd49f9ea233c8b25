"""Rails for many frames: where all those of a capture go, whose they are, and how dense they are.

A capture's frames are mostly alike, so they are told apart by what the rails look at (addresses,
and what ARP and neighbor advertisements claim) before each kind is examined once. What is
remembered is remembered for each; the questions name the first few of a sort and count the rest.
More than `MOST_KINDS` kinds are not examined one by one: that is asked about every time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.header_index import index_headers
from core.forge.review.confirmation import MOST_PER_SECOND, Examination, SendVolume, volume
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

MOST_KINDS = 4096
MOST_TIMES = 1 << 20  # frames whose times are kept; of more, the count is asked about anyway
_NAMED = 3  # of each sort in the questions
_AT_ONCE = 8192
_LOOKED_AT = {  # what of each network header the rails look at, besides the link header
    Network.IPV4: (IPV4["src"].span, IPV4["dst"].span),
    Network.IPV6: (IPV6["src"].span, IPV6["dst"].span),
    Network.ARP: (Span(0, ARP_IPV4.stop),),
}
_KIND = ICMPV6["type"].span
_S = 1e-9


class CaptureReview:
    """What frames that are to leave verbatim on an interface would have the user asked."""

    def __init__(
        self, interface: str, is_loopback: bool, host: HostAddresses | None = None
    ) -> None:
        self.frames = 0
        self._interface = interface
        self._is_loopback = is_loopback
        self._host = host or HostAddresses()
        self._kinds: set[bytes] = set()
        self._is_complete = True
        self._concerns: dict[Concern, None] = {}
        self._targets: dict[str, Target] = {}
        self._times: list[NDArray[np.int64]] = []

    def add(self, batch: Batch) -> None:
        """Look at frames."""
        if self.frames < MOST_TIMES:
            self._times.append(batch.timestamp_ns.copy())
        self.frames += len(batch)
        for start in range(0, len(batch), _AT_ONCE):
            offset = batch.offset[start : start + _AT_ONCE]
            captured = batch.captured[start : start + _AT_ONCE]
            for row, key in _kinds(batch.data, offset, captured):
                first = int(offset[row])
                self._note(key, batch.data[first : first + int(captured[row])].tobytes())

    def densest(self, speed: float, loops: int) -> float:
        """The highest rate (frames a second) that `MOST_PER_SECOND` frames or more leave at."""
        if not self._times:
            return 0.0
        times = np.concatenate(self._times)
        due_s = np.maximum.accumulate(times - times[0]) * (_S / speed)
        rounds = min(loops, 2 + MOST_PER_SECOND // len(due_s))
        due_s = np.concatenate([due_s + number * due_s[-1] for number in range(rounds)])
        if len(due_s) <= MOST_PER_SECOND:
            return 0.0
        least_s = float((due_s[MOST_PER_SECOND:] - due_s[:-MOST_PER_SECOND]).min())
        return MOST_PER_SECOND / least_s if least_s else float("inf")

    def examination(self, load: SendVolume, known: Collection[str]) -> Examination:
        """What there is to ask about them."""
        new = [concern for concern in self._concerns if concern.mark not in known]
        questions = [*_condensed(new), *volume(load)]
        if not self._is_complete:
            questions.append(
                f"There are more than {MOST_KINDS:,} kinds of frames: not all were looked at."
            )
        destination = next(iter(self._targets), "nobody")
        target = self._targets.get(destination, Target.OWN)
        marks = frozenset(concern.mark for concern in new if concern.mark)
        return Examination(destination, target, tuple(questions), marks)

    def _note(self, key: bytes, frame: bytes) -> None:
        if key in self._kinds or len(frame) < ETHERNET.size:
            return  # too short a frame is left out
        if len(self._kinds) == MOST_KINDS:
            self._is_complete = False
            return
        self._kinds.add(key)
        review = PacketReview(frame, True, self._interface, self._is_loopback, "", self._host)
        self._targets.setdefault(review.destination, review.target)
        self._concerns.update(dict.fromkeys(review.concerns()))


def _kinds(
    data: NDArray[np.uint8], offset: NDArray[np.int64], captured: NDArray[np.uint32]
) -> list[tuple[int, bytes]]:
    """Of n frames that are to leave as they are: the first row of each kind, and the kind's key."""
    links = np.full(len(offset), LinkType.ETHERNET)
    read = index_headers(data, offset, captured, captured, links, np.zeros(len(offset), np.uint16))
    length = captured.astype(np.int64)
    known = (read.state & (HeaderState.NETWORK | HeaderState.ROUTED)) == HeaderState.NETWORK
    icmp = np.flatnonzero(
        (read.state & HeaderState.TRANSPORT > 0) & (read.transport == IpProtocol.ICMPV6)
    )
    at = read.transport_offset[icmp] + np.int64(_KIND.start)
    kind = _bytes(data, offset[icmp] + at, length[icmp] - at, _KIND.stop - _KIND.start)[:, 0]
    known[icmp[kind == NEIGHBOR_ADVERTISEMENT]] = False  # each claim is a kind of its own
    found: list[tuple[int, bytes]] = []
    for network, spans in _LOOKED_AT.items():
        rows = np.flatnonzero(known & (read.network == network))
        pieces = [_bytes(data, offset[rows], length[rows], ETHERNET.size)]
        for span in spans:
            at = read.network_offset[rows] + np.int64(span.start)
            width = span.stop - span.start
            pieces.append(_bytes(data, offset[rows] + at, length[rows] - at, width))
        found += _distinct(rows, np.column_stack(pieces), network.name)
    rows = np.flatnonzero(~known | ~np.isin(read.network, list(_LOOKED_AT)))
    ends = zip(rows.tolist(), offset[rows].tolist(), length[rows].tolist(), strict=True)
    wholes = {data[at : at + size].tobytes(): row for row, at, size in ends}
    found += [(row, key) for key, row in wholes.items()]  # what is not understood: all of it
    return sorted(found)


def _distinct(
    rows: NDArray[np.int64], keys: NDArray[np.uint8], name: str
) -> list[tuple[int, bytes]]:
    """The first of the `rows` (n,) with each of the `keys` (n, width), and that key."""
    whole = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).ravel()
    firsts = np.unique(whole, return_index=True)[1].tolist()
    return [(int(rows[at]), name.encode() + keys[at].tobytes()) for at in firsts]


def _bytes(
    data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64], width: int
) -> NDArray[np.uint8]:
    """(n, width): that many bytes from each offset on, zeros where the frame has ended before."""
    columns = np.arange(width)
    found = np.zeros((len(offset), width), np.uint8)
    there = columns < length[:, None]
    found[there] = data[(offset[:, None] + columns)[there]]
    return found


def _condensed(concerns: list[Concern]) -> list[str]:
    """The sentences, each once; of one sort the first few, and how many more there are."""
    by_kind: dict[Unusual, dict[str, None]] = defaultdict(dict)
    for concern in concerns:
        by_kind[concern.kind][concern.sentence] = None
    told: list[str] = []
    for kind, sentences in by_kind.items():
        first = list(sentences)[:_NAMED]
        told += first
        if len(sentences) > len(first):
            told.append(f"{len(sentences) - len(first):,} more {kind.value} are like these.")
    return told
