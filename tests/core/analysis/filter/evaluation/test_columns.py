"""Columns of occurrences, and their pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.evaluation.columns import Column, merged, pair, repeated, taken
from tests.core.analysis.filter.evaluation.made_values import spans

ROWS = st.lists(st.integers(0, 4), max_size=6).map(sorted)


def column(rows: list[int]) -> Column:
    """Return a column whose values are the numbers of the occurrences."""
    return Column(np.array(rows, dtype=np.int64), np.arange(len(rows)))


@given(ROWS, ROWS)
def test_every_value_meets_every_value_of_the_same_packet(one: list[int], other: list[int]) -> None:
    pairs = pair(column(one), column(other))
    found = list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.rows.tolist(), strict=True))
    assert found == [
        (i, j, a) for i, a in enumerate(one) for j, b in enumerate(other) if a == b
    ]  # fmt: skip


@given(ROWS)
def test_a_column_meets_itself(rows: list[int]) -> None:
    one = column(rows)
    assert pair(one, one).rows.tolist() == pair(one, column(rows)).rows.tolist()


def test_a_constant_is_repeated_for_each_packet() -> None:
    found = repeated(np.array([7, 8]), 2)
    assert found.rows.tolist() == [0, 0, 1, 1]
    assert np.asarray(found.values).tolist() == [7, 8, 7, 8]
    assert len(repeated(spans([b"a"]), 3)) == 3


def test_columns_are_merged_in_the_order_of_the_packets() -> None:
    found = merged([column([0, 2]), column([0, 1])])
    assert found.rows.tolist() == [0, 0, 1, 2]
    assert np.asarray(found.values).tolist() == [0, 0, 1, 1]
    assert len(found.take(np.array([0, 3]))) == 2
    assert len(taken(spans([b"a", b"b"]), np.array([True, False]))) == 1
