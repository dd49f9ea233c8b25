"""The types that operators take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.analysis.filter.language.errors import FilterError, TextSpan
from core.analysis.filter.language.expressions import Expression, FieldValue, SliceValue, Value
from core.analysis.filter.language.syntax import Binary, Number, Operand, Operator, Range
from core.analysis.filter.types import FilterType

_T = FilterType
_BYTE_STRINGS = frozenset({_T.BYTES, _T.ETHER, _T.EUI64})
_SEARCHED = frozenset({_T.STRING, _T.BYTES, _T.PROTOCOL, _T.ETHER})
_WITH_PARTS = _SEARCHED | {_T.IPV4, _T.IPV6}
_MASKED = frozenset({_T.IPV4, _T.IPV6, _T.BYTES, _T.ETHER})

_REFUSALS: Mapping[Operator, str] = {
    Operator.PLUS: "cannot be added",
    Operator.MINUS: "cannot be subtracted",
    Operator.TIMES: "cannot be multiplied",
    Operator.DIVIDE: "cannot be divided",
    Operator.MODULO: "does not support %",
    Operator.BIT_AND: "cannot be combined by &",
}


def are_compatible(left: FilterType, right: FilterType) -> bool:
    """Return True if values of the types can be compared."""
    if left.is_integer:
        return right.is_integer or right is _T.BOOLEAN
    if left.is_float:
        return right.is_float
    if left in _BYTE_STRINGS:
        return right in _BYTE_STRINGS
    return left is right


def incompatible(left: Expression, right: Expression, place: TextSpan) -> FilterError:
    """Return the error of two operands that cannot be compared."""
    message = f"{left.type.phrase} cannot be compared with {right.type.phrase}"
    if isinstance(left, FieldValue) and right.type is _T.PROTOCOL:
        message += f"; write a value of {left.field.name}"
    return FilterError(message, place)


def comparable(
    left: Expression, right: Expression, place: TextSpan
) -> tuple[Expression, Expression]:
    """Return two operands as they are compared: addresses beside bytes become bytes.

    Raise `FilterError` if their types do not fit.
    """
    if isinstance(left, SliceValue) and left.type is _T.BYTES and not isinstance(right, Value):
        right = _as_bytes(right)
    if not are_compatible(left.type, right.type):
        raise incompatible(left, right, place)
    return left, right


def _as_bytes(expression: Expression) -> Expression:
    is_convertible = expression.type in (_T.IPV4, _T.IPV6, _T.PROTOCOL)
    return SliceValue(expression, (Range(0),), _T.BYTES) if is_convertible else expression


def searchable(expression: Expression, place: TextSpan, operator: Operator) -> Expression:
    """Return the operand that `contains` or `matches` searches.

    Of a protocol, this is the header with its data; of a number, its word. Raise `FilterError` if
    it has none.
    """
    if isinstance(expression, FieldValue) and expression.type is _T.PROTOCOL:
        return replace(expression, with_data=True)
    if expression.type in _SEARCHED:
        return expression
    if isinstance(expression, FieldValue) and expression.field.words:
        return replace(expression, type=_T.STRING, as_words=True)
    name = expression.field.name if isinstance(expression, FieldValue) else "this"
    message = f"{name} is {expression.type.phrase}; '{operator.value}' takes text or bytes"
    if isinstance(expression, FieldValue) and expression.type.is_integer:
        message += f", such as string({name})"
    raise FilterError(message, place)


def has_parts(kind: FilterType) -> bool:
    """Return True if ranges apply to values of the type."""
    return kind in _WITH_PARTS


def check_negation(operand: Expression, place: TextSpan) -> None:
    """Raise `FilterError` for a type without negative values."""
    kind = operand.type
    if not (kind.is_integer or kind.is_float or kind.is_time):
        raise FilterError(f"{kind.phrase} cannot be negated", place)


def right_type(operator: Operator, left: FilterType, right: Operand) -> FilterType:
    """Return the type that a constant on the right of an operator gets."""
    if left.is_time and operator in (Operator.TIMES, Operator.DIVIDE):
        is_whole = isinstance(right, Number) and isinstance(right.value, int)
        return _T.INT64 if is_whole else _T.DOUBLE
    if left is _T.ABSOLUTE_TIME:
        return _T.RELATIVE_TIME
    return left


def check_operand(operator: Operator, operand: Expression, place: TextSpan) -> None:
    """Raise `FilterError` if an operator does not take this operand."""
    if not _takes(operator, operand.type):
        raise FilterError(f"{operand.type.phrase} {_REFUSALS[operator]}", place)


def check_pair(node: Binary, left: Expression, right: Expression) -> None:
    """Raise `FilterError` if an operator does not take these operands together."""
    if not left.type.is_time:
        check_operand(node.operator, right, node.right.place)
    if left.type.is_time:
        _check_time(node, left, right)
    elif not are_compatible(left.type, right.type) or right.type is _T.BOOLEAN:
        both = f"{left.type.phrase} and {right.type.phrase}"
        raise FilterError(f"{both} {_REFUSALS[node.operator]}", node.place)
    is_division = node.operator in (Operator.DIVIDE, Operator.MODULO)
    if is_division and isinstance(left, Value) and isinstance(right, Value) and not right.value:
        raise FilterError("division by zero", node.place)


def _takes(operator: Operator, kind: FilterType) -> bool:
    if kind.is_integer:
        return True
    if operator is Operator.BIT_AND:
        return kind in _MASKED
    if operator is Operator.MODULO:
        return False
    return kind.is_float or kind.is_time


def _check_time(node: Binary, left: Expression, right: Expression) -> None:
    if node.operator in (Operator.TIMES, Operator.DIVIDE):
        if isinstance(left, Value):
            message = f"the number goes on the right side of {node.operator.value}"
            raise FilterError(message, node.left.place)
        if not (right.type.is_integer or right.type.is_float):
            message = f"expected a number, not {right.type.phrase}"
            raise FilterError(f"{message}, to multiply or divide a time", node.right.place)
    elif not right.type.is_time:
        message = f"expected a time, not {right.type.phrase}"
        raise FilterError(message, node.right.place)
