"""Operations on the values of expressions: arithmetic, ranges, constants, and truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation import byte_strings, integers
from core.analysis.filter.evaluation.byte_search import contains
from core.analysis.filter.evaluation.columns import Column
from core.analysis.filter.language.expressions import Arithmetic, SliceValue, Value
from core.analysis.filter.language.syntax import Operator
from core.analysis.filter.types import FilterType, Spans, Values

Mask = NDArray[np.bool_]

_T = FilterType


def arithmetic(node: Arithmetic, left: Values, right: Values) -> tuple[Values, Mask | None]:
    """Return the results of pairs, and a mask of those that exist (None: all)."""
    kind, other_kind = node.left.type, node.right.type
    if kind in (_T.IPV4, _T.IPV6):
        return np.asarray(left) & np.asarray(right), None
    if not (kind.is_integer or kind.is_time or kind.is_float):
        one, other = byte_strings.spans_of(left), byte_strings.spans_of(right)
        return byte_strings.bit_and(one, other), None
    numbers, others = np.asarray(left), np.asarray(right)
    if kind.is_integer or (kind.is_time and (other_kind.is_integer or other_kind.is_time)):
        return integers.compute(node.operator, integers.wide(numbers), integers.wide(others))
    result, present = _floating(node.operator, numbers.astype(np.float64), others)
    return (np.rint(result).astype(np.int64) if kind.is_time else result), present


def _floating(
    operator: Operator, left: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Mask]:
    present = np.ones(len(left), dtype=np.bool_)
    match operator:
        case Operator.PLUS:
            return left + right, present
        case Operator.MINUS:
            return left - right, present
        case Operator.TIMES:
            return left * right, present
    present = right != 0
    return left / np.where(present, right, 1), present


def constant(node: Value) -> Values:
    """Return a constant as an array of one value."""
    if isinstance(node.value, bytes):
        data = np.frombuffer(node.value, np.uint8)
        if node.type is _T.IPV6:
            return data.reshape(1, 16)
        return Spans(data, np.zeros(1, np.int64), np.full(1, len(data), np.int64))
    if isinstance(node.value, str):
        return np.array([node.value], dtype=object)
    if node.type is _T.IPV4:
        return np.array([node.value], dtype=np.uint32)
    return np.array([node.value])


def part_of(column: Column, node: SliceValue) -> Column:
    """Return the ranges of byte strings, or of the characters of texts."""
    if node.type is not _T.STRING:
        spans = byte_strings.spans_of(column.values)
        return Column(column.rows, byte_strings.parts_of(spans, node.ranges))
    assert not isinstance(column.values, Spans)
    sizes = sizes_of(column.values)
    cuts = [byte_strings.bounds(sizes, part)[:2] for part in node.ranges]
    texts = [
        "".join(text[first[index] : last[index]] for first, last in cuts)
        for index, text in enumerate(column.values)
    ]
    return Column(column.rows, np.array(texts, dtype=object))


def sizes_of(values: Values) -> NDArray[np.int64]:
    """Return the lengths of byte strings, addresses, or texts."""
    if not isinstance(values, Spans) and values.dtype == object:
        return np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    return byte_strings.lengths(byte_strings.spans_of(values))


def items(values: Values) -> list[Any]:
    """Return byte strings or texts as Python's."""
    if not isinstance(values, Spans) and values.dtype == object:
        return list(values)
    spans = byte_strings.spans_of(values)
    ends = zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    return [spans.data[start:end].tobytes() for start, end in ends]


def contains_value(values: Values, value: Value) -> Mask:
    """Return a mask (k,) of the values that contain a constant."""
    if isinstance(value.value, str):
        needle = value.value
        hits = [bool(needle) and needle in text for text in items(values)]
        return np.array(hits, dtype=np.bool_)
    if value.type is _T.PROTOCOL and not value.value:
        return np.zeros(len(values), dtype=np.bool_)  # as Wireshark's search in a packet
    return contains(byte_strings.spans_of(values), value.value)


def is_nonzero(values: Values, kind: FilterType) -> Mask:
    """Return a mask (k,) of the values that are not zero, not false, and not empty."""
    if isinstance(values, Spans):
        return byte_strings.is_nonzero(values)
    if values.ndim == 2:
        return np.asarray(values.any(axis=1), dtype=np.bool_)
    if kind is _T.STRING:
        return sizes_of(values) > 0
    return np.asarray(values != 0, dtype=np.bool_)
