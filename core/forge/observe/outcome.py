"""Compare a sent packet with what was captured: what the kernel changed, and the replies.

The caller feeds captured frames, in any order and from any source; nothing here captures. The
*copy* is the frame that contains the sent packet, except for the fields that the kernel may write
with that send method (`core.forge.transmit.injector`). A *reply* is a packet with the ends
reversed, an echo reply of the same identifier, an ARP or neighbor answer, or an ICMP error that
quotes the sent packet (`core.forge.observe.replies`). Its delay counts from the copy's timestamp;
both are the kernel's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from core.forge.observe.network_header import (
    after_header,
    end_of_network,
    icmpv6_sum,
    is_first_fragment,
    network_header,
)
from core.forge.observe.packet_outcome import Change, Reply
from core.forge.observe.replies import ReplyMatch, match_reply
from core.forge.observe.stopwatch import Stopwatch
from core.forge.values import SendMethod
from core.net.routes import own_addresses
from core.store.captured_packet import CapturedPacket
from core.wire.dissect import dissect
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import PlacedField, Span, Value
from core.wire.network.icmpv6 import ICMPV6
from core.wire.present.faults import fault_text
from core.wire.present.summary import failed_summary, summarize
from core.wire.protocol import SequenceBase
from core.wire.transport.tcp import FLAG_BITS

_SYSTEM_WRITES = "Without IP_HDRINCL the system writes the IP header itself."
_ICMPV6_SUM = (
    "Linux always computes the ICMPv6 checksum of what a raw socket sends (RFC 3542 §3.1)."
)
_FRAGMENTED = (
    "The packet is longer than the MTU: the system sent it in fragments, this is the first."
)
WHY = {
    "ip.len": "Linux always writes the total length of what a raw socket sends.",
    "ip.checksum": "Linux always computes the header checksum of what a raw socket sends.",
    "ip.id": "Linux picks an identification when the field is 0.",
    "ip.src": "Linux fills in the address of the outgoing interface when the source is 0.0.0.0.",
}
_OF_ZERO = frozenset({"ip.id", "ip.src"})  # written only where they were zero
_SYN_NOTE = (
    "The local kernel knows no connection on port {port}: it will answer a SYN-ACK with a reset. "
    "To keep the reset in: {tool} -A OUTPUT -p tcp --sport {port} --tcp-flags RST RST -j DROP "
    "(it drops your own resets, too; -D instead of -A removes it), or send from an address that "
    "this host does not own."
)
_LINKS = {"ip": LinkType.IPV4, "ipv6": LinkType.IPV6}
_FIREWALL = {"ip": "iptables", "ipv6": "ip6tables"}
_STALE_SUM_NOTE = (
    "The transport checksum was computed for the source {asked}, and the kernel wrote {seen}: "
    "the receiver will find it wrong. Leave the source empty to have both agree."
)


class Outcome:
    """The state of one sent packet: feed it frames; read `copy`, `changes`, `replies`.

    `network` is the protocol of the draft's first layer (``ip``, ``ipv6``), whatever the version
    field says. `stopwatch` runs from the first copy; the caller restarts it for later ones. `clock`
    returns monotonic nanoseconds.
    """

    def __init__(
        self,
        packet: bytes,
        method: SendMethod,
        network: str = "",
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.stopwatch = Stopwatch(clock)
        self.method = method
        self.packet = packet
        self.copy: CapturedPacket | None = None
        self.changes: tuple[Change, ...] = ()
        self.replies: list[Reply] = []
        self.is_answered = False  # since it last left
        self._is_refused = False  # by a reset or an error: no connection will open
        link = LinkType.ETHERNET if method is SendMethod.LINK else _LINKS.get(network, LinkType.RAW)
        self.asked = Dissection(packet, len(packet), (), Span(0, len(packet)))
        with suppress(
            Exception
        ):  # an internal error: only a verbatim copy is found, and no replies
            self.asked = dissect(packet, link, len(packet))
        self._sent = self.asked  # as it left, once that is known

    def feed(self, seen: CapturedPacket) -> bool:
        """Compare a captured frame; return True if it is the sent packet's copy or a reply.

        A frame that rawscope fails to read is neither; the packet table counts it.
        """
        try:
            return self._feed(seen)
        except Exception:  # an internal error must not lose later frames
            return False

    def _feed(self, seen: CapturedPacket) -> bool:
        read = dissect(seen.data, seen.link_type, len(seen.data), seen.flags)
        if self.copy is None and self._is_copy(read):
            self.copy = seen
            self.stopwatch.start(seen.timestamp_ns)
            self.changes = self._compare(read)
            self._sent = read
            self.replies = [self._reply(reply.seen) for reply in self.replies]
            return True
        answer = match_reply(self._sent, read)
        if answer is ReplyMatch.NO or (answer is ReplyMatch.PERHAPS and self.is_answered):
            return False
        self.is_answered = True
        self._is_refused = self._is_refused or not _opens(read)
        self.replies.append(self._reply(seen))
        return True

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user about this packet, one sentence each."""
        found = []
        if not self._is_refused and (note := syn_note(self._sent)):
            found.append(note)
        source = next((change for change in self.changes if change.name == "ip.src"), None)
        if source is not None and _has_pseudo_header(self.asked):
            found.append(_STALE_SUM_NOTE.format(asked=source.asked, seen=source.seen))
        if (
            self.copy is not None
            and self.method is SendMethod.SYSTEM
            and is_first_fragment(self._sent)
        ):
            found.append(_FRAGMENTED)
        return tuple(found)

    def _reply(self, seen: CapturedPacket) -> Reply:
        read = dissect(seen.data, seen.link_type, len(seen.data), seen.flags)
        try:
            summary = summarize(read, _handshake(self._sent, read))
        except Exception as error:  # internal: counted when the packet table shows this frame
            summary = failed_summary(read, fault_text(error))
        delay = self.stopwatch.delay_ns(seen.timestamp_ns)
        return Reply(seen, summary.source, summary.protocol, summary.info, delay)

    def _is_copy(self, read: Dissection) -> bool:
        """Return True if a frame contains the sent packet, except for what the kernel may write."""
        if self.method is SendMethod.LINK:
            return _is_padded(read.data, self.packet)
        asked, seen = network_header(self.asked), network_header(read)
        if asked is None or seen is None or asked.name != seen.name:
            return False
        if not self._contains_sent(read, self.packet[after_header(asked, self.packet) :]):
            return False
        return all(
            self._may_differ(slot) or slot.read(read.data, seen.offset) == value
            for slot, value in _top_fields(asked, self.packet)
        )

    def _contains_sent(self, read: Dissection, sent: bytes) -> bool:
        """Return True if the bytes after the IP header of a frame are those of the sent packet."""
        seen = network_header(read)
        assert seen is not None
        captured = read.data[after_header(seen, read.data) :]
        if self.method is not SendMethod.SYSTEM:
            return _is_padded(captured, sent)
        is_piece = is_first_fragment(read)
        if is_piece:
            captured = read.data[end_of_network(read) :]
        if (span := icmpv6_sum(self.asked)) is not None:
            start, stop = (place - end_of_network(self.asked) for place in (span.start, span.stop))
            sent = sent[:start] + captured[start:stop] + sent[stop:]
        return (
            bool(captured) and sent.startswith(captured) if is_piece else _is_padded(captured, sent)
        )

    def _may_differ(self, slot: PlacedField) -> bool:
        if self.method is SendMethod.SYSTEM:
            return slot.key not in ("dst", "proto", "nxt")
        if slot.name in _OF_ZERO:
            return not slot.number(self.packet)
        return slot.name in WHY

    def _compare(self, read: Dissection) -> tuple[Change, ...]:
        """Return the fields of the IP header that left with another value."""
        asked, seen = network_header(self.asked), network_header(read)
        if self.method is SendMethod.LINK or asked is None or seen is None:
            return ()
        changes = []
        for slot, value in _top_fields(asked, self.packet):
            there = slot.read(read.data, seen.offset)
            if there != value:
                why = _SYSTEM_WRITES if self.method is SendMethod.SYSTEM else WHY[slot.name]
                texts = slot.text(value), slot.text(there)
                changes.append(Change(slot.name, slot.field.label, *texts, why))
        return (*changes, *self._compare_sum(read))

    def _compare_sum(self, read: Dissection) -> Iterator[Change]:
        """Yield the ICMPv6 checksum, if the system wrote another."""
        sent, captured = icmpv6_sum(self.asked), icmpv6_sum(read)
        if self.method is SendMethod.SYSTEM and sent is not None and captured is not None:
            asked = self.packet[sent.start : sent.stop]
            seen = read.data[captured.start : captured.stop]
            if asked != seen:
                slot = ICMPV6["checksum"]
                texts = [slot.text(int.from_bytes(each, "big")) for each in (asked, seen)]
                yield Change(slot.name, slot.field.label, texts[0], texts[1], _ICMPV6_SUM)


