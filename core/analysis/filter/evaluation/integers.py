"""Integer arithmetic on arrays, as Wireshark has it.

Values are wide: a difference may be negative, and a product may need more than 64 bits. An array is
int64 as long as its values fit, and holds Python's integers otherwise. A result beyond 64 bits, and
a division by zero, is absent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.language.syntax import Operator

Integers = NDArray[Any]  # int64, or object: Python's int
Mask = NDArray[np.bool_]

_LIMIT = 1 << 63


def wide(values: NDArray[Any]) -> Integers:
    """Return integers as int64, or as Python's if they do not fit."""
    if values.dtype == object:
        return values
    if values.dtype == np.uint64 and len(values) and int(values.max()) >= _LIMIT:
        return values.astype(object)
    return values.astype(np.int64)


def _largest(values: Integers) -> int:
    """Return the largest absolute value."""
    return max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0


def compute(operator: Operator, left: Integers, right: Integers) -> tuple[Integers, Mask]:
    """Return the results (m,) of pairs of integers, and a mask of those that exist."""
    present = np.ones(len(left), dtype=np.bool_)
    if operator in (Operator.DIVIDE, Operator.MODULO):
        present = (right != 0).astype(np.bool_)
        right = np.where(present, right, 1)
        if left.dtype == object or right.dtype == object:
            left, right = left.astype(object), right.astype(object)
    elif _may_overflow(operator, left, right):
        left, right = left.astype(object), right.astype(object)
    result = _apply(operator, left, right)
    if result.dtype == object:
        present &= ((result >= -_LIMIT) & (result < 2 * _LIMIT)).astype(np.bool_)
        result = _narrowed(np.where(present, result, 0))
    return result, present


def _may_overflow(operator: Operator, left: Integers, right: Integers) -> bool:
    one, other = _largest(left), _largest(right)
    if operator is Operator.TIMES:
        return one * other >= _LIMIT
    return operator is not Operator.BIT_AND and one + other >= _LIMIT


def _apply(operator: Operator, left: Integers, right: Integers) -> Integers:
    match operator:
        case Operator.PLUS:
            return left + right
        case Operator.MINUS:
            return left - right
        case Operator.TIMES:
            return left * right
        case Operator.BIT_AND:
            return left & right
    quotient = np.abs(left) // np.abs(right)
    quotient = np.where((left < 0) ^ (right < 0), -quotient, quotient)  # toward zero, as in C
    return quotient if operator is Operator.DIVIDE else left - quotient * right


def _narrowed(values: Integers) -> Integers:
    return values if _largest(values) >= _LIMIT else values.astype(np.int64)
