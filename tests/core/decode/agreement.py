"""The columns that the batch decode must give a packet, from its dissection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.decode.checksum_rules import RULES
from core.decode.chunk import Chunk
from core.decode.columns import SLOTS
from core.decode.verdicts import fill, unpack
from core.wire.dissect import dissect
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause, Dissection, Layer, Verdict
from core.wire.model.kind import Kind
from core.wire.present.record import STACKED
from core.wire.registry import TABLES

NETWORKS = {"arp": Network.ARP, "ip": Network.IPV4, "ipv6": Network.IPV6}
TRANSPORTS = {rule.table.name: protocol for protocol, rule in RULES.items()}
TUNNELS = {"gre"}


@dataclass(frozen=True)
class Outline:
    """The columns of one packet, as both decoders can give them."""

    network: Network
    network_offset: int
    transport: int | None
    transport_offset: int
    verdicts: tuple[Verdict, Verdict]
    cause: Cause


def outline_of_chunk(chunk: Chunk) -> list[Outline]:
    """Return the outline of every packet of a chunk by its columns."""
    verdicts = fill(chunk)
    outlines = []
    for row in range(len(chunk)):
        state = int(chunk.state[row])
        named = state & HeaderState.TRANSPORT and int(chunk.transport[row]) in TRANSPORTS.values()
        network = Network(int(chunk.network[row]))
        outlines.append(
            Outline(
                network=network,
                network_offset=int(chunk.network_offset[row]) if network else 0,
                transport=int(chunk.transport[row]) if named else None,
                transport_offset=int(chunk.transport_offset[row]) if named else 0,
                verdicts=unpack(int(verdicts[row])),
                cause=Cause(state & HeaderState.CAUSE_MASK),
            )
        )
    return outlines


def outline_of_frame(data: bytes, link_type: int, original: int, flags: int) -> Outline:
    """Return the outline of one packet by its dissection."""
    return outline_of(dissect(data, link_type, original, flags))


def outline_of(dissection: Dissection) -> Outline:
    """Return the outline of a dissected packet."""
    outer = [layer for layer in dissection.layers if layer.depth <= 1 and not layer.quoted]
    network = next((layer for layer in outer if layer.name in NETWORKS), None)
    transport = next((layer for layer in outer if layer.name in TRANSPORTS), None)
    return Outline(
        network=NETWORKS[network.name] if network else Network.NONE,
        network_offset=network.offset if network else 0,
        transport=TRANSPORTS[transport.name] if transport else None,
        transport_offset=transport.offset if transport else 0,
        verdicts=(_verdict(network), _verdict(transport)),
        cause=_cause(dissection, outer, transport),
    )


def leaves_outermost(dissection: Dissection) -> bool:
    """Return True if a packet has headers that columns do not describe."""
    return any(
        layer.quoted or layer.depth > 1 or layer.name in WITHOUT_COLUMN
        for layer in dissection.layers
    )


def _verdict(layer: Layer | None) -> Verdict:
    return layer.checks[0].verdict if layer and layer.checks else Verdict.NONE


def _cause(dissection: Dissection, outer: list[Layer], transport: Layer | None) -> Cause:
    """Return the cause of the stop, if it was in the outermost headers."""
    stop = dissection.stop
    if stop is None:
        return Cause.NONE
    if transport is not None:
        header = max(transport.header_length, transport.tables[0].stop)
        inside = stop.offset < transport.offset + header
        return stop.cause if inside else Cause.NONE
    network = next((layer for layer in outer if layer.name in NETWORKS), None)
    too_deep = stop.limited_by == "depth limit"
    if stop.layer in NETWORKS and network is not None and not too_deep:
        inside = stop.offset < network.offset + max(1, network.header_length)
        return stop.cause if inside else Cause.NONE
    in_tunnel = stop.layer in TUNNELS or any(layer.name in TUNNELS for layer in outer)
    if in_tunnel or len(dissection.layers) > len(outer):
        return Cause.NONE
    return stop.cause


# fields inside options and tunnels, or after a variable part, have no outermost position
WITHOUT_COLUMN = {"ip.opt", "ipv6.opt", "icmpv6.opt", "tcp.options", "gre", "vxlan", "geneve"}
_TABLES = frozenset(TABLES)


def has_column(name: str) -> bool:
    """Return True if a field is available as a column of outermost headers."""
    return SLOTS[name][0].table.name not in WITHOUT_COLUMN


def outermost(dissection: Dissection) -> dict[str, int]:
    """Return every field of the outermost layer of each name, not quoted and in no tunnel.

    Of layers that stack, such as VLAN tags, the outermost that has the field counts.
    """
    values: dict[str, int] = {}
    seen: set[str] = set()
    for layer in dissection.layers:
        if layer.depth > 1 or layer.quoted or layer.name in WITHOUT_COLUMN:
            continue
        if layer.name in seen and layer.name not in STACKED:
            continue
        seen.add(layer.name)
        for slot, value in layer.fields(dissection.data):
            # tables made for one packet (odd ARP addresses) have no columns
            if slot.field.kind is not Kind.BYTES and slot.table in _TABLES:
                values.setdefault(slot.name, int(value))
    return values


def number(value) -> int:
    """Return an element of a column as a number."""
    return int(value[0]) << 64 | int(value[1]) if np.ndim(value) else int(value)
