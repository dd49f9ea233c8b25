"""The types of filter values."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.types import ADDRESS_BYTES, FilterType, Spans


@pytest.mark.parametrize("kind", FilterType)
def test_each_type_is_in_one_group(kind: FilterType) -> None:
    groups = (
        kind.is_unsigned,
        kind.is_signed,
        kind.is_address,
        kind.is_time,
        kind.is_byte_string,
        kind.is_float,
        kind in (FilterType.BOOLEAN, FilterType.STRING),
    )
    assert sum(groups) == 1
    assert kind.is_integer == (kind.bits > 0) == (kind.is_unsigned or kind.is_signed)


def test_the_name_of_an_integer_type_says_its_width() -> None:
    for kind in FilterType:
        if kind.is_integer and kind not in (FilterType.CHAR, FilterType.FRAMENUM):
            assert f"{kind.bits}-bit" in kind.value
    assert ADDRESS_BYTES[FilterType.IPV6] == 16


def test_spans_are_taken_by_index_or_mask() -> None:
    spans = Spans(np.arange(9, dtype=np.uint8), np.array([0, 4, 6]), np.array([4, 4, 9]))
    taken = spans.take(np.array([True, False, True]))
    assert len(spans) == 3
    assert [taken.data[a:b].tolist() for a, b in zip(taken.starts, taken.ends, strict=True)] == [
        [0, 1, 2, 3],
        [6, 7, 8],
    ]
