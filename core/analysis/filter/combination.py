"""Combine the text of a filter with one more expression.

The texts stay as the user wrote them. Round brackets are added only where the precedence of the
operators would change the meaning otherwise; whether it would, the parser tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.filter.language.parser import parse
from core.analysis.filter.language.syntax import Logic, Not, Operator, Test


class Combination(Enum):
    """The ways to change a filter by an expression. The value is the word for each."""

    REPLACE = "only"
    AND = "and"
    OR = "or"
    AND_NOT = "and not"


def combined(text: str, expression: str, how: Combination, macros: Macros = NO_MACROS) -> str:
    """Return the filter `text` changed by `expression`.

    An empty `text` passes every packet: AND and OR then return the expression, and AND_NOT its
    negation. Raise `FilterError` if one of the two is not a filter.
    """
    text, expression = text.strip(), expression.strip()
    left, right = parse(text, macros), parse(expression, macros)
    if right is None:
        return text
    if how is Combination.AND_NOT:
        expression, right = _negated(expression, right, macros)
    if how is Combination.REPLACE or left is None:
        return expression
    operator = Operator.OR if how is Combination.OR else Operator.AND
    word = operator.value
    return _first_with(
        (operator, _shape(left), _shape(right)),
        (
            f"{one} {word} {other}"
            for one in (text, f"({text})")
            for other in (expression, f"({expression})")
        ),
        macros,
    )


def _negated(text: str, test: Test, macros: Macros) -> tuple[str, Test]:
    negated = _first_with((Not, _shape(test)), (f"not {text}", f"not ({text})"), macros)
    found = parse(negated, macros)
    assert found is not None  # it is not empty
    return negated, found


def _first_with(meaning: Any, texts: Iterable[str], macros: Macros) -> str:
    """Return the first text with a meaning; the last one has it."""
    wanted = _flattened(meaning) if isinstance(meaning[0], Operator) else meaning
    for text in texts:
        try:
            test = parse(text, macros)
        except FilterError:  # nested too deeply: the caller's `compile_filter` says so
            continue
        if test is not None and _shape(test) == wanted:
            return text
    return text


def _shape(node: Any) -> Any:
    """Return the structure of a syntax tree without the places in its text.

    Tests that one operator joins are in one tuple: ``(a and b) and c`` means ``a and (b and c)``.
    """
    if isinstance(node, Logic):
        return _flattened((node.operator, *map(_shape, node.tests)))
    if isinstance(node, Not):
        return Not, _shape(node.test)
    if isinstance(node, tuple):
        return tuple(map(_shape, node))
    if is_dataclass(node):
        return type(node), *map(_shape, [getattr(node, name) for name in _names(node)])
    return node


def _names(node: Any) -> list[str]:
    return [each.name for each in fields(node) if not each.name.endswith("place")]


def _flattened(logic: Any) -> Any:
    operator, *parts = logic
    joined: list[Any] = []
    for part in parts:
        is_same = isinstance(part, tuple) and bool(part) and part[0] is operator
        joined += part[1:] if is_same else [part]
    return operator, *joined
