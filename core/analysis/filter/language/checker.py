"""The checker: a syntax tree to conditions on fields.

It decides what the two sides of each relation mean together: a constant gets the type of the field
beside it, an address beside a range of bytes becomes bytes. It refuses relations that have no
meaning: between types that cannot be compared, or without any field.
`core.analysis.filter.language.expression_checker` reads the operands.
"""

from __future__ import annotations

from core.analysis.filter.language import type_rules
from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.expression_checker import CONSTANTS, NO_FIELD, ExpressionChecker
from core.analysis.filter.language.expressions import (
    Combined,
    Condition,
    Existence,
    Expression,
    FieldValue,
    Invocation,
    Match,
    Membership,
    Negated,
    NonZero,
    ReferenceValue,
    Relation,
    SliceValue,
    fields_of,
)
from core.analysis.filter.language.functions import FUNCTIONS
from core.analysis.filter.language.literals import Target, convert
from core.analysis.filter.language.patterns.compilation import compile_pattern
from core.analysis.filter.language.syntax import (
    Binary,
    Character,
    Comparison,
    Constant,
    FieldName,
    Item,
    Logic,
    Negative,
    Not,
    Operand,
    Operator,
    Quantifier,
    Reference,
    SetTest,
    Slice,
    String,
    Test,
    Truth,
)
from core.analysis.filter.types import FieldCatalog, FilterField, FilterType


def check(test: Test, catalog: FieldCatalog, length: int) -> Condition:
    """Return the conditions of a syntax tree. Raise `FilterError`.

    `length` is that of the filter's text: a wrong word at its end may be the start of a right one.
    """
    return _Checker(ExpressionChecker(catalog, length)).condition(test)


