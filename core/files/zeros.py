"""Find where a run of zero bytes ends.

After a power loss, a file may be longer than the data that was written to it: its tail reads as
zeros. In pcap, a tail of zeros reads as packets of length 0 at time 0; in pcapng, as blocks of
length 0. The parsers use `zero_end` to distinguish such a tail from a record that happens to be
zero: only a tail continues to the end of the input.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST_PIECE = 64  # most runs are short; a long one is scanned in growing pieces
_LARGEST_PIECE = 1 << 20


def zero_end(window: NDArray[np.uint8], start: int, stop: int) -> int:
    """Return the index of the first nonzero byte of ``window[start:stop]``, or `stop`."""
    size = _FIRST_PIECE
    while start < stop:
        piece = window[start : min(stop, start + size)]
        if piece.any():
            return start + int((piece != 0).argmax())
        start += len(piece)
        size = min(size * 8, _LARGEST_PIECE)
    return stop


def zero_start(window: NDArray[np.uint8], start: int, stop: int) -> int:
    """Return the index from which all of ``window[start:stop]`` is zero, or `stop`."""
    nonzero = np.flatnonzero(window[start:stop])
    return start + int(nonzero[-1]) + 1 if len(nonzero) else start
