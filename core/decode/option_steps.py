"""A search for one option in the lists of many headers at once.

The search walks the lists in rounds, the first option of every header, then the second, by the same
`OptionList` that reads one packet's. A round costs a few numpy operations however few headers are
left, so the caller bounds the rounds: the sender chooses how many options a packet has.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from core.wire.model.options import OptionList


def find_option(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    options: OptionList,
    kinds: Collection[int],
    rounds: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the first option of one of `kinds` in each list.

    The lists lie in `data` from `starts` to `stops` (n,), wholly there. Only the first `rounds`
    options of each list count, and only if the list and the option's own table have room for them.
    Return indices into `starts` (m,) and positions in `data` (m,).
    """
    single = np.isin(np.arange(256), list(options.single))
    least = np.full(256, _NEVER)
    for wanted in kinds:
        table = options.kinds[wanted].table
        least[wanted] = 2 if table is None else table.stop
    found = [np.zeros(0, np.int64)]
    places = [np.zeros(0, np.int64)]
    index = np.flatnonzero(starts < stops)
    at, stop = starts[index], stops[index]
    for _ in range(rounds):
        if not len(index):
            break
        kind = data[at]
        alone = single[kind]
        length = data[np.where(alone, at, np.minimum(at + 1, stop - 1))] * np.int64(options.unit)
        length += 0 if options.inclusive else 2
        length[alone] = 1
        readable = alone | ((length >= 2) & (at + 2 <= stop))
        readable &= at + length <= stop
        hit = readable & (length >= least[kind])
        found.append(index[hit])
        places.append(at[hit])
        on = readable & ~hit & (at + length < stop)
        if options.end is not None:
            on &= kind != options.end
        index, at, stop = index[on], (at + length)[on], stop[on]
    return np.concatenate(found), np.concatenate(places)


_NEVER = np.iinfo(np.int64).max
