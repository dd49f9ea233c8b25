"""A packet as a scapy expression: ``IP(dst="10.0.0.9")/TCP(dport=80, flags="S")``.

Fields that scapy computes as we do are left to it; those that were given are written, and so is
what has another default there (TCP's window). A layer that scapy writes in another way than we do
is given as bytes, with all behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.forge.compose.evaluation import Evaluation
from core.wire.encode.build import BuiltField
from core.wire.model.field import Kind, Value, address_text
from core.wire.network import icmp

# scapy's class, and its field for each of ours
_CLASSES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "eth": ("Ether", {"dst": "dst", "src": "src", "type": "type"}),
    "vlan": ("Dot1Q", {"priority": "prio", "dei": "id", "id": "vlan", "etype": "type"}),
    "ip": (
        "IP",
        {
            "version": "version", "hdr_len": "ihl", "dsfield": "tos", "len": "len", "id": "id",
            "flags": "flags", "frag_offset": "frag", "ttl": "ttl", "proto": "proto",
            "checksum": "chksum", "src": "src", "dst": "dst",
        },
    ),
    "ipv6": (
        "IPv6",
        {
            "version": "version", "tclass": "tc", "flow": "fl", "plen": "plen", "nxt": "nh",
            "hlim": "hlim", "src": "src", "dst": "dst",
        },
    ),
    "tcp": (
        "TCP",
        {
            "srcport": "sport", "dstport": "dport", "seq_raw": "seq", "ack_raw": "ack",
            "hdr_len": "dataofs", "flags": "flags", "window_size_value": "window",
            "checksum": "chksum", "urgent_pointer": "urgptr",
        },
    ),
    "udp": ("UDP", {"srcport": "sport", "dstport": "dport", "length": "len", "checksum": "chksum"}),
    "icmp": (
        "ICMP",
        {"type": "type", "code": "code", "checksum": "chksum", "ident": "id", "seq": "seq"},
    ),
    "arp": (
        "ARP",
        {
            "hw.type": "hwtype", "proto.type": "ptype", "hw.size": "hwlen", "proto.size": "plen",
            "opcode": "op", "src.hw_mac": "hwsrc", "src.proto_ipv4": "psrc",
            "dst.hw_mac": "hwdst", "dst.proto_ipv4": "pdst",
        },
    ),
}  # fmt: skip
_UNITS = {"hdr_len": 4}  # scapy counts these in words
_NEXT = ("type", "etype", "proto", "nxt")  # what comes next
_RENAMED = "dei"  # scapy calls it "id" up to 2.5, later both: better left out where it can be
_ECHOES = (icmp.ECHO_REQUEST, icmp.ECHO_REPLY)


def expression(evaluation: Evaluation) -> str:
    """The packet as one expression, to be used after ``from scapy.all import *``."""
    built = evaluation.built
    if built is None:
        return ""
    written: list[str] = []
    end = 0
    for index, place in enumerate(built.places):
        following = built.places[index + 1] if index + 1 < len(built.places) else None
        known = following is not None and _can_write(following)
        if not _can_write(place):
            break
        written.append(_layer(place, built.data, next_is_known=known))
        end = place.offset + place.length
    rest = built.data[end:]
    if rest:
        written.append(f"Raw({rest!r})")
    return "/".join(written)


def _can_write(place: BuiltField) -> bool:
    """Return True if scapy has the layer as we have it."""
    name = place.header.name
    if name == "icmp":
        return place.values["type"] in _ECHOES
    return name in _CLASSES and (place.body.start == place.body.stop or name in _OPTIONS)


def _layer(place: BuiltField, data: bytes, *, next_is_known: bool) -> str:
    """One layer. What scapy computes is left to it, but not the name of a layer it will not see."""
    name, fields = _CLASSES[place.header.name]
    arguments = []
    for key, theirs in fields.items():
        if key in place.computed and (next_is_known or key not in _NEXT):
            continue
        if key == _RENAMED and not place.values[key]:
            continue
        slot = place.header.slot(key)
        arguments.append(f"{theirs}={_value(key, slot.field.kind, place.values[key])}")
    body = data[place.body.start : place.body.stop]
    if body:
        arguments.append(f"options={_OPTIONS[place.header.name](body)}")
    return f"{name}({', '.join(arguments)})"


def _value(key: str, kind: Kind, value: Value) -> str:
    if isinstance(value, bytes):
        return repr(value)
    if kind in (Kind.MAC, Kind.IPV4, Kind.IPV6):
        return f'"{address_text(kind, value)}"'
    return str(value // _UNITS.get(key, 1))


def _ip_options(body: bytes) -> str:
    return f"[IPOption({body!r})]"


def _tcp_options(body: bytes) -> str:
    """scapy's list of (number, bytes), which gives the same bytes back."""
    written = []
    at = 0
    while at < len(body):
        if body[at] in (0, 1):
            written.append(f'("{"EOL" if body[at] == 0 else "NOP"}", None)')
            at += 1
            continue
        length = body[at + 1] if at + 1 < len(body) else 0
        if length < 2 or at + length > len(body):
            break
        written.append(f"({body[at]}, {body[at + 2 : at + length]!r})")
        at += length
    return f"[{', '.join(written)}]"


_OPTIONS: Mapping[str, Callable[[bytes], str]] = {"ip": _ip_options, "tcp": _tcp_options}
