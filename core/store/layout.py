"""The batch decode: where the outermost headers of many frames are.

Theory
------
A packet's columns say what its network header is and where, what its transport header is
and where, where its network payload ends, and whether the walk was stopped. From these
any field of any outermost header is one gather away (`core.store.columns`), and so are the
checksums (`core.store.verdicts`); nothing else of a frame is decoded until somebody looks.

`core.wire.dissect` decodes one frame and says everything; this decodes a batch and says
little. Both follow the same tables, numbers and rules, and agree for every frame.

The walk takes `SLICE` packets at a time, so that its columns stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.store import link_steps, network_steps
from core.store.batch_walk import BatchWalk, Group, Steps
from core.wire.ethernet import EtherType
from core.wire.ipv4 import IpProtocol
from core.wire.link import LinkType
from core.wire.vlan import TAG_TYPES
from core.wire.walk import Space

SLICE = 1 << 14

STEPS: Steps = {
    Space.LINK: {
        LinkType.ETHERNET: link_steps.ethernet,
    },
    Space.ETHERTYPE: {
        EtherType.IPV4: network_steps.ipv4,
        EtherType.IPV6: network_steps.ipv6,
        EtherType.ARP: network_steps.arp,
        EtherType.RARP: network_steps.arp,
        **dict.fromkeys(TAG_TYPES, link_steps.vlan),
    },
    Space.LLC: {0: link_steps.llc},
    Space.IP_PROTOCOL: {
        IpProtocol.TCP: network_steps.tcp,
        IpProtocol.UDP: network_steps.udp,
        IpProtocol.HOP_BY_HOP: network_steps.hop_by_hop,
        IpProtocol.DESTINATION: network_steps.destination_options,
        IpProtocol.ROUTING: network_steps.routing,
        IpProtocol.FRAGMENT: network_steps.fragment,
        IpProtocol.AH: network_steps.authentication,
    },
}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Columns of n packets; the names, dtypes and meanings are those of `core.store.chunk.Chunk`."""

    network: NDArray[np.uint8]
    network_offset: NDArray[np.uint16]
    transport: NDArray[np.uint8]
    transport_offset: NDArray[np.uint16]
    stop: NDArray[np.uint32]
    state: NDArray[np.uint8]


def decode(
    data: NDArray[np.uint8],
    offset: NDArray[Any],
    captured: NDArray[np.uint32],
    original: NDArray[np.uint32],
    link_type: NDArray[Any],
    flags: NDArray[np.uint16],
) -> Layout:
    """Where the headers are in n frames. Never raises for traffic.

    `data` is contiguous uint8; frame i is ``captured[i]`` bytes at ``offset[i]``, which must
    lie inside it; no byte outside a frame is read. `link_type` (n,) are `LinkType` numbers,
    those without a reader included; `flags` `PacketFlag` bits.
    """
    count = len(offset)
    walks = [
        _walk(
            data,
            offset[part].astype(np.int64),
            captured[part].astype(np.int64),
            original[part].astype(np.int64),
            link_type[part],
            flags[part],
        )
        for part in (slice(start, start + SLICE) for start in range(0, max(count, 1), SLICE))
    ]
    return Layout(
        network=np.concatenate([walk.network for walk in walks]),
        network_offset=np.concatenate([walk.network_offset for walk in walks]),
        transport=np.concatenate([walk.transport for walk in walks]),
        transport_offset=np.concatenate([walk.transport_offset for walk in walks]),
        stop=np.concatenate([walk.stop for walk in walks]).astype(np.uint32),
        state=np.concatenate([walk.state for walk in walks]),
    )


def _walk(
    data: NDArray[np.uint8],
    base: NDArray[np.int64],
    captured: NDArray[np.int64],
    original: NDArray[np.int64],
    link_type: NDArray[Any],
    flags: NDArray[np.uint16],
) -> BatchWalk:
    """One slice of frames, followed to their ends."""
    walk = BatchWalk(data, base, captured, np.maximum(captured, original), STEPS)
    everything = Group(np.arange(len(base)), np.zeros(len(base), dtype=np.int64))
    walk.follow(Space.LINK, link_type, everything)
    walk.run(rounds=32)
    return walk
