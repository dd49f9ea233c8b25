"""Comparisons element by element."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.evaluation.comparisons import is_one_of, of_pairs, swapped, with_value
from core.analysis.filter.language.expressions import Value
from core.analysis.filter.language.syntax import Operator
from core.analysis.filter.types import FilterType

_T = FilterType
ALL = (
    Operator.ANY_EQUAL, Operator.ALL_NOT_EQUAL, Operator.GREATER, Operator.GREATER_EQUAL,
    Operator.LESS, Operator.LESS_EQUAL,
)  # fmt: skip


@pytest.mark.parametrize("operator", ALL)
def test_the_sides_can_be_swapped(operator: Operator) -> None:
    left, right = np.array([1, 2, 3]), np.array([2, 2, 2])
    there = of_pairs(operator, _T.UINT8, left, right)
    back = of_pairs(swapped(operator), _T.UINT8, right, left)
    assert there.tolist() == back.tolist()
    constant = with_value(operator, _T.UINT8, left, Value(_T.UINT8, 2))
    assert there.tolist() == constant.tolist()


@pytest.mark.parametrize("operator", ALL)
def test_an_unsigned_value_has_no_order_beside_a_negative_one(operator: Operator) -> None:
    values = np.array([0, 5])
    assert not with_value(operator, _T.UINT8, values, Value(_T.UINT8, -1)).any()
    assert not of_pairs(operator, _T.UINT8, values, np.array([-1, -1])).any()
    signed = with_value(operator, _T.INT8, np.array([-1, 5]), Value(_T.INT8, -1))
    assert (
        signed.tolist()
        == of_pairs(operator, _T.INT8, np.array([-1, 5]), np.array([-1, -1])).tolist()
    )


def test_a_difference_may_be_negative() -> None:
    values = np.array([-3, 4])
    found = with_value(Operator.LESS, _T.UINT32, values, Value(_T.UINT32, 0))
    assert found.tolist() == [True, False]
    found = with_value(Operator.LESS, _T.UINT32, values, Value(_T.UINT32, 0), is_first=True)
    assert found.tolist() == [False, False]  # the constant is the unsigned side


def test_large_unsigned_numbers_stay_exact() -> None:
    values = np.array([(1 << 63) + 1, (1 << 53) + 1], np.uint64)
    equal = with_value(Operator.ANY_EQUAL, _T.UINT64, values, Value(_T.UINT64, (1 << 63) + 1))
    assert equal.tolist() == [True, False]
    others = np.array([(1 << 63), (1 << 53)], np.uint64)
    assert of_pairs(Operator.GREATER, _T.UINT64, values, others).all()


def test_prefixes_mask_both_sides() -> None:
    values = np.array([0x0A010203, 0x0B000000], np.uint32)
    ten = Value(_T.IPV4, 0x0A000005, 8)
    assert with_value(Operator.ANY_EQUAL, _T.IPV4, values, ten).tolist() == [True, False]
    assert with_value(Operator.GREATER, _T.IPV4, values, ten).tolist() == [False, True]
    rows = np.frombuffer(bytes.fromhex("fe80" + "00" * 13 + "01"), np.uint8).reshape(1, 16)
    local = Value(_T.IPV6, bytes.fromhex("fe80" + "00" * 14), 10)
    assert with_value(Operator.ANY_EQUAL, _T.IPV6, rows, local).tolist() == [True]
    assert with_value(Operator.LESS_EQUAL, _T.IPV6, rows, local).tolist() == [True]


def test_booleans_are_true_or_false() -> None:
    values = np.array([0, 1, 4])
    two = Value(_T.BOOLEAN, 2)
    assert with_value(Operator.ANY_EQUAL, _T.BOOLEAN, values, two).tolist() == [False, True, True]


@pytest.mark.parametrize("numbers", [[], [3], [3, -1, 300, 1 << 70], [*range(-5, 400, 2), 1 << 64]])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int64, object])
def test_numbers_in_a_set(numbers: list[int], dtype: type) -> None:
    values = np.array([0, 1, 3, 4, 255, 3], dtype=dtype)
    expected = [int(value) in numbers for value in values]
    assert is_one_of(values, numbers).tolist() == expected
