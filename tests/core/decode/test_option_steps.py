"""Finding an option in many lists at once gives the same as reading each list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decode.option_steps import find_option
from core.wire.model.options import OptionList
from core.wire.network import ipv4_options, ipv6_options

LISTS = {
    "IPv4": (ipv4_options.OPTIONS, ipv4_options.SOURCE_ROUTES),
    "IPv6": (ipv6_options.OPTIONS, frozenset({ipv6_options.JUMBO})),
}
_BYTES = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 11, 131, 137, 0xC2, 255])


def _one_by_one(
    data: bytes, start: int, stop: int, options: OptionList, kinds: frozenset[int], rounds: int
) -> int | None:
    for option in options.read(data, start, stop)[:rounds]:
        if option.kind in kinds and not option.problem:
            return option.span.start
    return None


@pytest.mark.parametrize("name", LISTS)
@given(
    lists=st.lists(st.lists(_BYTES, max_size=40).map(bytes), max_size=8),
    rounds=st.integers(0, 12),
)
def test_the_columns_equal_a_walk_of_each_list(name, lists, rounds) -> None:
    options, kinds = LISTS[name]
    data = b"\xa5" + b"\x83\xc2\xa5".join(lists) + b"\xa5"  # bytes between the lists would be found
    starts = np.cumsum([1] + [len(each) + 3 for each in lists], dtype=np.int64)[: len(lists)]
    stops = starts + np.array([len(each) for each in lists], np.int64)
    pairs = list(zip(starts.tolist(), stops.tolist(), strict=True))
    expected = {
        index: place
        for index, (start, stop) in enumerate(pairs)
        if (place := _one_by_one(data, start, stop, options, kinds, rounds)) is not None
    }
    index, place = find_option(np.frombuffer(data, np.uint8), starts, stops, options, kinds, rounds)
    assert dict(zip(index.tolist(), place.tolist(), strict=True)) == expected
