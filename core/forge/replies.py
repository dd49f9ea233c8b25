"""Whether one packet answers another: the ends reversed, an echo answered, an error quoting it.

TCP, UDP and SCTP: addresses and ports reversed. ICMP queries: the answer's type, the same
identifier and sequence number (RFC 792, RFC 4443 §4). ARP and neighbour discovery: the answer
about the address that was asked for (RFC 826, RFC 4861 §7.2.4). ICMP errors: what they quote has
our addresses, protocol and first four bytes (the ports). What was sent to a group or to everybody
may be answered by anyone.
"""

from __future__ import annotations

from core.wire import arp, icmp, icmpv6
from core.wire.dissection import Dissection, Layer

_QUERIES = {
    icmp.ECHO_REQUEST: icmp.ECHO_REPLY,
    icmp.TIMESTAMP: icmp.TIMESTAMP_REPLY,
    icmp.INFORMATION: icmp.INFORMATION_REPLY,
    icmp.MASK_REQUEST: icmp.MASK_REPLY,
    icmp.EXTENDED_ECHO: icmp.EXTENDED_ECHO_REPLY,
}
_PORTS = ("tcp", "udp", "sctp")
_NETWORKS = ("ip", "ipv6")


def is_reply(sent: Dissection, seen: Dissection) -> bool:
    """Whether `seen` answers `sent`."""
    question, answer = sent.layer("arp"), seen.layer("arp")
    if question is not None:
        return answer is not None and _is_arp_reply(sent, question, seen, answer)
    ours, theirs = _network(sent), _network(seen)
    if ours is None or theirs is None or ours.name != theirs.name:
        return False
    if _is_quoted(sent, ours, seen):
        return True
    if not _is_reversed(sent, ours, seen, theirs):
        return False
    for name in _PORTS:
        mine, other = sent.layer(name), seen.layer(name)
        if mine is not None:
            return other is not None and _same(
                sent, mine, seen, other, (("srcport", "dstport"), ("dstport", "srcport"))
            )
    return _is_icmp_answer(sent, seen) or _is_neighbour_answer(sent, seen)


def _network(read: Dissection) -> Layer | None:
    return next((one for one in read.layers if one.name in _NETWORKS and not one.quoted), None)


def _same(
    sent: Dissection,
    mine: Layer,
    seen: Dissection,
    other: Layer,
    keys: tuple[tuple[str, str], ...],
) -> bool:
    """Whether each of our fields has the value of the answer's named beside it."""
    return all(
        (value := mine.number(sent.data, key)) is not None
        and value == other.number(seen.data, beside)
        for key, beside in keys
    )


def _is_reversed(sent: Dissection, ours: Layer, seen: Dissection, theirs: Layer) -> bool:
    source, destination = ours.number(sent.data, "src"), ours.number(sent.data, "dst")
    from_there = theirs.number(seen.data, "src")
    to_us = theirs.number(seen.data, "dst")
    if source and to_us != source:
        return False
    return from_there == destination or is_group(ours.name, destination or 0)


def is_group(name: str, address: int) -> bool:
    """Multicast, or an IPv4 broadcast as far as an address of ``ip`` or ``ipv6`` alone tells."""
    if name == "ipv6":
        return address >> 120 == 0xFF
    return address >> 28 == 0xE or address & 0xFF == 0xFF


def _is_quoted(sent: Dissection, ours: Layer, seen: Dissection) -> bool:
    """Whether `seen` is an ICMP error about our packet."""
    for layer in seen.layers:
        if not layer.quoted or layer.name != ours.name:
            continue
        keys = ["dst", "proto" if layer.name == "ip" else "nxt"]
        if ours.number(sent.data, "src"):
            keys.append("src")
        if not _same(sent, ours, seen, layer, tuple((key, key) for key in keys)):
            return False
        mine = sent.data[ours.offset + ours.header_length :][:4]
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


def _is_neighbour_answer(sent: Dissection, seen: Dissection) -> bool:
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