def _handshake(sent: Dissection, answer: Dissection) -> SequenceBase | None:
    """Return the sequence numbers from which a sent SYN and its answer count."""
    mine, other = sent.layer("tcp"), answer.layer("tcp")
    if mine is None or other is None:
        return None
    flags = mine.number(sent.data, "flags")
    if flags is None or not flags & FLAG_BITS["syn"]:
        return None
    captured = other.number(answer.data, "seq_raw") if _opens(answer) else None
    return SequenceBase(captured, mine.number(sent.data, "seq_raw"))


def _opens(read: Dissection) -> bool:
    """Return True for a SYN: the other side opens a connection."""
    layer = read.layer("tcp")
    flags = layer.number(read.data, "flags") if layer is not None else None
    return flags is not None and bool(flags & FLAG_BITS["syn"])


def syn_note(sent: Dissection) -> str:
    """Return what the local kernel does with the answer to a SYN from one of its own addresses."""
    tcp, network = sent.layer("tcp"), network_header(sent)
    if tcp is None or network is None:
        return ""
    flags, port = tcp.number(sent.data, "flags"), tcp.number(sent.data, "srcport")
    if flags is None or flags & FLAG_BITS["ack"] or not flags & FLAG_BITS["syn"]:
        return ""
    slot = network.tables[0]["src"]
    source = slot.number(sent.data, network.offset).to_bytes(slot.field.bits // 8, "big")
    if any(source) and source not in own_addresses():
        return ""
    return _SYN_NOTE.format(port=port, tool=_FIREWALL[network.name])


def _top_fields(layer: Layer, data: bytes) -> list[tuple[PlacedField, Value]]:
    table = layer.tables[0]
    return [(slot, slot.read(data, layer.offset)) for slot in table.slots if slot.parent is None]


def _has_pseudo_header(read: Dissection) -> bool:
    return read.layer("tcp") is not None or read.layer("udp") is not None


def _is_padded(seen: bytes, asked: bytes) -> bool:
    """Return True if `seen` is `asked`, followed only by zeros."""
    return seen.startswith(asked) and not any(seen[len(asked) :])
