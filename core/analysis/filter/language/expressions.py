"""A checked filter: fields looked up, values converted to the types of their fields.

`core.analysis.filter.language.checker` makes these values from a syntax tree, and
`core.analysis.filter.evaluation.evaluation` computes them for the packets of a chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.analysis.filter.language.syntax import Operator, Quantifier, Range
from core.analysis.filter.types import FilterField, FilterType

if TYPE_CHECKING:
    import regex

    from core.analysis.filter.language.functions import Function


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The values of a field: all, or those of the headers numbered `layers`.

    `is_raw` selects the bytes of the field, `as_words` the words of its numbers, and `with_data`
    the header of a protocol together with the data after it, which `contains` and `matches` search.
    """

    field: FilterField
    type: FilterType
    layers: tuple[Range, ...] | None = None
    is_raw: bool = False
    as_words: bool = False
    with_data: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """The values of a field in the selected packet."""

    field: FieldValue

    @property
    def type(self) -> FilterType:
        """The type of the field."""
        return self.field.type


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    An int for integers, booleans, IPv4 addresses, and times (nanoseconds); a float; a `str`;
    `bytes` for the rest. `prefix` is the number of bits of an address that are compared.
    """

    type: FilterType
    value: Any
    prefix: int | None = None


@dataclass(frozen=True, slots=True)
class SliceValue:
    """Ranges of a byte string or text, joined."""

    operand: Expression
    ranges: tuple[Range, ...]
    type: FilterType


@dataclass(frozen=True, slots=True)
class Invocation:
    """A function, applied to all occurrences of its arguments."""

    function: Function
    arguments: tuple[Expression, ...]
    type: FilterType


@dataclass(frozen=True, slots=True)
class Negation:
    """The number with the other sign."""

    operand: Expression
    type: FilterType


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An arithmetic operation on all pairs of occurrences."""

    operator: Operator
    left: Expression
    right: Expression
    type: FilterType


Expression = FieldValue | ReferenceValue | Value | SliceValue | Invocation | Negation | Arithmetic


@dataclass(frozen=True, slots=True)
class Relation:
    """A comparison of two expressions, or ``contains``."""

    operator: Operator
    left: Expression
    right: Expression
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A search for a regular expression in text or bytes."""

    left: Expression
    pattern: regex.Pattern[bytes]
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A value that equals an item, or lies in a range, inclusive."""

    left: Expression
    items: tuple[tuple[Expression, Expression | None], ...]
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Existence:
    """A packet has the field, or the whole part of it."""

    operand: FieldValue | SliceValue


@dataclass(frozen=True, slots=True)
class NonZero:
    """Some occurrence is not zero, not false, and not empty."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Negated:
    """The opposite of a condition."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Combined:
    """Two or more conditions joined by one operator: AND, OR, or XOR."""

    operator: Operator
    conditions: tuple[Condition, ...]


Condition = Relation | Match | Membership | Existence | NonZero | Negated | Combined


def fields_of(node: Condition | Expression) -> Iterator[FieldValue]:
    """Yield the fields whose values a filter reads from each packet, references excluded."""
    left: list[Condition | Expression] = [node]
    while left:
        node = left.pop()
        if isinstance(node, FieldValue):
            yield node
        else:
            left += reversed(_operands(node))


def _operands(node: Condition | Expression) -> tuple[Condition | Expression, ...]:
    """Return the conditions and expressions that a condition or expression consists of."""
    match node:
        case Existence(operand) | NonZero(operand) | Match(operand) | Negation(operand):
            return (operand,)
        case SliceValue(operand):
            return (operand,)
        case Negated(condition):
            return (condition,)
        case Combined():
            return node.conditions
        case Relation() | Arithmetic():
            return node.left, node.right
        case Membership(left, items):
            return left, *(each for item in items for each in item if each is not None)
        case Invocation():
            return node.arguments
    return ()
