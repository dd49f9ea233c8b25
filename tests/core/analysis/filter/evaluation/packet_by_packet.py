"""Evaluation of a filter for one packet, with Python's values: what the columns must agree with.

It follows the rules of `core.analysis.filter.evaluation.evaluation` in the simplest way.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from core.analysis.filter.language.expressions import (
    Arithmetic,
    Combined,
    Condition,
    Existence,
    Expression,
    FieldValue,
    Invocation,
    Match,
    Membership,
    Negated,
    Negation,
    NonZero,
    ReferenceValue,
    Relation,
    SliceValue,
    Value,
)
from core.analysis.filter.language.syntax import Operator, Quantifier, Range
from core.analysis.filter.types import ADDRESS_BYTES, FilterType
from tests.core.analysis.filter.evaluation.made_values import Packet

_T = FilterType
_TESTS = {
    Operator.ANY_EQUAL: operator.eq, Operator.ALL_EQUAL: operator.eq,
    Operator.ALL_NOT_EQUAL: operator.ne, Operator.ANY_NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt, Operator.GREATER_EQUAL: operator.ge,
    Operator.LESS: operator.lt, Operator.LESS_EQUAL: operator.le,
}  # fmt: skip
_ALL = (Operator.ALL_EQUAL, Operator.ALL_NOT_EQUAL)


def passes(node: Condition, packet: Packet, selected: Packet | None = None) -> bool:
    """Return True if a packet fulfills a condition."""
    match node:
        case Combined():
            hits = [passes(each, packet, selected) for each in node.conditions]
            match node.operator:
                case Operator.AND:
                    return all(hits)
                case Operator.OR:
                    return any(hits)
            return sum(hits) % 2 == 1
        case Negated():
            return not passes(node.condition, packet, selected)
        case Relation():
            hits = [
                _holds(node.operator, node.left, a, node.right, b)
                for a in values(node.left, packet, selected)
                for b in values(node.right, packet, selected)
            ]
            is_all = node.quantifier is Quantifier.ALL
            return _quantified(hits, is_all if node.quantifier else node.operator in _ALL)
        case Match():
            found = values(node.left, packet, selected)
            hits = [
                node.pattern.search(each.encode() if isinstance(each, str) else each) is not None
                for each in found
            ]
            return _quantified(hits, node.quantifier is Quantifier.ALL)
        case Membership():
            hits = [
                any(_is_in(node.left, each, item, packet, selected) for item in node.items)
                for each in values(node.left, packet, selected)
            ]
            return _quantified(hits, node.quantifier is Quantifier.ALL)
        case Existence(SliceValue() as part):
            return any(
                all(_bounds(len(each), r)[2] for r in part.ranges)
                for each in values(part.operand, packet, selected)
            )
        case Existence(operand):
            return bool(values(operand, packet, selected))
        case NonZero(operand):
            found = values(operand, packet, selected)
            return any(any(each) if isinstance(each, bytes) else bool(each) for each in found)
    raise AssertionError(node)


def _quantified(hits: Sequence[bool], is_all: bool) -> bool:
    return bool(hits) and all(hits) if is_all else any(hits)


def _is_in(
    left: Expression, value: Any, item: tuple[Expression, Expression | None],
    packet: Packet, selected: Packet | None,
) -> bool:  # fmt: skip
    low, high = item

    def any_holds(comparison: Operator, other: Expression) -> bool:
        found = values(other, packet, selected)
        return any(_holds(comparison, left, value, other, each) for each in found)

    if high is None:
        return any_holds(Operator.ANY_EQUAL, low)
    return any_holds(Operator.GREATER_EQUAL, low) and any_holds(Operator.LESS_EQUAL, high)


def _holds(comparison: Operator, left: Expression, a: Any, right: Expression, b: Any) -> bool:
    if comparison is Operator.CONTAINS:
        return b in a and (len(b) > 0 or left.type is _T.BYTES)
    if left.type is _T.BOOLEAN or right.type is _T.BOOLEAN:
        a, b = bool(a) if left.type is _T.BOOLEAN else a, bool(b) if left.type is _T.BOOLEAN else b
    if left.type.is_unsigned and a >= 0 > b:
        return False
    for side in (left, right):
        if isinstance(side, Value) and side.prefix is not None:
            a, b = _masked(a, side.prefix), _masked(b, side.prefix)
    if isinstance(a, bytes):
        a, b = (len(a), a), (len(b), b)
    return bool(_TESTS[comparison](a, b))


def _masked(address: bytes, prefix: int) -> bytes:
    drop = len(address) * 8 - prefix
    return (int.from_bytes(address, "big") >> drop << drop).to_bytes(len(address), "big")


def values(node: Expression, packet: Packet, selected: Packet | None) -> list[Any]:
    """Return the values of an expression in a packet."""
    match node:
        case FieldValue():
            return _field(node, packet)
        case ReferenceValue(field):
            return _field(field, selected or {})
        case Value():
            is_ipv4 = node.type is _T.IPV4
            return [node.value.to_bytes(4, "big") if is_ipv4 else node.value]
        case SliceValue():
            return [
                (b"" if isinstance(each, bytes) else "").join(
                    each[slice(*_bounds(len(each), r)[:2])] for r in node.ranges
                )
                for each in values(node.operand, packet, selected)
            ]
        case Negation(operand):
            return [-each for each in values(operand, packet, selected)]
        case Arithmetic():
            pairs = [
                (a, b)
                for a in values(node.left, packet, selected)
                for b in values(node.right, packet, selected)
            ]
            return [r for a, b in pairs if (r := _computed(node.operator, a, b)) is not None]
        case Invocation():
            return _invoked(node, [values(each, packet, selected) for each in node.arguments])
    raise AssertionError(node)


def _field(node: FieldValue, packet: Packet) -> list[Any]:
    found = list(enumerate(packet.get(node.field.name, ()), 1))
    if node.layers is not None:
        last = len(found)
        found = [(n, each) for n, each in found if any(_has(r, n, last) for r in node.layers)]
    items = [each for _, each in found]
    if node.is_raw:
        return [each.to_bytes(node.field.type.bits // 8, "big") for each in items]
    if node.as_words:
        return [node.field.words[each] for each in items if each in node.field.words]
    return items


def _has(part: Range, number: int, last: int) -> bool:
    low = part.start if part.start >= 0 else last + part.start + 1
    if part.length is not None:
        return low <= number < low + part.length
    if part.end is None:
        return number >= low
    return low <= number <= (part.end if part.end >= 0 else last + part.end + 1)


def _bounds(size: int, part: Range) -> tuple[int, int, bool]:
    start = part.start if part.start >= 0 else size + part.start
    if part.length is not None:
        end = start + part.length
    elif part.end is not None:
        end = (part.end if part.end >= 0 else size + part.end) + 1
    else:
        end = max(size, start)
    if start < 0 or start >= end:
        return 0, 0, False
    return start, end, end <= size


def _computed(op: Operator, a: Any, b: Any) -> Any:
    if isinstance(a, bytes):
        return bytes(x & y for x, y in zip(a, b, strict=False))
    if op in (Operator.DIVIDE, Operator.MODULO) and b == 0:
        return None
    match op:
        case Operator.PLUS:
            result = a + b
        case Operator.MINUS:
            result = a - b
        case Operator.TIMES:
            result = a * b
        case Operator.BIT_AND:
            result = a & b
        case _:
            quotient = a / b if isinstance(a, float) else abs(a) // abs(b)
            if not isinstance(a, float) and (a < 0) != (b < 0):
                quotient = -quotient
            result = quotient if op is Operator.DIVIDE else a - quotient * b
    if isinstance(result, int) and not -(1 << 63) <= result < 1 << 64:
        return None
    return result


def _invoked(node: Invocation, arguments: list[list[Any]]) -> list[Any]:
    first, kind = arguments[0], node.arguments[0].type
    match node.function.name:
        case "count":
            return [len(first)]
        case "min" | "max":
            every = [each for found in arguments for each in found]

            def key(each: Any) -> Any:
                return (len(each), each) if isinstance(each, bytes) else each

            return [(min if node.function.name == "min" else max)(every, key=key)] if every else []
        case "len":
            width = ADDRESS_BYTES.get(kind) or kind.bits // 8
            return [len(each) if isinstance(each, bytes | str) else width for each in first]
        case "abs":
            return [abs(each) for each in first]
        case "lower":
            return [each.lower() for each in first]
        case "upper":
            return [each.upper() for each in first]
        case "string" | "dec":
            return [_text(each, kind) for each in first]
    raise AssertionError(node.function.name)


def _text(value: Any, kind: FilterType) -> str:
    if kind is _T.IPV4:
        return ".".join(map(str, value))
    return value.hex(":") if isinstance(value, bytes) else str(value)
