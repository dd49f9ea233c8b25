"""What a person is asked before anything leaves for a stranger.

What goes to this machine (loopback, its own addresses) is sent at once. Everything else is asked
once for each destination and each thing that is unusual about it: nobody was sent to there before;
a broadcast or a group, which many hear; a source address that is not ours, whose owner gets the
answers; frames that leave verbatim, past the IP stack and its firewall. Many packets, or many a
second, are asked every time.

The question is made of the bytes that will leave, not of what was typed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from core.forge.route import Kind, find_route, own_addresses
from core.wire.dissect import dissect
from core.wire.dissection import Dissection, Layer
from core.wire.ethernet import ETHERNET
from core.wire.link import LinkType

MOST_PACKETS = 10_000
MOST_PER_SECOND = 1_000
_GROUP_BIT = 1 << 40  # of a MAC address: IEEE 802.3 §3.2.3
_BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"


class Target(Enum):
    """What a destination is to this machine."""

    OWN = "this machine"
    HOST = "another host"
    BROADCAST = "everybody on the link"
    MULTICAST = "a group"


@dataclass(frozen=True, slots=True)
class Load:
    """How much: packets in all, and how many a second (None: as fast as it goes)."""

    packets: int = 1
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What there is to ask. `questions` are whole sentences; none means: send. `marks` are what is
    remembered when the answer was yes."""

    destination: str
    target: Target
    questions: tuple[str, ...]
    marks: frozenset[str]


def examine(
    packet: bytes,
    *,
    verbatim: bool,
    interface: str = "",
    is_loopback: bool = False,
    load: Load = Load(),
    known: Collection[str] = frozenset(),
) -> Examination:
    """Look at one packet that is to leave.

    `verbatim` says that it is a frame for `interface`; `is_loopback` that this one is the loopback.
    `known` are the marks that were agreed to before.
    """
    read = dissect(packet, LinkType.ETHERNET if verbatim else LinkType.RAW, len(packet))
    destination, target = _target(read, verbatim, is_loopback)
    questions: list[str] = []
    marks: set[str] = set()
    if target is not Target.OWN:
        for mark, sentence in _concerns(read, destination, target, verbatim, interface):
            if mark not in known:
                marks.add(mark)
                questions.append(sentence)
    questions += _volume(load)
    return Examination(destination, target, tuple(questions), frozenset(marks))


def _concerns(
    read: Dissection, destination: str, target: Target, verbatim: bool, interface: str
) -> list[tuple[str, str]]:
    """Each unusual thing as (what is remembered of it, the sentence)."""
    over = f" on {interface}" if interface else ""
    match target:
        case Target.BROADCAST:
            first = f"{destination} is a broadcast: every host{over} gets it."
        case Target.MULTICAST:
            first = f"{destination} is a multicast group: all its members{over} get it."
        case _:
            first = f"Nothing was sent to {destination}{over} before."
    found = [(destination, first)]
    source = _foreign_source(read)
    if source:
        words = f"The source {source} is no address of this machine: answers go there."
        found.append((f"{destination} from {source}", words))
    if verbatim:
        words = f"The frame leaves {interface} verbatim, past the IP stack and its firewall."
        found.append((f"{destination} verbatim on {interface}", words))
    return found


def _volume(load: Load) -> list[str]:
    asked: list[str] = []
    if load.packets > MOST_PACKETS:
        asked.append(f"{load.packets:,} packets are more than {MOST_PACKETS:,}.")
    if load.rate is None and load.packets > MOST_PER_SECOND:
        asked.append(f"{load.packets:,} packets go out as fast as the machine can send.")
    elif load.rate is not None and min(load.rate, load.packets) > MOST_PER_SECOND:
        asked.append(f"{load.rate:,.0f} packets a second are more than {MOST_PER_SECOND:,}.")
    return asked


def _target(read: Dissection, verbatim: bool, is_loopback: bool) -> tuple[str, Target]:
    """The destination as text, and what it is."""
    layer = _network(read)
    link = read.layer(ETHERNET.name) if verbatim else None
    mac = link.number(read.data, "dst") if link is not None else None
    text = _address(layer, read, "dst")
    if verbatim and is_loopback:
        return text or "loopback", Target.OWN
    if mac is not None and mac & _GROUP_BIT:
        mac_text = ETHERNET["dst"].text(mac)
        target = Target.BROADCAST if mac_text == _BROADCAST_MAC else Target.MULTICAST
        return (f"{text} ({mac_text})" if text else mac_text), target
    if layer is None or not text:
        return (
            ETHERNET["dst"].text(mac) if mac is not None else "an unreadable frame"
        ), Target.HOST
    kind = _kind(layer, read)
    if verbatim and kind is Target.OWN:
        return text, Target.HOST  # it leaves the machine all the same
    return text, kind


def _kind(layer: Layer, read: Dissection) -> Target:
    """What the routing table says of an IP destination."""
    address = _raw(layer, read, "dst")
    try:
        kind = find_route(address).kind
    except OSError:
        kind = Kind.UNICAST
    if kind == Kind.LOCAL:
        return Target.OWN
    if kind == Kind.BROADCAST or address == b"\xff" * 4:
        return Target.BROADCAST
    group = address[0] == 0xFF if len(address) == 16 else 224 <= address[0] <= 239
    return Target.MULTICAST if group else Target.HOST


def _network(read: Dissection) -> Layer | None:
    """The outermost IP header that can be read."""
    return next((layer for layer in read.layers if layer.name in ("ip", "ipv6")), None)


def _address(layer: Layer | None, read: Dissection, key: str) -> str:
    value = layer.number(read.data, key) if layer is not None else None
    return layer.tables[0][key].text(value) if layer is not None and value is not None else ""


def _raw(layer: Layer, read: Dissection, key: str) -> bytes:
    slot = layer.tables[0][key]
    return slot.number(read.data, layer.offset).to_bytes(slot.field.bits // 8, "big")


def _foreign_source(read: Dissection) -> str:
    """The source address if it is not ours; the kernel fills in one that is zero."""
    layer = _network(read)
    if layer is None or not _address(layer, read, "src"):
        return ""
    source = _raw(layer, read, "src")
    if not any(source) or source in own_addresses():
        return ""
    return _address(layer, read, "src")
