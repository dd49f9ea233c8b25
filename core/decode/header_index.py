"""The batch decode: where the outermost headers of many frames are.

Theory
------
A packet's columns say what its network header is and where, what its transport header is
and where, where its network payload ends, and whether the walk was stopped. From these
any field of any outermost header is one gather away (`core.decode.columns`), and so are the
checksums (`core.decode.verdicts`); nothing else of a frame is decoded until somebody looks.

`core.wire.dissect` decodes one frame and says everything; this decodes a batch and says
little. Both follow the same tables, numbers and rules, and agree for every frame: each step
here stands for a parser there, and which number leads to which is that module's `PARSERS`.

The walk takes `SLICE` packets at a time, so that its columns stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode import link_steps, network_steps, serial_steps, transport_steps
from core.decode.batch_walk import BatchWalk, Step, Steps
from core.decode.header_positions import HeaderPositions
from core.wire.dissect import MAXIMUM_LAYERS
from core.wire.link import ethernet, linux_cooked, loopback, ppp, serial, shims, vlan
from core.wire.model.batch import FrameGroup
from core.wire.model.dissection import PacketFlag
from core.wire.model.walk import Numbering, Parser
from core.wire.network import arp, ipv4, ipv6, ipv6_extensions
from core.wire.registry import readers
from core.wire.transport import tcp, udp

SLICE = 1 << 15

_STEP_OF: dict[Parser, Step] = {
    ethernet.parse: link_steps.ethernet,
    ethernet.parse_llc: link_steps.llc,
    vlan.parse: link_steps.vlan,
    vlan.parse_provider: link_steps.provider_vlan,
    ppp.parse: serial_steps.ppp,
    ppp.parse_session: serial_steps.pppoe_session,
    ppp.parse_discovery: serial_steps.pppoe_discovery,
    serial.parse_hdlc: serial_steps.hdlc,
    serial.parse_frame_relay: serial_steps.frame_relay,
    serial.parse_nflog: serial_steps.nflog,
    shims.parse_nsh: serial_steps.nsh,
    shims.parse_cisco_metadata: serial_steps.cisco_metadata,
    linux_cooked.parse: link_steps.cooked,
    linux_cooked.parse_2: link_steps.cooked_2,
    loopback.parse: link_steps.loopback,
    loopback.parse_raw: link_steps.raw,
    arp.parse: network_steps.arp,
    ipv4.parse: network_steps.ipv4,
    ipv6.parse: network_steps.ipv6,
    ipv6_extensions.parse_hop_by_hop: network_steps.hop_by_hop,
    ipv6_extensions.parse_destination_options: network_steps.destination_options,
    ipv6_extensions.parse_routing: network_steps.routing,
    ipv6_extensions.parse_fragment: network_steps.fragment,
    ipv6_extensions.parse_authentication: network_steps.authentication,
    tcp.parse: transport_steps.tcp,
    udp.parse: transport_steps.udp,
}
_TUNNELED = (ipv4.parse, ipv6.parse)  # not followed where an IP header carries them


def _steps() -> Steps:
    """Return the step of each number, by the numberings, from the registry's readers."""
    steps: dict[Numbering, dict[int, Step]] = {space: {} for space in Numbering}
    for space, number, reader in readers():
        step = reader.step or _STEP_OF.get(reader.parser)
        tunneled = space is Numbering.IP_PROTOCOL and reader.parser in _TUNNELED
        if step is not None and not tunneled:
            steps[space][number] = step
    return steps


STEPS = _steps()

_NETWORK_STEPS = (network_steps.arp, network_steps.ipv4, network_steps.ipv6)

LINK_STEPS: Steps = {
    space: {number: step for number, step in steps.items() if step not in _NETWORK_STEPS}
    for space, steps in STEPS.items()
    if space is not Numbering.IP_PROTOCOL
}
"""The steps of a walk that ends before the network header: it finds every link-layer header."""


@dataclass(frozen=True, slots=True, eq=False)
class HeaderOffsets:
    """Columns of n packets, named, typed and meant as those of `core.decode.chunk.Chunk`."""

    network: NDArray[np.uint8]
    network_offset: NDArray[np.int32]
    transport: NDArray[np.uint8]
    transport_offset: NDArray[np.int32]
    stop: NDArray[np.uint32]
    state: NDArray[np.uint8]


def index_headers(
    data: NDArray[np.uint8],
    offset: NDArray[Any],
    captured: NDArray[np.uint32],
    original: NDArray[np.uint32],
    link_type: NDArray[Any],
    flags: NDArray[np.uint16],
) -> HeaderOffsets:
    """Where the headers are in n frames. Never raises for traffic.

    `data` is contiguous uint8; frame i is ``captured[i]`` bytes, less than 2 GiB, at
    ``offset[i]``, which must lie inside it; no byte outside a frame is read. `link_type` (n,) are
    `LinkType` numbers, those without a reader included; `flags` `PacketFlag` bits.
    """
    walks = [
        walk_headers(
            data, offset[part], captured[part], original[part], link_type[part], flags[part]
        )
        for part in (slice(at, at + SLICE) for at in range(0, max(len(offset), 1), SLICE))
    ]
    return HeaderOffsets(
        network=np.concatenate([each.network for each in walks]),
        network_offset=np.concatenate([each.network_offset for each in walks]),
        transport=np.concatenate([each.transport for each in walks]),
        transport_offset=np.concatenate([each.transport_offset for each in walks]),
        stop=np.concatenate([each.stop for each in walks]).astype(np.uint32),
        state=np.concatenate([each.state for each in walks]),
    )


def walk_headers(
    data: NDArray[np.uint8],
    offset: NDArray[Any],
    captured: NDArray[Any],
    original: NDArray[Any],
    link_type: NDArray[Any],
    flags: NDArray[np.uint16],
    positions: HeaderPositions | None = None,
    steps: Steps | None = None,
) -> BatchWalk:
    """Walk frames to their ends, as `index_headers` does with a slice of a batch.

    The walk reports each header that it finds to `positions`. With `LINK_STEPS` it stops at the
    network header.
    """
    kept = captured.astype(np.int64)
    check_sequence = (flags & PacketFlag.FCS_MASK) >> PacketFlag.FCS_SHIFT
    stop = np.maximum(np.maximum(kept, original.astype(np.int64)) - check_sequence, 0)
    state = BatchWalk(
        data,
        offset.astype(np.int64),
        np.minimum(kept, stop),
        stop,
        STEPS if steps is None else steps,
        positions,
    )
    everything = FrameGroup(np.arange(len(offset)), np.zeros(len(offset), dtype=np.int64))
    state.follow(Numbering.LINK, link_type, everything)
    state.run(MAXIMUM_LAYERS)
    return state