class _Checker:
    def __init__(self, expressions: ExpressionChecker) -> None:
        self._expressions = expressions

    def condition(self, test: Test) -> Condition:
        match test:
            case Not():
                return Negated(self.condition(test.test))
            case Logic():
                conditions: list[Condition] = []
                for each in test.tests:
                    conditions.append(self.condition(each))  # noqa: PERF401 # fewer frames
                return Combined(test.operator, tuple(conditions))
        found = self._simple(test)
        if next(fields_of(found), None) is None:
            raise FilterError(NO_FIELD, test.place)
        return found

    def _simple(self, test: Comparison | SetTest | Truth) -> Condition:
        match test:
            case Comparison(operator=Operator.CONTAINS):
                return self._contains(test)
            case Comparison(operator=Operator.MATCHES):
                return self._matches(test)
            case Comparison():
                return self._comparison(test)
            case SetTest():
                return self._membership(test)
            case Truth():
                return self._truth(test)

    def _comparison(self, test: Comparison) -> Condition:
        left = self._expressions.resolved(test.left, is_strict=True)
        right = self._expressions.resolved(test.right)
        if isinstance(left, CONSTANTS):
            if isinstance(right, CONSTANTS):
                raise FilterError(NO_FIELD, test.place)
            typed = self._typed(right, test.place, left, right)
            return self._related(test, self._values(left, typed), (typed,))
        first = self._typed(left, test.place, left, right)
        if isinstance(right, CONSTANTS):
            return self._related(test, (first,), self._values(right, first))
        second = self._expressions.expression(right, first.type)
        first, second = type_rules.comparable(first, second, left.place.to(right.place))
        return Relation(test.operator, first, second, test.quantifier)

    def _typed(self, node: Operand, place: TextSpan, *sides: Operand) -> Expression:
        """Return an operand; its constants get the type of the first side that has one."""
        return self._expressions.expression(node, self._expressions.type_of(place, *sides))

    def _related(
        self, test: Comparison, left: tuple[Expression, ...], right: tuple[Expression, ...]
    ) -> Condition:
        """Return the relation; with several values, that of a word with several numbers."""
        values, other = (left, right[0]) if len(left) > 1 else (right, left[0])
        if len(values) == 1:
            return Relation(test.operator, left[0], right[0], test.quantifier)
        opposite = {
            Operator.ANY_EQUAL: (False, Quantifier.ANY),
            Operator.ALL_EQUAL: (False, Quantifier.ALL),
            Operator.ALL_NOT_EQUAL: (True, Quantifier.ANY),
            Operator.ANY_NOT_EQUAL: (True, Quantifier.ALL),
        }
        if test.operator not in opposite:
            word = test.left if values is left else test.right
            assert isinstance(word, CONSTANTS)
            message = f"{word.text} names several numbers, which have no order"
            raise FilterError(message, test.operator_place)
        is_negated, quantifier = opposite[test.operator]
        if test.quantifier is not None:
            wanted = test.quantifier is Quantifier.ANY
            quantifier = Quantifier.ANY if wanted is not is_negated else Quantifier.ALL
        member = Membership(other, tuple((value, None) for value in values), quantifier)
        if not is_negated:
            return member
        exists = NonZero(Invocation(FUNCTIONS["count"], (other,), FilterType.UINT32))
        return Combined(Operator.AND, (exists, Negated(member)))

    def _values(self, node: Constant, other: Expression) -> tuple[Expression, ...]:
        """Return what a constant means beside an expression."""
        return self._expressions.converted(node, Target(other.type, _field_of(other)))

    def _contains(self, test: Comparison) -> Condition:
        left = self._search_side(test.left)
        found = type_rules.searchable(left, test.left.place, test.operator)
        right = self._expressions.resolved(test.right)
        if isinstance(right, CONSTANTS):
            target = Target(found.type, is_partial=True)
            return Relation(
                test.operator, found, self._expressions.converted(right, target)[0], test.quantifier
            )
        other = self._expressions.expression(right, found.type)
        if not type_rules.are_compatible(found.type, other.type):
            raise type_rules.incompatible(found, other, right.place)
        other = type_rules.searchable(other, right.place, test.operator)
        return Relation(test.operator, found, other, test.quantifier)

    def _matches(self, test: Comparison) -> Condition:
        if not isinstance(test.right, String):
            message = "'matches' takes a regular expression in double quotes"
            raise FilterError(message, test.right.place)
        left = self._search_side(test.left)
        found = type_rules.searchable(left, test.left.place, test.operator)
        try:
            pattern = compile_pattern(test.right.value)
        except ValueError as error:
            message = f"the regular expression is wrong: {error}"
            raise FilterError(message, test.right.place) from None
        return Match(found, pattern, test.quantifier)

    def _search_side(self, node: Operand) -> Expression:
        left = self._expressions.resolved(node, is_strict=True)
        if isinstance(left, (*CONSTANTS, Reference, Binary, Negative)):
            raise FilterError("expected a field, a range, or a function here", node.place)
        return self._typed(left, node.place, left)

    def _membership(self, test: SetTest) -> Condition:
        left = self._expressions.resolved(test.left, is_strict=True)
        if not isinstance(left, FieldName):
            raise FilterError("only a field can be in a set", test.left.place)
        field = self._expressions.expression(left, None)
        items: list[tuple[Expression, Expression | None]] = []
        for item in test.items:
            items += self._items(item, field)
        found = Membership(field, tuple(items), test.quantifier)
        return Negated(found) if test.is_negated else found

    def _items(self, item: Item, field: Expression) -> list[tuple[Expression, Expression | None]]:
        lows = self._item(item.low, field)
        if item.high is None:
            return [(low, None) for low in lows]
        return [(lows[0], self._item(item.high, field)[0])]

    def _item(self, node: Operand, field: Expression) -> tuple[Expression, ...]:
        resolved = self._expressions.resolved(node)
        if isinstance(resolved, Slice):
            raise FilterError("a range of bytes cannot be an item of a set", node.place)
        if isinstance(resolved, CONSTANTS):
            return self._values(resolved, field)
        item = self._expressions.expression(resolved, field.type)
        if not type_rules.are_compatible(field.type, item.type):
            raise type_rules.incompatible(field, item, node.place)
        return (item,)

    def _truth(self, test: Truth) -> Condition:
        operand = self._expressions.resolved(test.operand, is_strict=True)
        if isinstance(operand, CONSTANTS):
            raise FilterError(_not_a_test(operand), operand.place)
        found = self._typed(operand, operand.place, operand)
        return Existence(found) if isinstance(found, FieldValue | SliceValue) else NonZero(found)


_USUAL_FIELDS = (
    ("tcp.port", FilterType.UINT16), ("frame.number", FilterType.UINT32),
    ("ip.addr", FilterType.IPV4), ("ipv6.addr", FilterType.IPV6), ("eth.addr", FilterType.ETHER),
)  # fmt: skip
"""A field of each type that a value without a field is likely meant for."""


def _not_a_test(constant: Constant) -> str:
    """Return the error of a constant that stands where a test is expected."""
    text = constant.text
    match constant:
        case String() | Character():
            advice = f"frame contains {text} searches for it" if constant.text != '""' else ""
        case _:
            field = next((name for name, of in _USUAL_FIELDS if _fits(constant, of)), "")
            if field:
                advice = f"each test names its field, such as {field} == {text}"
            else:
                is_bytes = _fits(constant, FilterType.BYTES)
                advice = f"frame contains {text} searches for it" if is_bytes else ""
            if field == "tcp.port":
                others = "80, 443" if text in ("80", "443") else f"80, {text}"
                advice += f"; a set has several values: tcp.port in {{{others}}}"
    shown = f"{text} is not a field or protocol"
    return f"{shown}; {advice}" if advice else shown


def _fits(constant: Constant, type_: FilterType) -> bool:
    """Return True if the constant is a value of this type."""
    try:
        convert(constant, Target(type_))
    except FilterError:
        return False
    return True


def _field_of(expression: Expression) -> FilterField | None:
    """Return the field whose words a constant beside it may be."""
    match expression:
        case FieldValue(is_raw=False):
            return expression.field
        case ReferenceValue(field=FieldValue(is_raw=False) as inner):
            return inner.field
    return None
