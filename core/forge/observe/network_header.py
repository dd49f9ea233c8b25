"""Find the outermost network header of a packet, and what follows it."""

from __future__ import annotations

from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import Span
from core.wire.network.icmpv6 import ICMPV6
from core.wire.network.ipv6_extensions import FRAGMENT


def network_header(read: Dissection) -> Layer | None:
    """Return the outermost IP header if it is whole, also one that contradicts itself."""
    for layer in read.layers:
        if layer.name in ("ip", "ipv6") and layer.offset + layer.tables[0].size <= len(read.data):
            return layer
    return None


def after_header(layer: Layer, data: bytes) -> int:
    """Return the offset behind a header in `data`, also of one that contradicts itself."""
    table = layer.tables[0]
    size = table.size
    if "hdr_len" in table:
        size = max(size, table["hdr_len"].number(data, layer.offset))
    return layer.offset + size


def end_of_network(read: Dissection) -> int:
    """Return the offset behind the network header, and behind a fragment header that follows it."""
    network = network_header(read)
    assert network is not None
    fragment = read.layer(FRAGMENT.name)
    if network.name == "ipv6" and fragment is not None:
        return fragment.offset + fragment.header_length
    return after_header(network, read.data)


def is_first_fragment(read: Dissection) -> bool:
    """Return True if a packet is the first of several fragments."""
    for name, more, place in (("ip", "flags.mf", "frag_offset"), (FRAGMENT.name, "more", "offset")):
        layer = read.layer(name)
        if layer is not None and layer.number(read.data, more):
            return layer.number(read.data, place) == 0
    return False


def icmpv6_sum(read: Dissection) -> Span | None:
    """Return the bytes of the ICMPv6 checksum, or None if it is not there or not whole."""
    layer = read.layer(ICMPV6.name)
    slot = ICMPV6["checksum"]
    if layer is None or not layer.holds(slot):
        return None
    return slot.span.shifted(layer.offset)
