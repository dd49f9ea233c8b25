"""Comparisons of values, element by element.

Signed and unsigned integers do not meet as in C: an unsigned value beside a negative one has no
order and no equality, so none of the operators holds (Wireshark 4.6).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation import byte_strings
from core.analysis.filter.evaluation.integers import wide
from core.analysis.filter.language.expressions import Value
from core.analysis.filter.language.syntax import Operator
from core.analysis.filter.types import FilterType, Spans, Values

Mask = NDArray[np.bool_]

_FEWEST_SORTED = 8  # numbers for which sorting costs less than a comparison with each

_T = FilterType
_BYTE_STRINGS = frozenset({_T.PROTOCOL, _T.BYTES, _T.ETHER, _T.EUI64, _T.IPV6})
_TESTS: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.ANY_EQUAL: operator.eq,
    Operator.ALL_EQUAL: operator.eq,
    Operator.ALL_NOT_EQUAL: operator.ne,
    Operator.ANY_NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_EQUAL: operator.le,
}
_SWAPPED: Mapping[Operator, Operator] = {
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_EQUAL: Operator.LESS_EQUAL,
    Operator.LESS: Operator.GREATER,
    Operator.LESS_EQUAL: Operator.GREATER_EQUAL,
}


def swapped(comparison: Operator) -> Operator:
    """Return the operator that holds for the sides in the other order."""
    return _SWAPPED.get(comparison, comparison)


def with_value(
    comparison: Operator,
    kind: FilterType,
    values: Values,
    value: Value,
    *,
    is_first: bool = False,
) -> Mask:
    """Return a mask (k,) of `values` for which the comparison with a constant holds.

    The constant is on the right of the operator. In the filter it may be on the left (`is_first`,
    with the `swapped` operator); the left side decides whether a comparison is unsigned.
    """
    test = _TESTS[comparison]
    if kind in _BYTE_STRINGS:
        return _with_bytes(comparison, values, value)
    numbers = np.asarray(values)
    constant = value.value
    if kind is _T.IPV4 and value.prefix is not None:
        mask = ((1 << value.prefix) - 1) << (32 - value.prefix)
        numbers, constant = numbers & np.uint32(mask), constant & mask
    if kind is _T.BOOLEAN:
        numbers, constant = (numbers != 0).view(np.uint8), int(bool(constant))
    found = np.asarray(test(numbers, constant), dtype=np.bool_)
    if kind.is_unsigned and is_first and constant >= 0:
        found &= np.asarray(numbers >= 0, dtype=np.bool_)
    elif kind.is_unsigned and not is_first and constant < 0:
        found &= np.asarray(numbers < 0, dtype=np.bool_)
    return found


def is_one_of(values: Values, numbers: Sequence[int]) -> Mask:
    """Return a mask (k,) of the unsigned `values` that equal one of the numbers."""
    if len(numbers) < _FEWEST_SORTED:
        found = np.zeros(len(values), dtype=np.bool_)
        for number in numbers:
            found |= np.asarray(values) == number
        return found
    column = np.asarray(values)
    most = (1 << 64) - 1 if column.dtype == object else np.iinfo(column.dtype).max
    wanted = [number for number in numbers if 0 <= number <= most]
    return np.isin(column, np.array(wanted, dtype=column.dtype))


def _with_bytes(comparison: Operator, values: Values, value: Value) -> Mask:
    constant = value.value
    if value.prefix is not None:
        assert not isinstance(values, Spans)
        values = byte_strings.masked(values, value.prefix)
        row = np.frombuffer(constant, np.uint8).reshape(1, -1)
        constant = byte_strings.masked(row, value.prefix).tobytes()
    test = _TESTS[comparison]
    if test in (operator.eq, operator.ne):
        if isinstance(values, Spans) or values.ndim == 1:
            found = byte_strings.equal_to(byte_strings.spans_of(values), constant)
        else:
            found = byte_strings.rows_equal_to(values, constant)
        return found if test is operator.eq else ~found
    spans = byte_strings.spans_of(values)
    return np.asarray(test(byte_strings.order(spans, constant), 0), dtype=np.bool_)


def of_pairs(comparison: Operator, left_type: FilterType, left: Values, right: Values) -> Mask:
    """Return a mask (m,) of the pairs for which ``left <operator> right`` holds.

    `left` and `right` have m values of compatible types.
    """
    test = _TESTS[comparison]
    if left_type in _BYTE_STRINGS or isinstance(left, Spans) or isinstance(right, Spans):
        signs = byte_strings.order_pairs(byte_strings.spans_of(left), byte_strings.spans_of(right))
        return np.asarray(test(signs, 0), dtype=np.bool_)
    one, other = np.asarray(left), np.asarray(right)
    if left_type is _T.BOOLEAN:
        one, other = one != 0, other != 0
    elif left_type.is_integer:
        one, other = wide(one), wide(other)
    found = np.asarray(test(one, other), dtype=np.bool_)
    if left_type.is_unsigned:
        found &= np.asarray((one < 0) | (other >= 0), dtype=np.bool_)
    return found
