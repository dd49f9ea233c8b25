"""Find sent packets in a growing store: their copies, the changes, the replies.

A capture may deliver a hundred thousand packets a second, of which few matter here. So a `View`
selects candidates by columns: packets from or to the destination, ICMP, ARP if ARP was sent, and
frames of the sent length if they left verbatim. `Outcome` dissects the candidates until the first
copy is found; later copies of the same packet are recognized by their bytes, except for those that
the kernel writes differently in each.

No interface shows more copies of a packet than were sent: later equal packets are of other
programs, or of the kernel, which asks for a link address with the bytes of a forged ARP request.

A reply's delay counts from the last copy before it: equal packets cannot be distinguished.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.decode.columns import equals
from core.forge.observe.outcome import Outcome
from core.forge.observe.packet_outcome import PacketOutcome, Reply
from core.forge.observe.replies import is_group
from core.forge.values import SendMethod
from core.store.budget import Budget
from core.store.captured_packet import CapturedPacket
from core.store.filtered_view import View
from core.store.snapshot import Snapshot
from core.wire.dissect import dissect
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Dissection
from core.wire.network.ipv4 import IPV4

MOST_REPLIES = 200  # kept; more are counted
MOST_COPIES = 100_000  # whose numbers are kept
_LEAST_FRAME = 60  # Ethernet pads shorter ones, IEEE 802.3 §3.2.8
_REWRITTEN = ("id", "checksum")  # of IPv4, in every packet of a raw socket


@dataclass(frozen=True, slots=True, eq=False)
class TrackedPackets:
    """The captured copies and replies of each sent packet, and the numbers of all copies.

    `has_more` is true if captured packets are still to be compared.
    """

    outcomes: tuple[PacketOutcome, ...] = ()
    sent_numbers: frozenset[int] = frozenset()
    has_more: bool = False


class Tracker:
    """Follows packets that leave from now on. An `Analyzer`: one thread extends it.

    Each packet leaves `count` times. `first` is the lowest possible number of a copy, `network` the
    protocol of the draft's first layer (see `Outcome`). Any thread may read `published`.
    """

    def __init__(
        self,
        packets: Sequence[bytes],
        method: SendMethod,
        first: int,
        network: str = "",
        count: int = 1,
    ) -> None:
        self.published = TrackedPackets()
        self._sent_numbers: set[int] = set()
        self._tracks = [Track(Outcome(packet, method, network), count) for packet in packets]
        self._view = View(_Concern([track.outcome for track in self._tracks], method, first))
        self._next = first

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Compare the packets of `snapshot` that were not compared before.

        Return True if the budget was spent before the last of them.
        """
        has_more = self._compare(snapshot, budget)
        outcomes = tuple(track.result() for track in self._tracks)
        numbers = self.published.sent_numbers
        if len(numbers) != len(self._sent_numbers):
            numbers = frozenset(self._sent_numbers)
        self.published = TrackedPackets(outcomes, numbers, has_more)
        return has_more

    def _compare(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Compare; return True if the budget was spent before the last packet."""
        has_more = self._view.extend(snapshot, budget)
        rows = self._view.packets
        row = rows.nearest_row(self._next)
        if row is None:
            return has_more
        if rows[row] < self._next:
            row += 1
        for place in range(row, len(rows)):
            number = rows[place]
            self._next = number + 1
            packet = snapshot.packet(number)
            for track in self._tracks:
                if track.take(packet):
                    if track.last == number and len(self._sent_numbers) < MOST_COPIES:
                        self._sent_numbers.add(number)
                    break
            if budget.is_spent:
                return has_more or place + 1 < len(rows)
        return has_more

    def forget(self, first: int) -> None:
        """Drop the numbers of evicted packets that were not compared yet."""
        self._view.forget(first)


class Track:
    """One packet that was sent `count` times.

    `last` is the number of its newest copy. `reply_count` counts all replies and `newest` is the
    last of them, even if more arrived than are kept.
    """

    def __init__(self, outcome: Outcome, count: int = 1) -> None:
        self.outcome = outcome
        self._count = count
        self.last = 0
        self.newest: Reply | None = None
        self.reply_count = 0
        self._copies: Counter[str] = Counter()  # by interface
        self._masked = b""
        self._spans: list[tuple[int, int]] = []

    def take(self, seen: CapturedPacket) -> bool:
        """Return True if this is a copy or a reply."""
        outcome = self.outcome
        if outcome.copy is not None and self._mask(seen.data) == self._masked:
            return self._take_copy(seen)
        had = outcome.copy
        if not outcome.feed(seen):
            return False
        if had is None and outcome.copy is not None:
            self._spans = _rewritten_spans(seen, outcome)
            self._masked = self._mask(seen.data)
            return self._take_copy(seen)
        self.reply_count += 1
        self.newest = outcome.replies[-1]
        del outcome.replies[MOST_REPLIES:]
        return True

    def _take_copy(self, seen: CapturedPacket) -> bool:
        """Return False if the interface has shown all copies before."""
        if self._copies[seen.interface.name] == self._count:
            return False
        self._copies[seen.interface.name] += 1
        self.outcome.is_answered = False
        self.outcome.stopwatch.start(seen.timestamp_ns)
        self.last = seen.number
        return True

    def _mask(self, data: bytes) -> bytes:
        for start, stop in self._spans:
            data = data[:start] + bytes(stop - start) + data[stop:]
        return data

    def result(self) -> PacketOutcome:
        outcome = self.outcome
        number = outcome.copy.number if outcome.copy is not None else 0
        replies = tuple(outcome.replies)
        copies = self._copies.total()
        return PacketOutcome(
            number, copies, outcome.changes, replies, self.reply_count, outcome.notes
        )


def _rewritten_spans(seen: CapturedPacket, outcome: Outcome) -> list[tuple[int, int]]:
    """Return the bytes of a copy that may differ in the next one."""
    if outcome.method is SendMethod.LINK or len(outcome.packet) < IPV4.size:
        return []
    start = _network_start(seen, outcome)
    spans = [IPV4[key].span.shifted(start) for key in _REWRITTEN]
    return [(span.start, span.stop) for span in spans] if outcome.asked.layer("ip") else []


def _network_start(seen: CapturedPacket, outcome: Outcome) -> int:
    """Return the offset of the network header in a copy: the kernel adds the header before it."""
    found = None
    with suppress(Exception):  # unlikely, because `Outcome.feed` has read the frame
        found = dissect(seen.data, seen.link_type, len(seen.data), seen.flags).layer("ip")
    return found.offset if found is not None else 0


class _Concern:
    """The predicate of the view: packets that may be a copy or a reply."""

    def __init__(self, outcomes: Sequence[Outcome], method: SendMethod, first: int) -> None:
        self._first = first
        self._lengths = (
            [(len(one.packet), max(len(one.packet), _LEAST_FRAME)) for one in outcomes]
            if method is SendMethod.LINK
            else []
        )
        asked = [one.asked for one in outcomes]
        self._with_arp = any(read.layer("arp") is not None for read in asked)
        self._peers = {name: _peers(asked, name) for name in ("ip", "ipv6")}

    def __call__(self, chunk: Chunk, snapshot: Snapshot, budget: Budget) -> NDArray[np.bool_]:
        """Return (n,) True for candidates."""
        passed = np.zeros(len(chunk), dtype=np.bool_)
        begin = max(0, self._first - chunk.first)
        if begin < len(chunk):
            passed[begin:] = self._of(chunk.rows(begin, len(chunk)))
        return passed

    def _of(self, chunk: Chunk) -> NDArray[np.bool_]:
        has_transport = chunk.state & HeaderState.TRANSPORT > 0
        passed: NDArray[np.bool_] = has_transport & np.isin(
            chunk.transport, (IpProtocol.ICMP, IpProtocol.ICMPV6)
        )
        if self._with_arp:
            passed |= chunk.network == Network.ARP
        for least, most in self._lengths:
            passed |= (chunk.original >= least) & (chunk.original <= most)
        for name, peers in self._peers.items():
            for end in ("src", "dst"):
                for peer in peers:
                    passed |= equals(chunk, f"{name}.{end}", peer)
        return passed


def _peers(asked: Sequence[Dissection], name: str) -> set[int]:
    """Return the addresses whose packets matter.

    They are the destinations, and the source if any host of a group may answer.
    """
    found = set()
    for packet in asked:
        there, here = _number(packet, name, "dst"), _number(packet, name, "src")
        if there is not None:
            found.add(there)
            if here and is_group(name, there):
                found.add(here)
    return found


def _number(read_packet: Dissection, name: str, key: str) -> int | None:
    layer = read_packet.layer(name)
    return layer.number(read_packet.data, key) if layer is not None else None
