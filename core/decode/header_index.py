"""The batch decode: the positions of the outermost headers of many frames.

Theory
------
A packet's columns hold the kind and position of its network header and of its transport header, the
end of its network payload, and the cause if the walk stopped early. From these any field of any
outermost header is one gather away (`core.decode.columns`), and so are the checksums
(`core.decode.verdicts`); nothing else of a frame is decoded until a reader needs it.

`core.wire.dissect` decodes one frame in full; this module decodes a batch to a few columns. Both
follow the same tables, numbers and rules, and agree for every frame: each protocol's record has a
step beside each parser, and the registry lists the numbers that lead to them. What a tunnel carries
is not followed: columns describe the outermost packet, and `HeaderState.NESTED` marks those inside
which another may be. (`core.decode.inner_packets` has columns of some that are inside.)

The walk takes `SLICE` packets at a time, so that its columns stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.batch_walk import BatchWalk, Steps
from core.decode.header_positions import HeaderObserver
from core.wire.dissect import MAXIMUM_LAYERS
from core.wire.model.batch import FrameGroup, Step, nested_step
from core.wire.model.dissection import PacketFlag
from core.wire.model.walk import Numbering
from core.wire.protocol import Protocol
from core.wire.registry import LINK_PROTOCOLS, PROTOCOLS, readers

SLICE = 1 << 15

INNER_LAYERS = 12
"""The most layers of an inner packet that the batch walk reads; more are malformed to it."""


def _steps(protocols: tuple[Protocol, ...]) -> Steps:
    """Return the step of each number that leads to these protocols, by the numberings."""
    steps: dict[Numbering, dict[int, Step]] = {space: {} for space in Numbering}
    for space, number, reader in readers(protocols):
        steps[space][number] = reader.step or nested_step
    return steps


STEPS = _steps(PROTOCOLS)

LINK_STEPS = _steps(LINK_PROTOCOLS)
"""The steps of a walk that ends before the network header: it finds every link-layer header."""


@dataclass(frozen=True, slots=True, eq=False)
class HeaderOffsets:
    """Columns of n packets, the same as those of `core.decode.chunk.Chunk`."""

    network: NDArray[np.uint8]
    network_offset: NDArray[np.int32]
    transport: NDArray[np.uint8]
    transport_offset: NDArray[np.int32]
    stop: NDArray[np.uint32]
    state: NDArray[np.uint8]


def index_batch(batch: Batch, link_types: NDArray[Any]) -> HeaderOffsets:
    """Return the positions of the headers in a batch; `link_types` (n,) are those of its frames."""
    return index_headers(
        batch.data, batch.offset, batch.captured, batch.original, link_types, batch.flags
    )


def index_headers(
    data: NDArray[np.uint8],
    offset: NDArray[Any],
    captured: NDArray[np.uint32],
    original: NDArray[np.uint32],
    link_type: NDArray[Any],
    flags: NDArray[np.uint16],
    *,
    rounds: int = MAXIMUM_LAYERS,
    are_quoted: bool = False,
) -> HeaderOffsets:
    """Return the positions of the headers in n frames. Never raises for traffic.

    `data` is contiguous uint8; frame i is ``captured[i]`` bytes, less than 2 GiB, at ``offset[i]``,
    which must lie inside it; no byte outside a frame is read. `link_type` (n,) are `LinkType`
    numbers, or others, which have no reader; `flags` `PacketFlag` bits. A packet with more than
    `rounds` headers is malformed. With `are_quoted`, they are packets that ICMP errors quote
    (`core.decode.inner_packets`).
    """
    walks = [
        walk_headers(
            data,
            offset[part],
            captured[part],
            original[part],
            link_type[part],
            flags[part],
            rounds=rounds,
            are_quoted=are_quoted,
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
    positions: HeaderObserver | None = None,
    steps: Steps | None = None,
    *,
    rounds: int = MAXIMUM_LAYERS,
    are_quoted: bool = False,
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
        are_quoted=are_quoted,
    )
    everything = FrameGroup(np.arange(len(offset)), np.zeros(len(offset), dtype=np.int64))
    state.queue(Numbering.LINK, link_type, everything)
    state.run(rounds)
    return state
