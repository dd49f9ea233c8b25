"""Match replies to sent packets: reversed ends, an answered echo, or an error that quotes it.

Other protocols with ports: addresses and ports reversed. ICMP queries: the answer's type, the same
identifier and sequence number (RFC 792, RFC 4443 §4). ARP and neighbor discovery: the answer about
the requested address (RFC 826, RFC 4861 §7.2.4). ICMP errors: the quoted packet has the sent
packet's addresses, protocol, and first four bytes (the ports). Any host may answer a packet to a
group or a broadcast.

TCP: a connection may exist between the same ports, and its segments are not answers. An answer
acknowledges what the sent segment carried, or is the reset that RFC 9293 §3.10.7 makes of it (with
the sent acknowledgment number as its sequence number, if there was one). Any other segment without
data, a challenge ACK (RFC 5961 §4) or the one for a segment out of the window (RFC 9293 §3.10.7.4),
does not identify what it answers: it *may* be the reply, and counts as one if it is the first after
the sent segment.
"""

from __future__ import annotations

from enum import Enum

from core.wire.model.dissection import Dissection, Layer
from core.wire.network import arp, icmp, icmpv6
from core.wire.registry import PACKET_PROTOCOLS
from core.wire.transport.tcp import FLAG_BITS, segment_length

_QUERIES = {
    icmp.ECHO_REQUEST: icmp.ECHO_REPLY,
    icmp.TIMESTAMP: icmp.TIMESTAMP_REPLY,
    icmp.INFORMATION: icmp.INFORMATION_REPLY,
    icmp.MASK_REQUEST: icmp.MASK_REPLY,
    icmp.EXTENDED_ECHO: icmp.EXTENDED_ECHO_REPLY,
}
_PORTS = tuple(protocol.name for protocol in PACKET_PROTOCOLS if "srcport" in protocol.tables[0])
_REVERSED = (("srcport", "dstport"), ("dstport", "srcport"))
_NETWORKS = ("ip", "ipv6")
_NUMBERS = 1 << 32  # sequence numbers wrap, RFC 9293 §3.4


class ReplyMatch(Enum):
    """The relation of a captured packet to a sent one."""

    NO = "no"
    PERHAPS = "perhaps"  # if no earlier packet does
    YES = "yes"


def match_reply(sent: Dissection, seen: Dissection) -> ReplyMatch:
    """Return how a captured packet `seen` relates to `sent`."""
    question, answer = sent.layer("arp"), seen.layer("arp")
    if question is not None:
        return _match_if(answer is not None and _is_arp_reply(sent, question, seen, answer))
    network, seen_network = _network(sent), _network(seen)
    if network is None or seen_network is None or network.name != seen_network.name:
        return ReplyMatch.NO
    if _is_quoted(sent, network, seen):
        return ReplyMatch.YES
    if not _is_reversed(sent, network, seen, seen_network):
        return ReplyMatch.NO
    for name in _PORTS:
        mine, other = sent.layer(name), seen.layer(name)
        if mine is not None:
            if other is None or not _same(sent, mine, seen, other, _REVERSED):
                return ReplyMatch.NO
            return _segment(sent, mine, seen, other) if name == "tcp" else ReplyMatch.YES
    return _match_if(_is_icmp_answer(sent, seen) or _is_neighbor_answer(sent, seen))


def _match_if(is_answer: bool) -> ReplyMatch:
    return ReplyMatch.YES if is_answer else ReplyMatch.NO


def _segment(sent: Dissection, mine: Layer, seen: Dissection, other: Layer) -> ReplyMatch:
    """Return how a segment of the other direction relates to the sent one."""
    flags, answer_flags = mine.number(sent.data, "flags"), other.number(seen.data, "flags")
    sequence, acknowledged = mine.number(sent.data, "seq_raw"), other.number(seen.data, "ack_raw")
    if flags is None or answer_flags is None or sequence is None or acknowledged is None:
        return ReplyMatch.PERHAPS  # one of them is cut
    carried = segment_length(mine) or 0
    carried += bool(flags & FLAG_BITS["syn"]) + bool(flags & FLAG_BITS["fin"])
    further = (acknowledged - sequence) % _NUMBERS
    is_reset, acknowledges = answer_flags & FLAG_BITS["reset"], answer_flags & FLAG_BITS["ack"]
    if is_reset and not acknowledges:
        number = other.number(seen.data, "seq_raw")
        return _match_if(
            number == mine.number(sent.data, "ack_raw") or not flags & FLAG_BITS["ack"]
        )
    if acknowledges and (further == carried if is_reset else 0 < further <= carried):
        return ReplyMatch.YES
    return ReplyMatch.PERHAPS if not segment_length(other) else ReplyMatch.NO


