"""Numbers of up to 128 bits as 64-bit words, the high word first.

numpy has no integers of more than 64 bits, so `PlacedField.column` returns two words for a wider
field, such as an IPv6 address. These functions split a number, and shape a column, in the same way.
`mixed` hashes such words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD_BITS = 64
_MASK = (1 << WORD_BITS) - 1
_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2**64 / golden ratio, odd
_HALF = np.uint64(32)


def split_words(number: int, bits: int) -> tuple[int, ...]:
    """Return a number of `bits` bits, at most 128, as one word or two."""
    return (number,) if bits <= WORD_BITS else (number >> WORD_BITS, number & _MASK)


def word_columns(column: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a field's column, (n,) or (n, 2), as (n, 1) or (n, 2) uint64."""
    words: NDArray[np.uint64] = column.astype(np.uint64)
    return words if words.ndim == 2 else words[:, np.newaxis]


def mixed(state: NDArray[np.uint64], *words: NDArray[Any]) -> NDArray[np.uint64]:
    """Return hashes `state` with columns of unsigned words mixed in, one after the other.

    The first state is a secret seed, so that nobody can make packets whose hashes are equal.
    """
    for word in words:
        state = (state ^ word) * _MULTIPLIER
        state ^= state >> _HALF
    return state
