"""A packet as a filter of tcpdump (pcap-filter(7)) that shows it and its answers."""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation
from core.wire.encode.build import Built, BuiltField


def tcpdump_filter(evaluation: Evaluation) -> str:
    """The filter that shows this packet and its answers."""
    found = _layers(evaluation.built)
    words: list[str] = []
    for name in ("ip", "ipv6"):
        if name not in found:
            continue
        words.append("ip" if name == "ip" else "ip6")
        words += [f"host {_text(found[name], key)}" for key in ("src", "dst")
                  if found[name].values[key]]  # fmt: skip
        break
    for name in ("tcp", "udp", "sctp"):
        if name in found:
            words[:1] = [name] if words[:1] == ["ip"] else [*words[:1], name]
            words += [f"port {_text(found[name], key)}" for key in ("srcport", "dstport")]
    words += [{"icmp": "icmp", "icmpv6": "icmp6"}[name] for name in ("icmp", "icmpv6")
              if name in found]  # fmt: skip
    if "arp" in found:
        words = ["arp", *(f"host {_text(found['arp'], key)}"
                          for key in ("src.proto_ipv4", "dst.proto_ipv4")
                          if found["arp"].values[key])]  # fmt: skip
    if not words and "eth" in found:
        words = [f"ether host {_text(found['eth'], 'dst')}"]
    return " and ".join(words)


def _layers(built: Built | None) -> dict[str, BuiltField]:
    """The outermost layer of each name."""
    found: dict[str, BuiltField] = {}
    for place in built.places if built is not None else ():
        found.setdefault(place.header.name, place)
    return found


def _text(place: BuiltField, key: str) -> str:
    return place.header.slot(key).text(place.values[key])
