"""The syntax tree of a filter: what the text says, before any field is looked up.

An unquoted word may be the name of a field or a value (``fc`` is a protocol and a byte): the parser
keeps it as a `Word`, and the checker decides by the context. Every node knows its place in the
text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.analysis.filter.language.errors import TextSpan


class Operator(Enum):
    """An operator. The value is its shortest spelling."""

    __hash__ = object.__hash__  # unique members; Enum's own hash hashes the name

    ANY_EQUAL = "=="
    ALL_NOT_EQUAL = "!="
    ALL_EQUAL = "==="
    ANY_NOT_EQUAL = "!=="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LESS = "<"
    LESS_EQUAL = "<="
    CONTAINS = "contains"
    MATCHES = "matches"
    IN = "in"
    AND = "and"
    OR = "or"
    XOR = "xor"
    NOT = "not"
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDE = "/"
    MODULO = "%"
    BIT_AND = "&"


class Quantifier(Enum):
    """The word before a relation: how many occurrences of a field must fulfill it."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Range:
    """A range of bytes, characters, or header numbers; see `core.analysis.filter.language.ranges`.

    It has a `length`, or ends at `end` inclusive, or reaches to the end of the data. Negative
    offsets count from the end.
    """

    start: int
    length: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Literal:
    """An unquoted value that cannot be a name: ``10.0.0.0/8``, ``:fc``, ``00:11``.

    `value` is the text without a leading colon.
    """

    place: TextSpan
    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Word:
    """An unquoted word that is a field, or else a value."""

    place: TextSpan
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number. `value` is an int, or a float if the text has a point or an exponent."""

    place: TextSpan
    text: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Character:
    """A character constant, ``'c'``."""

    place: TextSpan
    text: str
    value: int


@dataclass(frozen=True, slots=True)
class String:
    """A quoted string: its bytes, after escapes, in UTF-8."""

    place: TextSpan
    text: str
    value: bytes


@dataclass(frozen=True, slots=True)
class FieldName:
    """A word that must be a field: ``.fc``, ``ip.src#2``, ``@tcp.port``.

    `layers` are the numbers of the headers that count, None for all. `is_raw` selects the bytes of
    the field instead of its value.
    """

    place: TextSpan
    name: str
    layers: tuple[Range, ...] | None = None
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """``${field}``: the value of a field in the selected packet."""

    place: TextSpan
    field: FieldName


@dataclass(frozen=True, slots=True)
class Slice:
    """``entity[ranges]``: parts of a byte string or text, joined."""

    place: TextSpan
    operand: Operand
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``."""

    place: TextSpan
    name: str
    name_place: TextSpan
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """``-operand``."""

    place: TextSpan
    operand: Operand


@dataclass(frozen=True, slots=True)
class Binary:
    """``left + right`` and the other arithmetic operators."""

    place: TextSpan
    operator: Operator
    operator_place: TextSpan
    left: Operand
    right: Operand


Constant = Literal | Word | Number | Character | String
Operand = Constant | FieldName | Reference | Slice | Call | Negative | Binary


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left == right``, ``left contains right``, or ``left matches right``."""

    place: TextSpan
    operator: Operator
    operator_place: TextSpan
    left: Operand
    right: Operand
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a set: a value, or a range from `low` to `high` inclusive."""

    place: TextSpan
    low: Operand
    high: Operand | None = None


@dataclass(frozen=True, slots=True)
class SetTest:
    """``left in {items}``, or ``left not in {items}``."""

    place: TextSpan
    left: Operand
    items: tuple[Item, ...]
    is_negated: bool = False
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """An operand alone: the field exists, or the result is not zero."""

    place: TextSpan
    operand: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """``not test``."""

    place: TextSpan
    test: Test


@dataclass(frozen=True, slots=True)
class Logic:
    """Two or more tests joined by one operator: ``and``, ``or``, or ``xor``."""

    place: TextSpan
    operator: Operator
    tests: tuple[Test, ...]


Test = Comparison | SetTest | Truth | Not | Logic
