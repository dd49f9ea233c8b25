"""Take the IP packets out of frames, for an interface without link headers (tun, WireGuard).

Link headers, tags, and bytes after the packet are removed, whatever the link type of the capture.
Packets that were captured without a link header stay as they are. Frames without an IP packet are
omitted and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.header_index import index_batch
from core.forge.transmit.encapsulation import OmittedCounts
from core.forge.transmit.frame_assembly import Rows, selected
from core.wire.link.link_types import LinkType
from core.wire.model.batch import Network

_RAW = (LinkType.RAW, LinkType.RAW_BSD, LinkType.RAW_OPENBSD, LinkType.IPV4, LinkType.IPV6)
_NETWORKS = (Network.IPV4, Network.IPV6)


class Decapsulation:
    """Makes bare packets; a `core.forge.transmit.encapsulation.LinkAdapter`."""

    def __init__(self) -> None:
        self.omitted = OmittedCounts()

    def frames(self, batch: Batch, link_types: NDArray[np.int64]) -> Iterator[tuple[Batch, Rows]]:
        """Yield the packets in the frames of a batch, and the row (m,) of each in `batch`."""
        read = index_batch(batch, link_types)
        is_raw = np.isin(link_types, _RAW)
        keep = np.flatnonzero(is_raw | np.isin(read.network, _NETWORKS) | (batch.captured == 0))
        self.omitted.without_ip += len(batch) - len(keep)
        at = np.where(is_raw, 0, read.network_offset)[keep].astype(np.int64)
        captured, original = batch.captured[keep], batch.original[keep]
        stop = np.where(is_raw, batch.original, read.stop)[keep].astype(np.int64)
        packets = replace(
            selected(batch, keep),
            offset=batch.offset[keep] + at,
            captured=np.maximum(np.minimum(captured, stop) - at, 0).astype(np.uint32),
            original=np.maximum(np.minimum(original, stop) - at, 0).astype(np.uint32),
        )
        yield packets, keep
