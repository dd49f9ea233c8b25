"""Find the frames of a TPACKET_V3 block, which is a chain of them.

The first word of each frame is the distance to the next one (``tp_next_offset``), so following the
chain is a loop over frames, the only one of a capture. A block of small frames holds thousands, and
a scan finds them in a tenth of the time: frames begin on 8-byte boundaries, and the kernel writes
AF_PACKET into the ``sll_family`` of each. Bytes of a packet may look the same, so the candidates
are checked against the chain: the distance in each must lead to the next, from the first frame to
the last one, which is as many frames as the block counts. Candidates that no other one leads to are
dropped; if that does not leave the chain, it is followed frame by frame.

Source: linux/if_packet.h; net/packet/af_packet.c (prb_fill_curr_block, tpacket_rcv).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.capture.block import ALIGNMENT, FRAME_HEADER
from core.net import sockets as kernel

_FIELDS: Mapping[str, Any] = FRAME_HEADER.fields or {}  # the type of each, and its first byte
_FAMILY, FAMILY_AT = _FIELDS["sll_family"][:2]
_DISTANCE, _DISTANCE_AT = _FIELDS["tp_next_offset"][:2]
_WORD: int = _DISTANCE.itemsize
_SCANNED_BYTES = 1024  # a frame: in blocks of larger ones, following the chain is as fast
_ROUNDS = 3  # of dropping candidates


def frame_offsets(data: NDArray[np.uint8], first: int, count: int) -> NDArray[np.int64]:
    """Return the byte offsets, int64 (count,), of the frames of a block.

    `data` (uint8) is the block up to the end of its last frame, and `first` the offset of its first
    frame.
    """
    if count * _SCANNED_BYTES >= len(data):
        found = _scanned(data, first, count)
        if found is not None:
            return found
    return _followed(data, first, count)


def _followed(data: NDArray[np.uint8], first: int, count: int) -> NDArray[np.int64]:
    """Follow the chain frame by frame."""
    at = first // _WORD
    places: list[int] = []
    append = places.append
    with data[: len(data) // _WORD * _WORD].data as raw, raw.cast("I") as words:
        for _ in range(count):
            append(at)
            at += words[at] // _WORD
    return np.array(places, np.int64) * _WORD


def _scanned(data: NDArray[np.uint8], first: int, count: int) -> NDArray[np.int64] | None:
    """Return the frames of the chain if a scan finds them all."""
    end = len(data) - FAMILY_AT - _FAMILY.itemsize  # the last place of a frame with a family
    if end < first or first % _WORD:
        return None
    places = (end - first) // ALIGNMENT + 1
    families: NDArray[np.uint16] = np.ndarray(
        (places,), _FAMILY, data.data, first + FAMILY_AT, (ALIGNMENT,)
    )
    distances: NDArray[np.uint32] = np.ndarray(
        (places,), _DISTANCE, data.data, first + _DISTANCE_AT, (ALIGNMENT,)
    )
    found = (families == kernel.FRAME_FAMILY).nonzero()[0]
    for _ in range(_ROUNDS):
        if len(found) < count or found[0] != 0:
            return None
        following = found + distances[found] // ALIGNMENT
        if len(found) == count and bool((following[:-1] == found[1:]).all()):
            offsets: NDArray[np.int64] = found * ALIGNMENT + first
            return offsets
        is_reached = np.zeros(places, np.bool_)
        is_reached[following[(following > found) & (following < places)]] = True
        is_reached[0] = True
        found = found[is_reached[found]]
    return None
