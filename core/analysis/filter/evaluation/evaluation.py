"""The evaluation of a filter: which packets of a chunk pass.

Theory
------
A field has any number of values in a packet: none if the packet lacks it, several in tunnels. An
expression is therefore a `Column` of occurrences. A relation compares occurrences element by
element, and then asks per packet: does *any* pair fulfill it, or do *all*, of at least one? A
packet without any value fulfills no relation. Everything goes by whole arrays; only a regular
expression searches value by value.

A constant stays a `Value` as long as it meets a column, which is faster than a second column; it
becomes a column, the same for all packets, where an operation needs one.

Only regular expressions take long, and ask for the time that is left. When it is spent, the
evaluation begins again with the packets that all of them have searched, at least one: their answers
are known, so that costs little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.evaluation import (
    byte_strings,
    comparisons,
    operations,
)
from core.analysis.filter.evaluation.columns import Column, Index, pair, taken
from core.analysis.filter.evaluation.operand_columns import OperandColumns
from core.analysis.filter.evaluation.pattern_search import never, search
from core.analysis.filter.language.expressions import (
    Combined,
    Condition,
    Existence,
    Expression,
    FieldValue,
    Match,
    Membership,
    Negated,
    NonZero,
    Relation,
    SliceValue,
    Value,
)
from core.analysis.filter.language.syntax import Operator, Quantifier
from core.analysis.filter.types import FieldValues, FilterType

Mask = NDArray[np.bool_]

_T = FilterType
_ALL_BY_DEFAULT = frozenset({Operator.ALL_EQUAL, Operator.ALL_NOT_EQUAL})


class Passing(NamedTuple):
    """The answer for the first m packets of a chunk: a mask (m,) of those that pass.

    `slow` are the rows of those that a regular expression takes too long for.
    """

    mask: Mask
    slow: frozenset[int]


class _StoppedError(Exception):
    """The time is spent: the packets from `Evaluation._count` on were not searched."""


class Evaluation:
    """Evaluates conditions over the packets of one chunk.

    `selected` has the values of the selected packet alone, for references; without it they have no
    value. After `is_spent` returns True, the rest of the packets is left out.
    """

    def __init__(
        self,
        values: FieldValues,
        selected: FieldValues | None = None,
        is_spent: Callable[[], bool] = never,
    ) -> None:
        self._operands = OperandColumns(values, selected)  # of the packets that are not left out
        self._is_spent = is_spent
        self._searched: dict[int, tuple[Mask, Index]] = {}  # by the identity of a `Match`

    def passing(self, condition: Condition | None) -> Passing:
        """Return which packets fulfill a condition (None: all), at least for the first one."""
        if condition is None:
            return Passing(np.ones(self._operands.count, dtype=np.bool_), frozenset())
        self._searched.clear()
        while True:
            try:
                mask = self._passes(condition)
            except _StoppedError:
                continue
            slow = (row for _, rows in self._searched.values() for row in rows.tolist())
            return Passing(mask, frozenset(row for row in slow if row < self._operands.count))

    # -- conditions ---------------------------------------------------------------

    def _passes(self, condition: Condition) -> Mask:
        match condition:
            case Combined():
                return self._combined(condition)
            case Negated(inner):
                return ~self._passes(inner)
            case Relation():
                return self._relation(condition)
            case Match(left, _, quantifier):
                column = self._operands.of(left)
                hits = self._search(condition, column)
                return self._quantified(column.rows, hits, quantifier is Quantifier.ALL)
            case Membership():
                return self._membership(condition)
            case Existence(operand):
                return self._existence(operand)
            case NonZero(operand):
                column = self._operands.of(operand)
                return self._any(column.rows[operations.is_nonzero(column.values, operand.type)])

    def _combined(self, condition: Combined) -> Mask:
        first, *others = condition.conditions
        found = self._passes(first)
        for each in others:
            match condition.operator:
                case Operator.AND:
                    if not found.any():
                        break
                    found = found & self._passes(each)
                case Operator.OR:
                    if found.all():
                        break
                    found = found | self._passes(each)
                case _:
                    found = found ^ self._passes(each)
        return found

    def _relation(self, node: Relation) -> Mask:
        is_all = node.quantifier is Quantifier.ALL
        if node.quantifier is None:
            is_all = node.operator in _ALL_BY_DEFAULT
        if node.operator is Operator.CONTAINS:
            rows, hits = self._contained(node)
        elif isinstance(node.right, Value):
            column = self._operands.of(node.left)
            rows, kind = column.rows, node.left.type
            hits = comparisons.with_value(node.operator, kind, column.values, node.right)
        elif isinstance(node.left, Value):
            column = self._operands.of(node.right)
            operator = comparisons.swapped(node.operator)
            rows = column.rows
            hits = comparisons.with_value(
                operator, node.right.type, column.values, node.left, is_first=True
            )
        else:
            left, right = self._operands.of(node.left), self._operands.of(node.right)
            pairs = pair(left, right)
            rows = pairs.rows
            hits = comparisons.of_pairs(
                node.operator,
                node.left.type,
                taken(left.values, pairs.left),
                taken(right.values, pairs.right),
            )
        return self._quantified(rows, hits, is_all)

    def _contained(self, node: Relation) -> tuple[Index, Mask]:
        """Return the rows of all pairs, and where the left value contains the right one."""
        left = self._operands.of(node.left)
        if isinstance(node.right, Value):
            return left.rows, operations.contains_value(left.values, node.right)
        right = self._operands.of(node.right)
        pairs = pair(left, right)
        one, other = taken(left.values, pairs.left), taken(right.values, pairs.right)
        hits = [
            hay.find(needle) >= 0 and (len(needle) > 0 or isinstance(hay, bytes))
            for hay, needle in zip(operations.items(one), operations.items(other), strict=True)
        ]
        return pairs.rows, np.array(hits, dtype=np.bool_)

    def _search(self, node: Match, column: Column) -> Mask:
        """Return the occurrences in which a pattern matches. Leave out what is not searched."""
        if id(node) not in self._searched:
            first_row = int(np.searchsorted(column.rows, 1))
            searched = search(node.pattern, column.values, self._is_spent, first_row)
            self._searched[id(node)] = searched.found, column.rows[searched.slow]
            if len(searched.found) < len(column):
                self._operands.count = int(column.rows[len(searched.found)])
                raise _StoppedError
        return self._searched[id(node)][0][: len(column)]

    def _membership(self, node: Membership) -> Mask:
        column = self._operands.of(node.left)
        kind = node.left.type
        numbers, items = _numbers_of(node, kind)
        hits = comparisons.is_one_of(column.values, numbers)
        for low, high in items:
            if high is None:
                hits |= self._against(Operator.ANY_EQUAL, column, kind, low)
            else:
                inside = self._against(Operator.GREATER_EQUAL, column, kind, low)
                inside &= self._against(Operator.LESS_EQUAL, column, kind, high)
                hits |= inside
        return self._quantified(column.rows, hits, node.quantifier is Quantifier.ALL)

    def _against(
        self, operator: Operator, column: Column, kind: FilterType, item: Expression
    ) -> Mask:
        """Return a mask (k,) of the occurrences that any value of an item fulfills."""
        if isinstance(item, Value):
            return comparisons.with_value(operator, kind, column.values, item)
        other = self._operands.of(item)
        pairs = pair(column, other)
        one, two = taken(column.values, pairs.left), taken(other.values, pairs.right)
        hits = comparisons.of_pairs(operator, kind, one, two)
        found = np.zeros(len(column), dtype=np.bool_)
        found[pairs.left[hits]] = True
        return found

    def _existence(self, operand: FieldValue | SliceValue) -> Mask:
        if isinstance(operand, FieldValue):
            return self._any(self._operands.of(operand).rows)
        column = self._operands.of(operand.operand)
        sizes = operations.sizes_of(column.values)
        return self._any(column.rows[byte_strings.contain_parts(sizes, operand.ranges)])

    def _any(self, rows: Index) -> Mask:
        found = np.zeros(self._operands.count, dtype=np.bool_)
        found[rows] = True
        return found

    def _quantified(self, rows: Index, hits: Mask, is_all: bool) -> Mask:
        found = self._any(rows if is_all else rows[hits])
        if is_all:
            found[rows[~hits]] = False
        return found


def _numbers_of(
    node: Membership, kind: FilterType
) -> tuple[list[int], list[tuple[Expression, Expression | None]]]:
    """Return the numbers in a set, which one search finds, and its other items."""
    numbers: list[int] = []
    others: list[tuple[Expression, Expression | None]] = []
    is_number = kind.is_unsigned or kind is _T.IPV4
    for low, high in node.items:
        if is_number and high is None and isinstance(low, Value) and low.prefix is None:
            numbers.append(low.value)
        else:
            others.append((low, high))
    return numbers, others
