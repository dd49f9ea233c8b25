"""Chunks for tests of the statistics."""

from __future__ import annotations

import numpy as np

from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.wire.link.link_types import LinkType
from tests.core.decode.support import batch_of


def chunk_of(frames: list[bytes], **columns: list[int]) -> Chunk:
    """Return Ethernet frames as one chunk; `columns` are those of `batch_of`."""
    return decode_batch(batch_of(frames, **columns), np.array([LinkType.ETHERNET], np.int32), 1)