def _network(read: Dissection) -> Layer | None:
    return next((one for one in read.layers if one.name in _NETWORKS and not one.quoted), None)


def _same(
    sent: Dissection,
    mine: Layer,
    seen: Dissection,
    other: Layer,
    keys: tuple[tuple[str, str], ...],
) -> bool:
    """Return True if each sent field equals the field of the answer that its pair names."""
    return all(
        (value := mine.number(sent.data, key)) is not None
        and value == other.number(seen.data, beside)
        for key, beside in keys
    )


def _is_reversed(sent: Dissection, network: Layer, seen: Dissection, seen_network: Layer) -> bool:
    source, destination = network.number(sent.data, "src"), network.number(sent.data, "dst")
    from_there = seen_network.number(seen.data, "src")
    to_us = seen_network.number(seen.data, "dst")
    if source and to_us != source:
        return False
    return from_there == destination or is_group(network.name, destination or 0)


def is_group(name: str, address: int) -> bool:
    """Return True for a multicast address, or an IPv4 address that looks like a broadcast."""
    if name == "ipv6":
        return address >> 120 == 0xFF
    return address >> 28 == 0xE or address & 0xFF == 0xFF


def _is_quoted(sent: Dissection, network: Layer, seen: Dissection) -> bool:
    """Return True if `seen` is an ICMP error about the sent packet."""
    for layer in seen.layers:
        if not layer.quoted or layer.name != network.name:
            continue
        keys = ["dst", "proto" if layer.name == "ip" else "nxt"]
        if network.number(sent.data, "src"):
            keys.append("src")
        if not _same(sent, network, seen, layer, tuple((key, key) for key in keys)):
            return False
        mine = sent.data[network.offset + network.header_length :][:4]
        quoted = seen.data[layer.offset + layer.header_length :][: len(mine)]
        return quoted == mine
    return False


def _is_icmp_answer(sent: Dissection, seen: Dissection) -> bool:
    for name, kinds, keys in (
        ("icmp", _QUERIES, ("ident", "seq")),
        (
            "icmpv6",
            {icmpv6.ECHO_REQUEST: icmpv6.ECHO_REPLY},
            ("echo.identifier", "echo.sequence_number"),
        ),
    ):
        mine, other = sent.layer(name), seen.layer(name)
        if mine is None or other is None:
            continue
        wanted = kinds.get(mine.number(sent.data, "type") or 0)
        if wanted is not None and other.number(seen.data, "type") == wanted:
            return _same(sent, mine, seen, other, tuple((key, key) for key in keys))
    return False


def _is_neighbor_answer(sent: Dissection, seen: Dissection) -> bool:
    mine, other = sent.layer("icmpv6"), seen.layer("icmpv6")
    if mine is None or other is None:
        return False
    return _same(sent, mine, seen, other, (("nd.ns.target_address", "nd.na.target_address"),))


def _is_arp_reply(sent: Dissection, mine: Layer, seen: Dissection, other: Layer) -> bool:
    operation = mine.number(sent.data, "opcode")
    if operation == arp.REQUEST:
        keys = (("dst.proto_ipv4", "src.proto_ipv4"),)
        is_answer = other.number(seen.data, "opcode") == arp.REPLY
    else:
        keys = (("src.hw_mac", "dst.hw_mac"),)
        is_answer = (
            operation == arp.REVERSE_REQUEST
            and other.number(seen.data, "opcode") == arp.REVERSE_REPLY
        )
    return is_answer and _same(sent, mine, seen, other, keys)
