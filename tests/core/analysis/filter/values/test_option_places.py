"""All options of many headers, compared with those of one header at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.values.option_places import OPTION_LISTS, find_options
from core.wire.model.options import OptionList

LISTS = [options for _, options in OPTION_LISTS]


def found_in(data: bytes, cuts: list[int], options: OptionList) -> list[tuple[int, int, int]]:
    """Return (header, start, kind) of each option in the lists between the cuts."""
    starts, stops = np.array(cuts[:-1], np.int64), np.array(cuts[1:], np.int64)
    places = find_options(np.frombuffer(data, np.uint8), starts, stops, options)
    found = zip(places.index.tolist(), places.start.tolist(), places.kind.tolist(), strict=True)
    return sorted(found)


@pytest.mark.parametrize("options", LISTS, ids=[each.prefix for each in LISTS])
@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 8, 10, 12, 130]), max_size=80), st.data())
def test_agrees_with_reading_one_header(
    options: OptionList, numbers: list[int], data: st.DataObject
) -> None:
    content = bytes(numbers)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), min_size=2, max_size=5)))
    expected = []
    for index, (start, stop) in enumerate(itertools.pairwise(cuts)):
        for option in options.read(content, start, stop):
            length = option.span.stop - option.span.start
            if option.kind in options.single or not options._problem(
                content, option.span.start, stop
            ):
                assert length >= 1
                expected.append((index, option.span.start, option.kind))
    assert found_in(content, cuts, options) == sorted(expected)


def test_no_headers() -> None:
    none = np.zeros(0, np.int64)
    places = find_options(np.zeros(0, np.uint8), none, none, LISTS[0])
    assert len(places.index) == len(places.kind) == 0
