"""A packet as a filter of tcpdump (pcap-filter(7)) that shows it and its answers."""

from __future__ import annotations

from core.forge.compose.evaluation import Evaluation
from core.forge.compose.layer_kinds import DEFAULT_NETWORK, PROTOCOL_OF
from core.wire.encode.build import Built, BuiltField
from core.wire.protocol import LayerPosition, Protocol
from core.wire.registry import PROTOCOLS

_PORTS = ("srcport", "dstport")
_LINKS, _NETWORKS, _TRANSPORTS = (
    {
        protocol.name: protocol
        for protocol in PROTOCOLS
        if protocol.tools.pcap and protocol.kinds[0].place is position
    }
    for position in (LayerPosition.LINK, LayerPosition.NETWORK, LayerPosition.TRANSPORT)
)
_IMPLIED = PROTOCOL_OF[DEFAULT_NETWORK].tools.pcap


def tcpdump_filter(evaluation: Evaluation) -> str:
    """Return the filter that shows this packet and its answers."""
    found = _layers(evaluation.built)
    network = next((_NETWORKS[name] for name in found if name in _NETWORKS), None)
    words = _network_words(network, found[network.name]) if network is not None else []
    if network is None or network.has_pseudo_header:
        for transport in _TRANSPORTS.values():
            if transport.name in found:
                words = _with_transport(words, found[transport.name], transport)
    if not words:
        for link in _LINKS.values():
            if link.name in found and link.addresses is not None:
                destination = _text(found[link.name], link.addresses[1])
                words = [f"{link.tools.pcap} host {destination}"]
    return " and ".join(words)


def _network_words(network: Protocol, place: BuiltField) -> list[str]:
    """Return the word of the network protocol, and one for each address that is not zero."""
    keys = network.addresses or ()
    hosts = [f"host {_text(place, key)}" for key in keys if place.values[key]]
    return [network.tools.pcap, *hosts]


def _with_transport(words: list[str], place: BuiltField, transport: Protocol) -> list[str]:
    """Return the words with those of a transport; a protocol with ports replaces ``ip``."""
    if not all(key in place.values for key in _PORTS):
        return [*words, transport.tools.pcap]
    before = [] if words[:1] == [_IMPLIED] else words[:1]
    ports = [f"port {_text(place, key)}" for key in _PORTS]
    return [*before, transport.tools.pcap, *words[1:], *ports]


def _layers(built: Built | None) -> dict[str, BuiltField]:
    """Return the outermost layer of each name."""
    found: dict[str, BuiltField] = {}
    for place in built.places if built is not None else ():
        found.setdefault(place.header.name, place)
    return found


def _text(place: BuiltField, key: str) -> str:
    return place.header.slot(key).text(place.values[key])
