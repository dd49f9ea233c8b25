"""Drafts to begin with: the packets that users forge most.

A template is one draft, or several that belong together. Fields that routes suggest (source
address, MAC addresses) stay open; the user fills in the destination.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.forge.compose.draft import Draft

_PORTS = {"tcp.dstport": "80"}
# RFC 1035 §4.1: identification 0x1234, recursion desired, one question: example.org, type A, class
# IN. Each part of the name has its length in front of it.
_DNS_QUERY = r"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01"
_FRAGMENT_BYTES = 24  # of the first of the overlapping pair


@dataclass(frozen=True, slots=True)
class Template:
    """`drafts` are sent in this order."""

    name: str
    title: str
    drafts: tuple[Draft, ...]


def _tcp(name: str, title: str, texts: dict[str, str]) -> Template:
    return Template(name, title, (Draft(("ip", "tcp"), {**_PORTS, **texts}),))


_SYN_OPTIONS = "mss=1460,sackOK,timestamp=1:0,nop,wscale=7"

_TEMPLATES = (
    _tcp("tcp-syn", "TCP SYN", {"tcp.flags.syn": "1", "tcp.options": _SYN_OPTIONS}),
    _tcp("tcp-ack", "TCP ACK", {"tcp.flags.ack": "1", "tcp.seq_raw": "1", "tcp.ack_raw": "1"}),
    _tcp("tcp-rst", "TCP RST", {"tcp.flags.reset": "1", "tcp.seq_raw": "1"}),
    Template(
        "udp",
        "UDP datagram",
        (
            Draft(
                ("ip", "udp"),
                {"udp.dstport": "9", "payload": "hello\\n"},
            ),
        ),
    ),
    Template(
        "dns-query",
        "DNS query for example.org",
        (Draft(("ip", "udp"), {"udp.dstport": "53", "payload": _DNS_QUERY}),),
    ),
    Template(
        "icmp-echo",
        "ICMP echo request",
        (
            Draft(
                ("ip", "icmp"),
                {
                    "icmp.type": "8",
                    "icmp.ident": "1",
                    "icmp.seq": "1",
                    "payload": "abcdefghijklmnopqrstuvwabcdefghi",
                },
            ),
        ),
    ),
    Template(
        "icmpv6-echo",
        "ICMPv6 echo request",
        (
            Draft(
                ("ipv6", "icmpv6"),
                {
                    "icmpv6.type": "128",
                    "icmpv6.echo.identifier": "1",
                    "icmpv6.echo.sequence_number": "1",
                    "payload": "abcdefghijklmnopqrstuvwabcdefghi",
                },
            ),
        ),
    ),
    Template(
        "arp-who-has",
        "ARP who-has",
        (Draft(("eth", "arp"), {"eth.dst": "ff:ff:ff:ff:ff:ff", "arp.opcode": "1"}),),
    ),
    _tcp(
        "christmas-tree",
        "Christmas tree (FIN, PSH, URG)",
        {
            "tcp.flags.fin": "1",
            "tcp.flags.push": "1",
            "tcp.flags.urg": "1",
            "tcp.urgent_pointer": "1",
        },
    ),
    Template(
        "fragment-overlap",
        "Overlapping fragment pair",
        (
            Draft(
                ("ip", "udp"),
                {
                    "ip.id": "0x4242",
                    "ip.flags.mf": "1",
                    "udp.dstport": "9",
                    "udp.length": "40",
                    "udp.checksum": "0",
                    "payload": "A" * (_FRAGMENT_BYTES - 8),
                },
            ),
            Draft(
                ("ip",),
                {
                    "ip.id": "0x4242",
                    "ip.frag_offset": "2",  # at byte 16: both fragments contain 8 of the bytes
                    "ip.proto": "17",
                    "payload": "B" * _FRAGMENT_BYTES,
                },
            ),
        ),
    ),
)

TEMPLATES: Mapping[str, Template] = {one.name: one for one in _TEMPLATES}
