"""Integer arithmetic beside Python's."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.evaluation.integers import compute, wide
from core.analysis.filter.language.syntax import Operator

INTEGER = st.integers(-(1 << 63), (1 << 64) - 1) | st.integers(-9, 9)


def exact(operator: Operator, a: int, b: int) -> int | None:
    """Return the result in C's arithmetic without a limit of bits."""
    match operator:
        case Operator.PLUS:
            return a + b
        case Operator.MINUS:
            return a - b
        case Operator.TIMES:
            return a * b
        case Operator.BIT_AND:
            return a & b
    if b == 0:
        return None
    quotient = abs(a) // abs(b) * int(math.copysign(1, a) * math.copysign(1, b))
    return quotient if operator is Operator.DIVIDE else a - quotient * b


@given(
    st.sampled_from(
        [Operator.PLUS, Operator.MINUS, Operator.TIMES, Operator.DIVIDE, Operator.MODULO,
         Operator.BIT_AND]
    ),
    st.lists(st.tuples(INTEGER, INTEGER), min_size=1, max_size=5),
)  # fmt: skip
def test_results_are_exact_or_absent(operator: Operator, pairs: list[tuple[int, int]]) -> None:
    left = np.array([a for a, _ in pairs], dtype=object)
    right = np.array([b for _, b in pairs], dtype=object)
    found, present = compute(operator, left, right)
    for (a, b), value, exists in zip(pairs, found.tolist(), present.tolist(), strict=True):
        expected = exact(operator, a, b)
        fits = expected is not None and -(1 << 63) <= expected < 1 << 64
        assert exists == fits
        if fits:
            assert value == expected


def test_narrow_columns_stay_64_bits_wide() -> None:
    assert wide(np.array([255], np.uint8)).dtype == np.int64
    assert wide(np.array([(1 << 64) - 1], np.uint64)).tolist() == [(1 << 64) - 1]
    found, present = compute(Operator.MINUS, wide(np.array([1], np.uint8)), np.array([2]))
    assert found.dtype == np.int64
    assert found.tolist() == [-1]
    assert present.all()
