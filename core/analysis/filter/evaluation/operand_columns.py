"""The operands of conditions: columns of their occurrences in a chunk.

A field that several conditions name is read once. `OperandColumns.count` is the number of packets
that count, from the first one on; their occurrences alone are returned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation import function_values, integers, operations, value_texts
from core.analysis.filter.evaluation.columns import Column, Index, pair, repeated, taken
from core.analysis.filter.language.expressions import (
    Arithmetic,
    Expression,
    FieldValue,
    Invocation,
    Negation,
    ReferenceValue,
    SliceValue,
    Value,
)
from core.analysis.filter.language.syntax import Range
from core.analysis.filter.types import FieldValues, Occurrences


class OperandColumns:
    """The occurrences of operands in one chunk.

    `selected` has the values of the selected packet alone, for references; without it they have no
    value.
    """

    def __init__(self, values: FieldValues, selected: FieldValues | None) -> None:
        self.count = len(values)
        self._values = values
        self._selected = selected
        self._read: dict[tuple[str, bool, bool, bool], Occurrences] = {}

    def of(self, node: Expression) -> Column:
        """Return the occurrences of an operand in the packets that count."""
        match node:
            case FieldValue():
                return self._field(node, self._values)
            case ReferenceValue(field):
                return self._reference(field)
            case Value():
                return repeated(operations.constant(node), self.count)
            case SliceValue():
                return operations.part_of(self.of(node.operand), node)
            case Invocation():
                columns = list(map(self.of, node.arguments))
                return function_values.apply(node, columns, self.count)
            case Negation(operand):
                column = self.of(operand)
                values = np.asarray(column.values)
                numbers = integers.wide(values) if node.type.is_integer else values
                return Column(column.rows, -numbers)
            case Arithmetic():
                return self._arithmetic(node)

    def _field(self, node: FieldValue, source: FieldValues) -> Column:
        name, with_layers = node.field.name, node.layers is not None
        key = (name, node.is_raw, node.with_data, with_layers)
        found = self._read.get(key) if source is self._values else None
        if found is None:
            read = source.raw if node.is_raw else source.occurrences
            if node.with_data:
                read = source.with_data
            found = read(name, with_layers=with_layers)
            if source is self._values:
                self._read[key] = found
        column = Column(found.rows, found.values)
        if node.layers is not None:
            assert found.layers is not None
            column = column.take(_in_layers(found.rows, found.layers, node.layers))
        if source is self._values and len(column) and column.rows[-1] >= self.count:
            column = column.take(np.arange(np.searchsorted(column.rows, self.count)))
        if node.as_words:
            texts, present = value_texts.words_of(column.values, node.field.words)
            column = Column(column.rows[present], texts[present])
        return column

    def _reference(self, field: FieldValue) -> Column:
        if self._selected is None:
            return self._field(field, self._values).take(np.zeros(0, dtype=np.int64))
        return repeated(self._field(field, self._selected).values, self.count)

    def _arithmetic(self, node: Arithmetic) -> Column:
        left, right = self.of(node.left), self.of(node.right)
        pairs = pair(left, right)
        one, other = taken(left.values, pairs.left), taken(right.values, pairs.right)
        values, present = operations.arithmetic(node, one, other)
        results = Column(pairs.rows, values)
        return results if present is None else results.take(present)


def _in_layers(rows: Index, layers: Index, ranges: tuple[Range, ...]) -> Index:
    """Return the places of the occurrences whose header has a number in the ranges.

    Negative numbers count from the last header that has the field.
    """
    if not len(rows):
        return rows
    is_last = np.append(rows[1:] != rows[:-1], True)
    last = layers[np.flatnonzero(is_last)[np.cumsum(is_last) - is_last]]
    found: NDArray[np.bool_] = np.zeros(len(rows), dtype=np.bool_)
    for part in ranges:
        low = _absolute(part.start, last)
        if part.length is not None:
            high = low + part.length - 1
        elif part.end is not None:
            high = _absolute(part.end, last)
        else:
            high = np.maximum(last, low)
        found |= np.asarray((layers >= low) & (layers <= high), dtype=np.bool_)
    return np.flatnonzero(found)


def _absolute(number: int, last: Index) -> Index:
    return np.where(number < 0, last + number + 1, number)
