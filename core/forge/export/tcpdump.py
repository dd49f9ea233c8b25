"""A packet as a filter of tcpdump (pcap-filter(7)) that shows it and its answers."""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation
from core.wire.encode.build import Built, BuiltField
from core.wire.model.other_tools import PcapPrimitive
from core.wire.protocol import LayerPosition
from core.wire.registry import PROTOCOLS

_PORTS = ("srcport", "dstport")
_LINKS, _NETWORKS, _TRANSPORTS = (
    {
        protocol.name: protocol.tools.pcap
        for protocol in PROTOCOLS
        if protocol.tools.pcap is not None and protocol.kinds[0].place is position
    }
    for position in (LayerPosition.LINK, LayerPosition.NETWORK, LayerPosition.TRANSPORT)
)


def tcpdump_filter(evaluation: Evaluation) -> str:
    """Return the filter that shows this packet and its answers."""
    found = _layers(evaluation.built)
    words = _network_words(found)
    if "arp" not in found:
        for name, primitive in _TRANSPORTS.items():
            if name in found:
                words = _with_transport(words, found[name], primitive)
    if not words:
        for name, primitive in _LINKS.items():
            if name in found:
                words = [f"ether host {_text(found[name], primitive.link_host)}"]
    return " and ".join(words)


def _network_words(found: dict[str, BuiltField]) -> list[str]:
    """Return the word of the network protocol, and one for each address that is not zero."""
    for name, primitive in _NETWORKS.items():
        if name in found:
            place = found[name]
            hosts = [f"host {_text(place, key)}" for key in primitive.hosts if place.values[key]]
            return [primitive.word, *hosts]
    return []


def _with_transport(words: list[str], place: BuiltField, primitive: PcapPrimitive) -> list[str]:
    """Return the words with those of a transport; a protocol with ports replaces ``ip``."""
    if not all(key in place.values for key in _PORTS):
        return [*words, primitive.word]
    before = [] if words[:1] == [_NETWORKS["ip"].word] else words[:1]
    ports = [f"port {_text(place, key)}" for key in _PORTS]
    return [*before, primitive.word, *words[1:], *ports]


def _layers(built: Built | None) -> dict[str, BuiltField]:
    """Return the outermost layer of each name."""
    found: dict[str, BuiltField] = {}
    for place in built.places if built is not None else ():
        found.setdefault(place.header.name, place)
    return found


def _text(place: BuiltField, key: str) -> str:
    return place.header.slot(key).text(place.values[key])
